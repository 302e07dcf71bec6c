// Purely combinational: no clock at all
module adder (input [7:0] a, input [7:0] b, input cin, output [8:0] sum);
  assign sum = a + b + cin;
endmodule
