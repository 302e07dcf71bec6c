// A RISC-V core, RV32I without interrupts: three clocks an instruction, loads four, one port to a memory that answers in the
// clock after the address. ECALL, EBREAK and what is no instruction set halted.
module rv32 (
  input clk,
  input rst,
  output [31:0] address,
  output [31:0] write_data,
  output [3:0] write_mask,
  input [31:0] read_data,
  output halted
);
  localparam FETCH = 2'd0, DECODE = 2'd1, EXECUTE = 2'd2, LOAD = 2'd3;

  reg [1:0] state;
  reg stopped;
  reg [31:0] pc, instruction, a, b;
  reg [31:0] registers [1:31];

  wire [6:0] opcode = instruction[6:0];
  wire [4:0] rd = instruction[11:7];
  wire [2:0] funct3 = instruction[14:12];
  wire is_op = opcode == 7'b0110011, is_op_imm = opcode == 7'b0010011, is_load = opcode == 7'b0000011;
  wire is_store = opcode == 7'b0100011, is_branch = opcode == 7'b1100011, is_jal = opcode == 7'b1101111;
  wire is_jalr = opcode == 7'b1100111, is_lui = opcode == 7'b0110111, is_auipc = opcode == 7'b0010111;
  wire is_fence = opcode == 7'b0001111;
  wire is_known = is_op | is_op_imm | is_load | is_store | is_branch | is_jal | is_jalr | is_lui | is_auipc | is_fence;

  wire [31:0] imm_i = {{20{instruction[31]}}, instruction[31:20]};
  wire [31:0] imm_s = {{20{instruction[31]}}, instruction[31:25], instruction[11:7]};
  wire [31:0] imm_b = {{20{instruction[31]}}, instruction[7], instruction[30:25], instruction[11:8], 1'b0};
  wire [31:0] imm_u = {instruction[31:12], 12'b0};
  wire [31:0] imm_j = {{12{instruction[31]}}, instruction[19:12], instruction[20], instruction[30:21], 1'b0};

  // Arithmetic
  wire [31:0] operand = is_op | is_branch ? b : imm_i;
  wire subtract = is_branch | (is_op & instruction[30]) | funct3 == 3'd2 | funct3 == 3'd3;
  wire [32:0] sum = {1'b0, a} + {1'b0, subtract ? ~operand : operand} + {32'b0, subtract};
  wire equal = a == operand;
  wire below = !sum[32];
  wire less = a[31] == operand[31] ? below : a[31];
  wire [32:0] right = $signed({instruction[30] & a[31], a}) >>> operand[4:0];
  reg [31:0] result;
  always @*
    case (funct3)
      3'd0: result = is_op & instruction[30] ? sum[31:0] : a + operand;
      3'd1: result = a << operand[4:0];
      3'd2: result = {31'b0, less};
      3'd3: result = {31'b0, below};
      3'd4: result = a ^ operand;
      3'd5: result = right[31:0];
      3'd6: result = a | operand;
      default: result = a & operand;
    endcase

  wire taken = (funct3[2] ? (funct3[1] ? below : less) : equal) ^ funct3[0];
  wire [31:0] next_pc = pc + 4;
  wire [31:0] target = is_jalr ? {data_address[31:1], 1'b0} : pc + (is_jal ? imm_j : imm_b);

  // Memory
  wire [31:0] data_address = a + (is_store ? imm_s : imm_i);
  wire [4:0] shift = {data_address[1:0], 3'b0};
  wire [31:0] loaded = read_data >> shift;
  wire [31:0] extended = funct3[1] ? loaded
    : funct3[0] ? {{16{loaded[15] & !funct3[2]}}, loaded[15:0]} : {{24{loaded[7] & !funct3[2]}}, loaded[7:0]};
  wire storing = state == EXECUTE & is_store & !stopped;
  assign address = state == EXECUTE ? {data_address[31:2], 2'b0} : pc;
  assign write_data = b << shift;
  assign write_mask = storing ? (funct3[1] ? 4'b1111 : funct3[0] ? 4'b0011 : 4'b0001) << data_address[1:0] : 4'b0;
  assign halted = stopped;

  // Registers
  wire writes = (state == EXECUTE & (is_op | is_op_imm | is_jal | is_jalr | is_lui | is_auipc)) | state == LOAD;
  wire [31:0] value = state == LOAD ? extended
    : is_lui ? imm_u : is_auipc ? pc + imm_u : is_jal | is_jalr ? next_pc : result;

  always @(posedge clk) begin
    if (writes & rd != 0) registers[rd] <= value;
    if (rst) begin
      pc <= 0;
      state <= FETCH;
      stopped <= 0;
    end else if (!stopped)
      case (state)
        FETCH: state <= DECODE;
        DECODE: begin
          instruction <= read_data;
          a <= read_data[19:15] == 0 ? 0 : registers[read_data[19:15]];
          b <= read_data[24:20] == 0 ? 0 : registers[read_data[24:20]];
          state <= EXECUTE;
        end
        EXECUTE: begin
          stopped <= !is_known;
          if (is_load) state <= LOAD;
          else begin
            pc <= is_jal | is_jalr | (is_branch & taken) ? target : next_pc;
            state <= FETCH;
          end
        end
        default: begin
          pc <= next_pc;
          state <= FETCH;
        end
      endcase
  end
endmodule
