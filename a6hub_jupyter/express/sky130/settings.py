"""LibreLane's settings for the staged sky130A, and the GDS layers of its stream map.

Values follow the public sky130 configuration of LibreLane (Apache-2.0), as far as they apply.
"""

from __future__ import annotations

from dataclasses import dataclass

from a6hub_jupyter.express.sky130 import SCL


@dataclass(frozen=True)
class StreamLayer:
    """GDS layer of a LEF layer, with the datatypes of drawing, pin and label (0: none)."""

    number: int
    drawing: int
    pin: int = 0
    label: int = 0


STREAM = {
    "li1": StreamLayer(67, 20, 16, 5),
    "mcon": StreamLayer(67, 44),
    "met1": StreamLayer(68, 20, 16, 5),
    "via": StreamLayer(68, 44),
    "met2": StreamLayer(69, 20, 16, 5),
    "via2": StreamLayer(69, 44),
    "met3": StreamLayer(70, 20, 16, 5),
    "via3": StreamLayer(70, 44),
    "met4": StreamLayer(71, 20, 16, 5),
    "via4": StreamLayer(71, 44),
    "met5": StreamLayer(72, 20, 16, 5),
}

NO_SYNTHESIS = (
    r"__(clk\w*|dly\w*|dl[rxc]\w*|s?edf\w*|sdf\w*|sdl\w*|einv\w*|fah\w*|ha|maj3|mux2i|decap|diode|tap\w*"
    r"|fill|macro\w*|lpflow\w*|probe\w*)_"
)
"""Cells that synthesis shall not pick: delay, clock, scan, enable, latch, tri-state and physical cells."""
NO_PLACEMENT = r"(_0|__buf_16|__clkdlybuf4s1[58]_1|__fa_4|__mux4_4|__xn?or3_\d)$|lpflow|probe"
"""Cells too weak to drive a wire, or with pins too dense for a grid router."""
NO_ACCESS = (
    "a222oi_1",
    "a2bb2o_2",
    "a32o_1",
    "edfxbp_1",
    "edfxtp_1",
    "fahcon_1",
    "mux4_1",
    "o211a_2",
    "sedfxbp_1",
    "sedfxbp_2",
    "sedfxtp_1",
    "sedfxtp_2",
    "sedfxtp_4",
    "xor3_4",
)
"""Cells whose pins cannot all be reached at once on the routing grid (found by exhaustive search)."""


def layer_map() -> str:
    """KLAYOUT_DEF_LAYER_MAP."""
    lines = []
    for name, layer in STREAM.items():
        lines.append(f"{name} NET,SPNET,PIN,LEFPIN,VIA {layer.number} {layer.drawing}")
        if layer.pin:
            lines.append(f"{name} PIN,LEFPIN {layer.number} {layer.pin}")
            lines.append(f"NAME {name}/PIN {layer.number} {layer.label}")
    return "\n".join([*lines, "DIEAREA ALL 235 4", ""])


LATCH_MAP = f"""module \\$_DLATCH_P_ (input E, input D, output Q);
  {SCL}__dlxtp_1 _TECHMAP_REPLACE_ (.D(D), .GATE(E), .Q(Q));
endmodule
module \\$_DLATCH_N_ (input E, input D, output Q);
  {SCL}__dlxtn_1 _TECHMAP_REPLACE_ (.D(D), .GATE_N(E), .Q(Q));
endmodule
"""

