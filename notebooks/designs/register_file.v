// A register file of 16 words of 8 bits with one port to write and one to read, to be hardened as a macro:
// where a course has no SRAM from a compiler, this stands in its place.
module register_file (
    input  wire       clk,
    input  wire       write,
    input  wire [3:0] write_address,
    input  wire [7:0] write_data,
    input  wire [3:0] read_address,
    output reg  [7:0] read_data
);
  reg [7:0] words[0:15];

  always @(posedge clk) begin
    if (write) words[write_address] <= write_data;
    read_data <= words[read_address];
  end
endmodule
