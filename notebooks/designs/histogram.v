// Counts how often each 4-bit value occurs. The counts are in a register file, which is a hard macro.
module histogram (
    input  wire       clk,
    input  wire       rst,
    input  wire       valid,
    input  wire [3:0] value,
    input  wire [3:0] address,
    output wire [7:0] count,
    output wire       ready
);
  // Three cycles a value: read, wait, write back. After reset each word is cleared first.
  reg [1:0] state;
  reg [3:0] current;
  reg       clearing;
  wire [7:0] data;

  localparam IDLE = 2'd0, READ = 2'd1, WRITE = 2'd2;

  assign ready = (state == IDLE) & ~clearing;
  assign count = data;

  wire take = ready & valid;

  always @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      current <= 4'd0;
      clearing <= 1'b1;
    end else if (clearing) begin
      current  <= current + 4'd1;
      clearing <= current != 4'd15;
    end else
      case (state)
        IDLE: if (valid) begin
          current <= value;
          state   <= READ;
        end
        READ: state <= WRITE;
        default: state <= IDLE;
      endcase
  end

  register_file counts (
      .clk(clk),
      .write(clearing | (state == WRITE)),
      .write_address(current),
      .write_data(clearing ? 8'd0 : data + 8'd1),
      .read_address(take ? value : (state == IDLE) ? address : current),
      .read_data(data)
  );
endmodule