CONFIG = """set ::env(VDD_PIN) "VPWR"
set ::env(GND_PIN) "VGND"
set ::env(VDD_PIN_VOLTAGE) "1.80"
set ::env(GND_PIN_VOLTAGE) "0.00"
set ::env(SCL_POWER_PINS) "VPWR VPB"
set ::env(SCL_GROUND_PINS) "VGND VNB"
if { ![info exist ::env(STD_CELL_LIBRARY)] } { set ::env(STD_CELL_LIBRARY) sky130_fd_sc_hd }
if { ![info exist ::env(PAD_CELL_LIBRARY)] } { set ::env(PAD_CELL_LIBRARY) "" }
set ref "$::env(PDK_ROOT)/$::env(PDK)/libs.ref/$::env(STD_CELL_LIBRARY)"
set tech "$::env(PDK_ROOT)/$::env(PDK)/libs.tech"
set ::env(LIB) [dict create]
dict set ::env(LIB) "*_tt_025C_1v80" "$ref/lib/sky130_fd_sc_hd__est_tt_025C_1v80.lib"
set ::env(STA_CORNERS) "nom_tt_025C_1v80"
set ::env(DEFAULT_CORNER) "nom_tt_025C_1v80"
set ::env(TIMING_VIOLATION_CORNERS) "*tt*"
set ::env(TECH_LEFS) [dict create]
dict set ::env(TECH_LEFS) "nom_*" "$ref/techlef/sky130_fd_sc_hd__nom.tlef"
set ::env(CELL_LEFS) "$ref/lef/sky130_fd_sc_hd.lef"
set ::env(CELL_GDS) "$ref/gds/sky130_fd_sc_hd.gds"
set ::env(CELL_VERILOG_MODELS) "$ref/verilog/primitives.v $ref/verilog/sky130_fd_sc_hd.v"
set ::env(CELL_SPICE_MODELS) "$ref/spice/sky130_fd_sc_hd.spice"
set ::env(CELL_CDLS) "$ref/cdl/sky130_fd_sc_hd.cdl"
set ::env(PRIMARY_GDSII_STREAMOUT_TOOL) "klayout"
set ::env(KLAYOUT_TECH) "$tech/klayout/sky130A.lyt"
set ::env(KLAYOUT_PROPERTIES) "$tech/klayout/sky130A.lyp"
set ::env(KLAYOUT_DEF_LAYER_MAP) "$tech/klayout/sky130A.map"
set ::env(FP_TAPCELL_DIST) 13
set ::env(FP_TRACKS_INFO) "$tech/librelane/$::env(STD_CELL_LIBRARY)/tracks.info"
set ::env(SYNTH_EXCLUDED_CELL_FILE) "$tech/librelane/$::env(STD_CELL_LIBRARY)/no_synth.cells"
set ::env(PNR_EXCLUDED_CELL_FILE) "$tech/librelane/$::env(STD_CELL_LIBRARY)/drc_exclude.cells"
set ::env(PDN_RAIL_LAYER) met1
set ::env(PDN_RAIL_WIDTH) 0.48
set ::env(PDN_RAIL_OFFSET) 0
set ::env(PDN_VERTICAL_LAYER) met4
set ::env(PDN_HORIZONTAL_LAYER) met5
set ::env(PDN_VWIDTH) 1.6
set ::env(PDN_VSPACING) 1.7
set ::env(PDN_VPITCH) 153.6
set ::env(PDN_VOFFSET) 16.32
set ::env(PDN_HWIDTH) 1.6
set ::env(PDN_HSPACING) 1.7
set ::env(PDN_HPITCH) 153.18
set ::env(PDN_HOFFSET) 16.65
set ::env(PDN_CORE_RING_VWIDTH) 1.6
set ::env(PDN_CORE_RING_HWIDTH) 1.6
set ::env(PDN_CORE_RING_VSPACING) 1.7
set ::env(PDN_CORE_RING_HSPACING) 1.7
set ::env(PDN_CORE_RING_VOFFSET) 6
set ::env(PDN_CORE_RING_HOFFSET) 6
set ::env(FP_IO_HLAYER) "met3"
set ::env(FP_IO_VLAYER) "met2"
set ::env(RT_MIN_LAYER) "met1"
set ::env(RT_MAX_LAYER) "met5"
set ::env(GRT_LAYER_ADJUSTMENTS) "0.99,0,0,0,0,0"
"""

CELL_CONFIG = """set ::env(PLACE_SITE) "unithd"
set ::env(PLACE_SITE_WIDTH) 0.460
set ::env(PLACE_SITE_HEIGHT) 2.720
set ::env(WELLTAP_CELL) "sky130_fd_sc_hd__tapvpwrvgnd_1"
set ::env(ENDCAP_CELL) "sky130_fd_sc_hd__decap_3"
set ::env(SYNTH_DRIVING_CELL) "sky130_fd_sc_hd__inv_2/Y"
set ::env(SYNTH_LATCH_MAP) "$::env(PDK_ROOT)/$::env(PDK)/libs.tech/librelane/$::env(STD_CELL_LIBRARY)/latch_map.v"
set ::env(OUTPUT_CAP_LOAD) "33.442"
set ::env(SYNTH_BUFFER_CELL) "sky130_fd_sc_hd__buf_2/A/X"
set ::env(SYNTH_TIEHI_CELL) "sky130_fd_sc_hd__conb_1/HI"
set ::env(SYNTH_TIELO_CELL) "sky130_fd_sc_hd__conb_1/LO"
set ::env(FILL_CELLS) "sky130_fd_sc_hd__fill_1 sky130_fd_sc_hd__fill_2"
set ::env(DECAP_CELLS) "sky130_fd_sc_hd__decap_*"
set ::env(DIODE_CELL) "sky130_fd_sc_hd__diode_2/DIODE"
set ::env(GPL_CELL_PADDING) {0}
set ::env(DPL_CELL_PADDING) {0}
set ::env(CELL_PAD_EXCLUDE) "sky130_fd_sc_hd__tap* sky130_fd_sc_hd__decap* sky130_fd_sc_hd__fill*"
set ::env(CTS_ROOT_BUFFER) sky130_fd_sc_hd__clkbuf_16
set ::env(CTS_CLK_BUFFERS) "sky130_fd_sc_hd__clkbuf_8 sky130_fd_sc_hd__clkbuf_4 sky130_fd_sc_hd__clkbuf_2"
set ::env(MAX_FANOUT_CONSTRAINT) 10
set ::env(MAX_TRANSITION_CONSTRAINT) 0.75
set ::env(DEFAULT_MAX_TRAN) 0.75
set ::env(CLOCK_UNCERTAINTY_CONSTRAINT) 0.25
set ::env(CLOCK_TRANSITION_CONSTRAINT) 0.15
set ::env(TIME_DERATING_CONSTRAINT) 5
set ::env(IO_DELAY_CONSTRAINT) 20
set ::env(TRISTATE_CELLS) "sky130_fd_sc_hd__ebuf*"
set ::env(HEURISTIC_ANTENNA_THRESHOLD) 90
"""
