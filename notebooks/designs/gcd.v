// Greatest common divisor by subtraction. start takes a and b in; done is high when result holds the answer.
module gcd #(parameter WIDTH = 16) (
  input clk,
  input rst,
  input start,
  input [WIDTH-1:0] a,
  input [WIDTH-1:0] b,
  output [WIDTH-1:0] result,
  output done
);
  reg [WIDTH-1:0] x, y;
  reg busy;
  wire less = x < y;

  assign result = x;
  assign done = !busy;

  always @(posedge clk)
    if (rst) begin
      x <= 0;
      y <= 0;
      busy <= 0;
    end else if (!busy) begin
      if (start) begin
        x <= a;
        y <= b;
        busy <= 1;
      end
    end else if (y == 0) busy <= 0;
    else if (less) begin
      x <= y;
      y <= x;
    end else x <= x - y;
endmodule
