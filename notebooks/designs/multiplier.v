// Serial-parallel multiplier: y gives the product of a and the serial input x, least significant bit first.
module multiplier #(parameter WIDTH = 16) (
  input clk,
  input rst,
  input [WIDTH-1:0] a,
  input x,
  output y
);
  reg [WIDTH-1:0] sum, carry;
  wire [WIDTH-1:0] partial = a & {WIDTH{x}};
  wire [WIDTH-1:0] shifted = {1'b0, sum[WIDTH-1:1]};

  assign y = sum[0];

  always @(posedge clk)
    if (rst) begin
      sum <= 0;
      carry <= 0;
    end else begin
      sum <= partial ^ shifted ^ carry;
      carry <= (partial & shifted) | (partial & carry) | (shifted & carry);
    end
endmodule
