// What a careless design may hold: a latch, a constant output, a wire straight through, ports that share a net
module corners (input enable, input d, input x, output reg q, output one, output through, output again);
  always @* if (enable) q = d;
  assign one = 1;
  assign through = x;
  assign again = x;
endmodule
