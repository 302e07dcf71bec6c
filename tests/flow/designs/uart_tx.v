// UART transmitter: 8 data bits, no parity, one stop bit, 104 clocks a bit
module uart_tx (input clk, input rst, input start, input [7:0] data, output reg tx, output busy);
  reg [3:0] bits_left;
  reg [8:0] shift;
  reg [6:0] divider;
  assign busy = bits_left != 0;
  always @(posedge clk)
    if (rst) begin
      tx <= 1; bits_left <= 0; divider <= 0; shift <= 0;
    end else if (!busy) begin
      tx <= 1;
      if (start) begin
        shift <= {1'b1, data}; bits_left <= 10; divider <= 0; tx <= 0;
      end
    end else if (divider == 7'd103) begin
      divider <= 0; bits_left <= bits_left - 1; tx <= shift[0]; shift <= {1'b1, shift[8:1]};
    end else divider <= divider + 1;
endmodule
