// Low-pass filter of four taps, 1 3 3 1, for signed samples of 8 bits.
module fir (
  input clk,
  input rst,
  input signed [7:0] sample,
  output reg signed [10:0] filtered
);
  reg signed [7:0] d1, d2, d3;
  wire signed [8:0] outer = sample + d3;
  wire signed [8:0] inner = d1 + d2;

  always @(posedge clk)
    if (rst) begin
      d1 <= 0;
      d2 <= 0;
      d3 <= 0;
      filtered <= 0;
    end else begin
      d1 <= sample;
      d2 <= d1;
      d3 <= d2;
      filtered <= outer + inner + (inner <<< 1);
    end
endmodule
