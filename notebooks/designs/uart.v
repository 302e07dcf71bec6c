// UART, 8 data bits, no parity, one stop bit: transmitter and receiver with DIVISOR clocks a bit.
module uart #(parameter DIVISOR = 16) (
  input clk,
  input rst,
  input [7:0] send,
  input send_valid,
  output send_ready,
  output tx,
  input rx,
  output [7:0] received,
  output received_valid
);
  uart_transmitter #(DIVISOR) transmitter (
    .clk(clk), .rst(rst), .data(send), .valid(send_valid), .ready(send_ready), .tx(tx)
  );
  uart_receiver #(DIVISOR) receiver (
    .clk(clk), .rst(rst), .rx(rx), .data(received), .valid(received_valid)
  );
endmodule

module uart_transmitter #(parameter DIVISOR = 16) (
  input clk,
  input rst,
  input [7:0] data,
  input valid,
  output ready,
  output tx
);
  reg [9:0] frame;
  reg [3:0] left;
  reg [$clog2(DIVISOR)-1:0] count;

  assign ready = left == 0;
  assign tx = frame[0];

  always @(posedge clk)
    if (rst) begin
      frame <= 10'h3ff;
      left <= 0;
      count <= 0;
    end else if (ready) begin
      if (valid) begin
        frame <= {1'b1, data, 1'b0};
        left <= 10;
        count <= DIVISOR - 1;
      end
    end else if (count == 0) begin
      frame <= {1'b1, frame[9:1]};
      left <= left - 1;
      count <= DIVISOR - 1;
    end else count <= count - 1;
endmodule

module uart_receiver #(parameter DIVISOR = 16) (
  input clk,
  input rst,
  input rx,
  output reg [7:0] data,
  output reg valid
);
  reg [1:0] settled;
  reg [3:0] left;
  reg [$clog2(DIVISOR)-1:0] count;
  wire level = settled[1];

  always @(posedge clk) begin
    settled <= {settled[0], rx};
    valid <= 0;
    if (rst) begin
      settled <= 2'b11;
      left <= 0;
      count <= 0;
      data <= 0;
    end else if (left == 0) begin
      if (!level) begin
        left <= 10;
        count <= DIVISOR / 2 - 1;
      end
    end else if (count != 0) count <= count - 1;
    else begin
      count <= DIVISOR - 1;
      left <= left - 1;
      if (left == 10 && level) left <= 0;
      else if (left == 1) valid <= level;
      else if (left != 10) data <= {level, data[7:1]};
    end
  end
endmodule
