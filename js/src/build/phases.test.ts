import { expect, test } from "vitest";
import { groupState, groupSteps } from "./phases";
import { sampleBuild, sampleStep } from "./sample";
import { logSections, sectionOf } from "./sections";
import { cutTime } from "./timeline";

const grouped = (ids: string) =>
  groupSteps(ids.split(" ").map((id) => sampleStep(id, "pending"))).map(
    ({ key, steps }) => `${key}: ${steps.map((step) => step.id.replace(/.*\./, "")).join(" ")}`,
  );

test("the steps of Classic fall into the ten phases, in their order", () => {
  const classic =
    "Verilator.Lint Checker.LintErrors Yosys.JsonHeader Yosys.Synthesis Checker.YosysUnmappedCells OpenROAD.STAPrePNR " +
    "OpenROAD.Floorplan Odb.ManualMacroPlacement OpenROAD.GeneratePDN Odb.AddRoutingObstructions " +
    "OpenROAD.GlobalPlacementSkipIO OpenROAD.IOPlacement OpenROAD.STAMidPNR OpenROAD.DetailedPlacement " +
    "OpenROAD.CTS OpenROAD.STAMidPNR-1 OpenROAD.GlobalRouting OpenROAD.DetailedRouting " +
    "Odb.RemoveRoutingObstructions Checker.TrDRC OpenROAD.STAPostPNR Magic.StreamOut KLayout.XOR Checker.XOR " +
    "Magic.DRC KLayout.DRC Checker.MagicDRC Magic.SpiceExtraction Checker.IllegalOverlap Netgen.LVS Checker.LVS " +
    "Yosys.EQY Checker.SetupViolations Misc.ReportManufacturability";
  expect(grouped(classic)).toEqual([
    "initialization: Lint LintErrors",
    "synthesis: JsonHeader Synthesis YosysUnmappedCells STAPrePNR",
    "floorplan: Floorplan ManualMacroPlacement GeneratePDN AddRoutingObstructions",
    "placement: GlobalPlacementSkipIO IOPlacement STAMidPNR DetailedPlacement",
    "cts: CTS STAMidPNR-1",
    "routing: GlobalRouting DetailedRouting RemoveRoutingObstructions TrDRC STAPostPNR",
    "gdsii: StreamOut XOR XOR",
    "drc: DRC DRC MagicDRC",
    "lvs: SpiceExtraction IllegalOverlap LVS LVS EQY",
    "completion: SetupViolations ReportManufacturability",
  ]);
});

test("a flow of its own order keeps it, and may come back to a phase", () => {
  expect(grouped("Express.LVS Checker.LVS Express.DRC Mine.Check Express.LVS-1")).toEqual([
    "lvs: LVS LVS",
    "drc: DRC Check",
    "lvs-2: LVS-1",
  ]);
});

test.each([
  ["done done", "done"],
  ["done skipped", "done"],
  ["skipped skipped", "skipped"],
  ["done pending", "pending"],
  ["done running pending", "running"],
  ["done failed skipped", "failed"],
])("a phase whose steps are %s is %s", (states, whole) => {
  const steps = states.split(" ").map((state) => sampleStep("A.B", state as "done"));
  expect(groupState({ key: "", phase: "drc", steps })).toBe(whole);
});

test("the pieces of the time strip are all of the time; short neighbours make one", () => {
  const steps = [
    sampleStep("Verilator.Lint", "done", { seconds: 10 }),
    sampleStep("Checker.A", "done", { seconds: 0.1 }),
    sampleStep("Checker.B", "done", { seconds: 0.2 }),
    sampleStep("Yosys.Synthesis", "running", { started: "2026-11-23T12:00:00.000Z" }),
    sampleStep("OpenROAD.Floorplan", "pending"),
  ];
  const { pieces, total } = cutTime(steps, Date.parse("2026-11-23T12:00:30.000Z"));
  expect(pieces.map(({ steps: some, seconds }) => [some.length, Math.round(seconds * 10) / 10])).toEqual([
    [1, 10],
    [2, 0.3],
    [1, 30],
  ]);
  expect(pieces.reduce((sum, one) => sum + one.seconds, 0)).toBeCloseTo(total);
});

test("each step's part of the log ends where the next begins", () => {
  const build = sampleBuild();
  expect(logSections(build).map(({ id, range }) => [id, range.from, range.to])).toEqual([
    ["Verilator.Lint", 0, 120],
    ["Yosys.Synthesis", 120, null],
  ]);
  expect(sectionOf(build, "Express.Place")).toBeUndefined();
});
