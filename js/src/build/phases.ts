import type { Step } from "../transport";

/** The ten phases of a build, in a6hub's words. */
export type Phase =
  | "initialization"
  | "synthesis"
  | "floorplan"
  | "placement"
  | "cts"
  | "routing"
  | "gdsii"
  | "drc"
  | "lvs"
  | "completion";

export const PHASE_NAMES: Readonly<Record<Phase, string>> = {
  initialization: "Initialization",
  synthesis: "Synthesis",
  floorplan: "Floorplan",
  placement: "Placement",
  cts: "Clock tree",
  routing: "Routing",
  gdsii: "GDSII",
  drc: "Design rules",
  lvs: "Layout vs. netlist",
  completion: "Completion",
};

// Steps that open a phase. All others (checks, repairs, reports, those of plugins) belong to the work they follow.
const OPENERS: readonly (readonly [Phase, RegExp])[] = [
  ["synthesis", /^(?:Yosys|GHDL)\.(?!EQY|.*Lint)/i],
  ["floorplan", /\.Floorplan$/],
  ["placement", /\.(?:Global|IO|Detailed|)Placement(?:SkipIO)?$/],
  ["cts", /\.(?:CTS|ClockTree)$/],
  ["routing", /\.(?:Global|Detailed|)Routing$|\.PowerGrid$/],
  ["gdsii", /\.(?:StreamOut|Render|WriteLEF|XOR)$/],
  ["drc", /\.(?!Tr)\w*DRC$/],
  ["lvs", /\.(?:LVS|SpiceExtraction)$/],
  ["completion", /^Checker\.(?:Setup|Hold|MaxSlew|MaxCap)Violations$|^Misc\./],
];

/** Consecutive steps of one phase. `key` is unique in its build: a flow may come back to a phase. */
export interface PhaseGroup {
  readonly key: string;
  readonly phase: Phase;
  readonly steps: readonly Step[];
}

/** Whether a step only judges what another has done. */
export function isChecker(step: Step): boolean {
  return step.id.startsWith("Checker.");
}

/** Cuts a flow's steps, in their order, into phases. LibreLane numbers repeated steps: `OpenROAD.STAMidPNR-1`. */
export function groupSteps(steps: readonly Step[]): PhaseGroup[] {
  const groups: { key: string; phase: Phase; steps: Step[] }[] = [];
  let phase: Phase = "initialization";
  for (const step of steps) {
    const id = step.id.replace(/-\d+$/, "");
    phase = OPENERS.find(([, pattern]) => pattern.test(id))?.[0] ?? phase;
    const last = groups.at(-1);
    if (last?.phase === phase) last.steps.push(step);
    else {
      const before = groups.filter((group) => group.phase === phase).length;
      groups.push({ key: before ? `${phase}-${before + 1}` : phase, phase, steps: [step] });
    }
  }
  return groups;
}

/** What there is to say of a group as a whole, while or after its build ran. */
export function groupState({ steps }: PhaseGroup): Step["state"] {
  const has = (state: Step["state"]) => steps.some((step) => step.state === state);
  if (has("failed")) return "failed";
  if (has("running")) return "running";
  if (has("stopped")) return "stopped";
  if (!has("pending")) return has("done") ? "done" : "skipped";
  return "pending";
}
