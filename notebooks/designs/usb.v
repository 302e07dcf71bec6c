// The serial part of a USB full-speed device: packets of bytes to and from the two data lines.
// clk runs at four times the bit rate. A packet is: SYNC, the bytes, CRC16 over all bytes but the first, end of packet.
module usb (
    input  wire       clk,
    input  wire       rst,
    // bytes to send: written first, then sent as one packet
    input  wire       tx_write,
    input  wire [7:0] tx_data,
    output wire       tx_full,
    input  wire       tx_start,
    output wire       tx_busy,
    // the lines: full speed, J is dp high and dm low
    output reg        dp,
    output reg        dm,
    output wire       drive,
    input  wire       line_dp,
    input  wire       line_dm,
    // bytes received, and at the end of the packet whether its CRC is right
    output wire [7:0] rx_data,
    output wire       rx_ready,
    input  wire       rx_read,
    output reg        rx_end,
    output reg        rx_good
);
  localparam RESIDUE = 16'hB001;

  function [15:0] crc16(input [15:0] crc, input data);
    crc16 = (crc >> 1) ^ ((crc[0] ^ data) ? 16'hA001 : 16'h0000);
  endfunction

  // ---------------------------------------------------------------- sending
  localparam IDLE = 3'd0, SYNC = 3'd1, BYTES = 3'd2, CHECK = 3'd3, SE0 = 3'd4, LAST = 3'd5;
  wire [7:0] next_byte;
  wire       empty;
  reg  [2:0] state;
  reg  [1:0] quarter;
  reg  [3:0] bits;
  reg  [2:0] ones;
  reg  [15:0] shift, crc;
  reg        first;
  wire       tick = quarter == 2'd3;
  wire       stuff = ones == 3'd6;
  wire       sending = state == SYNC || state == BYTES || state == CHECK;
  wire       bit_out = shift[0] & ~stuff;
  wire       done = tick && !stuff && bits == 4'd0;
  wire       take = done && (state == SYNC || state == BYTES) && !empty;

  assign tx_busy = state != IDLE;
  assign drive = tx_busy;

  usb_queue #(.SIZE(16)) out (
      .clk(clk), .rst(rst), .write(tx_write), .data_in(tx_data), .full(tx_full),
      .read(take), .data_out(next_byte), .empty(empty)
  );

  wire [15:0] crc_next = (state == BYTES && !first && !stuff) ? crc16(crc, shift[0]) : crc;

  always @(posedge clk)
    if (rst) begin
      state <= IDLE;
      quarter <= 2'd0;
      bits <= 4'd0;
      ones <= 3'd0;
      shift <= 16'd0;
      crc <= 16'hFFFF;
      first <= 1'b0;
      dp <= 1'b1;
      dm <= 1'b0;
    end else begin
      quarter <= tx_busy ? quarter + 2'd1 : 2'd0;
      if (state == IDLE && tx_start && !empty) begin
        state <= SYNC;
        shift <= 16'h0080;
        bits <= 4'd7;
        ones <= 3'd0;
        crc <= 16'hFFFF;
      end
      if (tick) begin
        if (sending) begin
          ones <= bit_out ? ones + 3'd1 : 3'd0;
          if (!bit_out) {dp, dm} <= {~dp, ~dm};
          crc <= crc_next;
          if (!stuff) begin
            shift <= {1'b0, shift[15:1]};
            bits <= bits - 4'd1;
          end
        end
        if (done)
          case (state)
            SYNC, BYTES:
            if (!empty) begin
              state <= BYTES;
              first <= state == SYNC;
              shift <= {8'd0, next_byte};
              bits <= 4'd7;
            end else begin
              state <= CHECK;
              shift <= ~crc_next;
              bits <= 4'd15;
            end
            CHECK: begin
              state <= SE0;
              bits <= 4'd1;
            end
            default: ;
          endcase
        if (state == SE0) begin
          ones <= 3'd0;
          if (stuff) {dp, dm} <= {~dp, ~dm};
          else begin
            {dp, dm} <= 2'b00;
            bits <= bits - 4'd1;
            if (bits == 4'd0) state <= LAST;
          end
        end
        if (state == LAST) begin
          {dp, dm} <= 2'b10;
          state <= IDLE;
        end
      end
    end

  // ---------------------------------------------------------------- receiving
  reg [2:0] sampled_dp, sampled_dm;
  reg [1:0] phase;
  reg       last_dp, in_packet;
  reg [2:0] rx_ones, rx_bits;
  reg [7:0] rx_shift;
  reg [15:0] rx_crc;
  reg       rx_first;
  wire      in_dp = sampled_dp[1], in_dm = sampled_dm[1];
  wire      moved = sampled_dp[2] != sampled_dp[1];
  wire      sample = phase == 2'd1;
  wire      ended = ~in_dp & ~in_dm;
  wire      bit_in = in_dp == last_dp;
  wire      stuffed = rx_ones == 3'd6;
  wire [7:0] rx_next = {bit_in, rx_shift[7:1]};
  wire      whole = sample && in_packet && !ended && !stuffed && rx_bits == 3'd7;

  wire none;
  usb_queue #(.SIZE(16)) in (
      .clk(clk), .rst(rst), .write(whole), .data_in(rx_next), .full(),
      .read(rx_read), .data_out(rx_data), .empty(none)
  );
  assign rx_ready = ~none;

  always @(posedge clk)
    if (rst) begin
      sampled_dp <= 3'b111;
      sampled_dm <= 3'b000;
      phase <= 2'd0;
      last_dp <= 1'b1;
      in_packet <= 1'b0;
      rx_ones <= 3'd0;
      rx_bits <= 3'd0;
      rx_shift <= 8'hFF;
      rx_crc <= 16'hFFFF;
      rx_first <= 1'b0;
      rx_end <= 1'b0;
      rx_good <= 1'b0;
    end else begin
      sampled_dp <= {sampled_dp[1:0], line_dp};
      sampled_dm <= {sampled_dm[1:0], line_dm};
      phase <= moved ? 2'd0 : phase + 2'd1;
      rx_end <= 1'b0;
      if (sample) begin
        last_dp <= in_dp;
        if (ended) begin
          if (in_packet) begin
            rx_end <= 1'b1;
            rx_good <= rx_crc == RESIDUE && rx_bits == 3'd0;
          end
          in_packet <= 1'b0;
          rx_shift <= 8'hFF;
          rx_ones <= 3'd0;
        end else begin
          rx_ones <= bit_in ? rx_ones + 3'd1 : 3'd0;
          if (!in_packet) begin
            rx_shift <= rx_next;
            if (rx_next == 8'h80) begin
              in_packet <= 1'b1;
              rx_bits <= 3'd0;
              rx_first <= 1'b1;
              rx_crc <= 16'hFFFF;
            end
          end else if (!stuffed) begin
            rx_shift <= rx_next;
            rx_bits <= rx_bits + 3'd1;
            if (!rx_first) rx_crc <= crc16(rx_crc, bit_in);
            if (rx_bits == 3'd7) rx_first <= 1'b0;
          end
        end
      end
    end
endmodule

// A queue of bytes in flip-flops. SIZE is a power of two.
module usb_queue #(
    parameter SIZE = 16
) (
    input  wire       clk,
    input  wire       rst,
    input  wire       write,
    input  wire [7:0] data_in,
    output wire       full,
    input  wire       read,
    output wire [7:0] data_out,
    output wire       empty
);
  localparam BITS = $clog2(SIZE);
  reg [7:0] memory[0:SIZE-1];
  reg [BITS:0] head, tail;
  assign empty = head == tail;
  assign full = head[BITS] != tail[BITS] && head[BITS-1:0] == tail[BITS-1:0];
  assign data_out = memory[tail[BITS-1:0]];

  always @(posedge clk) begin
    if (write && !full) memory[head[BITS-1:0]] <= data_in;
    if (rst) begin
      head <= 0;
      tail <= 0;
    end else begin
      if (write && !full) head <= head + 1'b1;
      if (read && !empty) tail <= tail + 1'b1;
    end
  end
endmodule
