// Two clocks, one of them gated by a latch and an AND, and registers on both edges.
module gated (input clk, input slow, input rst, input enable, input [7:0] a, output reg [7:0] fast, output reg [7:0] kept);
  reg open;
  always @* if (!clk) open = enable;
  wire gated_clock = clk & open;
  reg [7:0] half, sum;
  always @(posedge gated_clock) if (rst) sum <= 0; else sum <= sum + a;
  always @(negedge clk) half <= sum ^ a;
  always @(posedge clk) fast <= half;
  always @(posedge slow) if (rst) kept <= 0; else kept <= kept + a;
endmodule
