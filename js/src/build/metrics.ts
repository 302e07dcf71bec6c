import { element } from "../dom";
import { formatNumber } from "../format";
import { icon } from "../icons";

/** A key figure of a finished build; `passed` for those that are checks. */
export interface Figure {
  readonly label: string;
  readonly value: string;
  readonly unit?: string;
  readonly passed?: boolean;
}

type Metrics = Readonly<Record<string, unknown>>;

function numberOf(metrics: Metrics, name: string): number | null {
  const value = metrics[name];
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function measure(label: string, value: number | null, unit = "", digits = 0): Figure[] {
  return value === null ? [] : [{ label, value: formatNumber(value, digits), unit }];
}

function check(label: string, errors: number | null): Figure[] {
  if (errors === null) return [];
  return [
    { label, value: formatNumber(errors), unit: errors === 1 ? "error" : "errors", passed: errors === 0 },
  ];
}

/** Design rule errors: of the sign-off tools, all together, or else of the router. */
function drcErrors(metrics: Metrics): number | null {
  const signOff = ["magic__drc_error__count", "klayout__drc_error__count"]
    .map((name) => numberOf(metrics, name))
    .filter((count) => count !== null);
  if (signOff.length) return signOff.reduce((sum, count) => sum + count, 0);
  return numberOf(metrics, "route__drc_errors");
}

/** Worst slack over all corners; a path that is in time has none below zero. */
function slack(label: string, nanoseconds: number | null): Figure[] {
  if (nanoseconds === null) return [];
  return [{ label, value: formatNumber(nanoseconds, 2), unit: "ns", passed: nanoseconds >= 0 }];
}

/** The figures that tell a build at a glance, in LibreLane's metrics; those that were not measured are left out. */
export function keyFigures(metrics: Metrics): Figure[] {
  const utilisation = numberOf(metrics, "design__instance__utilization");
  return [
    // Without fill, which only makes the layout whole.
    ...measure(
      "Cells",
      numberOf(metrics, "design__instance__count__stdcell") ?? numberOf(metrics, "design__instance__count"),
    ),
    ...measure("Die area", numberOf(metrics, "design__die__area"), "µm²"),
    ...measure("Core utilisation", utilisation === null ? null : utilisation * 100, "%", 1),
    ...measure("Wire length", numberOf(metrics, "route__wirelength"), "µm"),
    ...measure("Vias", numberOf(metrics, "route__vias")),
    ...slack("Worst setup slack", numberOf(metrics, "timing__setup__ws")),
    ...slack("Worst hold slack", numberOf(metrics, "timing__hold__ws")),
    ...check("DRC", drcErrors(metrics)),
    ...check("LVS", numberOf(metrics, "design__lvs_error__count")),
    ...check("Antenna", numberOf(metrics, "route__antenna_violation__count")),
  ];
}

/** What was measured in one row, and what was checked in another. */
export function figureLists(figures: readonly Figure[]): HTMLElement[] {
  const checks = figures.filter((one) => one.passed !== undefined);
  const measures = figures.filter((one) => one.passed === undefined);
  return [measures, checks].filter((some) => some.length).map(figureList);
}

function figureList(figures: readonly Figure[]): HTMLElement {
  const list = element("dl", { class: "figures" });
  for (const { label, value, unit, passed } of figures) {
    const what = element("dd", {}, element("span", { class: "value" }, value));
    if (unit) what.append(element("span", { class: "unit" }, unit));
    if (passed !== undefined) {
      const verdict = element("span", { class: "verdict", "data-passed": String(passed) });
      verdict.append(icon(passed ? "check" : "cross"), passed ? "pass" : "fail");
      what.append(verdict);
    }
    list.append(element("div", {}, element("dt", {}, label), what));
  }
  return list;
}
