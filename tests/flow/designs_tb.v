// The designs of the course do what they say: prints one line for each that does not, then "done".
`timescale 1ns/1ns
module designs_tb;
  reg clk = 0, rst = 1;
  always #5 clk = !clk;

  // multiplier
  reg [15:0] factor = 16'd51234;
  reg [31:0] product = 0;
  reg x = 0;
  wire y;
  multiplier multiplier (.clk(clk), .rst(rst), .a(factor), .x(x), .y(y));

  // gcd
  reg start = 0;
  wire done;
  wire [15:0] divisor;
  gcd gcd (.clk(clk), .rst(rst), .start(start), .a(16'd462), .b(16'd1071), .result(divisor), .done(done));

  // alu
  reg [2:0] op;
  wire [7:0] result;
  wire carry, zero;
  reg [8:0] wanted;
  alu alu (.clk(clk), .op(op), .a(8'h93), .b(8'h6d), .result(result), .carry(carry), .zero(zero));

  // uart, looped back
  reg valid = 0;
  wire ready, line, arrived;
  wire [7:0] byte_in;
  reg [7:0] last = 0;
  uart uart (
    .clk(clk), .rst(rst), .send(8'ha6), .send_valid(valid), .send_ready(ready), .tx(line), .rx(line),
    .received(byte_in), .received_valid(arrived)
  );
  always @(posedge clk) if (arrived) last <= byte_in;

  // fir: the answer to a single sample is its taps
  reg signed [7:0] sample = 0;
  wire signed [10:0] filtered;
  fir fir (.clk(clk), .rst(rst), .sample(sample), .filtered(filtered));
  integer total = 0;
  always @(posedge clk) if (!rst) total = total + filtered;

  // usb, looped back: a packet with long runs of ones, and one whose line is disturbed
  reg usb_write = 0, usb_start = 0, usb_read = 0, disturbed = 0;
  reg [7:0] usb_byte;
  wire usb_busy, usb_ready, usb_end, usb_good, dp, dm;
  wire [7:0] usb_in;
  reg [3:0] usb_ends = 0, usb_goods = 0;
  usb usb (
    .clk(clk), .rst(rst), .tx_write(usb_write), .tx_data(usb_byte), .tx_full(), .tx_start(usb_start),
    .tx_busy(usb_busy), .dp(dp), .dm(dm), .drive(), .line_dp(dp ^ disturbed), .line_dm(dm ^ disturbed),
    .rx_data(usb_in), .rx_ready(usb_ready), .rx_read(usb_read), .rx_end(usb_end), .rx_good(usb_good)
  );
  always @(posedge clk) if (usb_end) begin
    usb_ends <= usb_ends + 1;
    usb_goods <= usb_goods + {3'd0, usb_good};
  end
  task send_packet;
    begin
      for (i = 0; i < 8; i = i + 1) begin
        usb_write = 1;
        usb_byte = i == 2 ? 8'hff : i == 3 ? 8'hff : 8'hc3 + 8'd7 * i[7:0];
        @(negedge clk);
      end
      usb_write = 0;
      usb_start = 1;
      @(negedge clk) usb_start = 0;
    end
  endtask

  // histogram, on the register file
  reg counting = 0;
  reg [3:0] value = 0;
  wire [7:0] count;
  wire counted;
  histogram histogram (
    .clk(clk), .rst(rst), .valid(counting), .value(value), .address(4'd5), .count(count), .ready(counted)
  );

  // rv32
  wire [31:0] address, write_data;
  wire [3:0] mask;
  reg [31:0] read_data;
  wire halted;
  reg [31:0] memory [0:255];
  rv32 rv32 (
    .clk(clk), .rst(rst), .address(address), .write_data(write_data), .write_mask(mask), .read_data(read_data),
    .halted(halted)
  );
  integer k;
  always @(posedge clk) begin
    read_data <= memory[address[9:2]];
    for (k = 0; k < 4; k = k + 1) if (mask[k]) memory[address[9:2]][8*k +: 8] <= write_data[8*k +: 8];
  end

  integer i;
  initial begin
    $readmemh("program.hex", memory);
    repeat (4) @(negedge clk);
    rst = 0;
    for (i = 0; i < 32; i = i + 1) begin
      x = i < 16 ? (16'd40321 >> i) : 1'b0;
      @(negedge clk);
      product[i] = y;
    end
    if (product != 32'd51234 * 32'd40321) $display("multiplier: %0d", product);
    start = 1;
    @(negedge clk) start = 0;
    wait (done);
    if (divisor != 21) $display("gcd: %0d", divisor);
    for (i = 0; i < 8; i = i + 1) begin
      op = i;
      @(negedge clk);
      @(negedge clk);
      case (i)
        0: wanted = 9'h100;
        1: wanted = 9'h026;
        2: wanted = 9'h001;
        3: wanted = 9'h0ff;
        4: wanted = 9'h0fe;
        5: wanted = 9'h126;
        6: wanted = 9'h149;
        default: wanted = 9'h001;
      endcase
      if ({carry, result} != wanted || zero != (wanted[7:0] == 0)) $display("alu %0d: %h", i, {carry, result});
    end
    valid = 1;
    @(negedge clk) valid = 0;
    total = 0;
    sample = 8'sd5;
    @(negedge clk) sample = 0;
    repeat (200) @(negedge clk);
    if (last != 8'ha6) $display("uart: %h", last);
    if (total != 40) $display("fir: %0d", total);
    send_packet;
    wait (!usb_busy);
    repeat (40) @(negedge clk);
    if (usb_ends != 1 || usb_goods != 1) $display("usb: %0d ends, %0d good", usb_ends, usb_goods);
    for (i = 0; i < 8; i = i + 1) begin
      wanted = i == 2 || i == 3 ? 9'h0ff : {1'b0, 8'hc3 + 8'd7 * i[7:0]};
      if (!usb_ready || usb_in != wanted[7:0]) $display("usb byte %0d: %h", i, usb_in);
      usb_read = 1;
      @(negedge clk) usb_read = 0;
    end
    send_packet;
    repeat (200) @(negedge clk);
    disturbed = 1;
    repeat (4) @(negedge clk);
    disturbed = 0;
    wait (!usb_busy);
    repeat (40) @(negedge clk);
    if (usb_ends != 2 || usb_goods != 1) $display("usb disturbed: %0d ends, %0d good", usb_ends, usb_goods);
    for (i = 0; i < 12; i = i + 1) begin
      wait (counted);
      @(negedge clk) counting = 1;
      value = i < 7 ? 4'd5 : 4'd9;
      @(negedge clk) counting = 0;
    end
    wait (counted);
    repeat (3) @(negedge clk);
    if (count != 7) $display("histogram: %0d", count);
    wait (halted);
    for (i = 128; i < 160; i = i + 1) $display("memory %h", memory[i]);
    $display("done");
    $finish;
  end
  initial #200000 begin
    $display("too long");
    $finish;
  end
endmodule
