// 8-bit arithmetic logic unit with registered result and flags.
module alu (
  input clk,
  input [2:0] op,
  input [7:0] a,
  input [7:0] b,
  output reg [7:0] result,
  output reg carry,
  output reg zero
);
  reg [8:0] next;

  always @*
    case (op)
      3'd0: next = a + b;
      3'd1: next = a - b;
      3'd2: next = {1'b0, a & b};
      3'd3: next = {1'b0, a | b};
      3'd4: next = {1'b0, a ^ b};
      3'd5: next = {a, 1'b0};
      3'd6: next = {a[0], 1'b0, a[7:1]};
      default: next = {1'b0, 7'b0, $signed(a) < $signed(b)};
    endcase

  always @(posedge clk) begin
    result <= next[7:0];
    carry <= next[8];
    zero <= next[7:0] == 0;
  end
endmodule
