import { element } from "../dom";
import { formatBytes } from "../format";
import { icon } from "../icons";
import type { Artifact } from "../transport";

const SHOWN_FIRST = 8;

// In the order in which they are shown: what one takes home comes first.
const KINDS: readonly (readonly [string, RegExp])[] = [
  ["GDS", /\.gds(\.gz)?$/i],
  ["OASIS", /\.oas$/i],
  ["DEF", /\.def$/i],
  ["LEF", /\.lef$/i],
  ["Netlist", /\.(nl|pnl|netlist)?\.?v$/i],
  ["SPICE", /\.(spice|cir|sp)$/i],
  ["Timing", /\.(sdf|lib|spef|sdc)$/i],
  ["Metrics", /(^|\/)metrics\.(json|csv)$/i],
];

// What one wants to read, in that order. Of several the last counts: a flow measures again as it goes.
const REPORTS: readonly (readonly [string, RegExp])[] = [
  ["Manufacturability", /manufacturability\.rpt$/i],
  ["Timing", /postpnr\/summary\.rpt$/i],
  ["Timing paths", /postpnr\/[^/]*(?:typ|_tt_)[^/]*\/(?:max|checks)\.rpt$/i],
  ["Timing estimate", /timingestimate\/summary\.rpt$/i],
  ["Timing estimate, paths", /timingestimate\/[^/]*(?:typ|_tt_)[^/]*\/(?:max|min|checks)\.rpt$/i],
  ["Power", /postpnr\/[^/]*(?:typ|_tt_)[^/]*\/power\.rpt$/i],
  ["Area", /synthesis\/(?:reports\/)?(?:\w+\.)?stat\.rpt$/i],
  ["Design rules", /drc[^/]*\.(?:rpt|lyrdb)$/i],
  ["LVS", /lvs[^/]*\.rpt$/i],
  ["Antennas", /antenna_summary\.rpt$/i],
  ["Errors", /(^|\/)error\.log$/],
  ["Warnings", /(^|\/)warning\.log$/],
];

const TEXT =
  /\.(?:rpt|log|txt|md|csv|json|ya?ml|tcl|cfg|xml|lyrdb|lvsdb|drc|v|sv|vh|def|lef|sdc|sdf|lib|spef|spice|cir|sp|lvs|ys|lyp)$|(?:^|\/)COMMANDS$/i;

/** Whether a file is text that can be shown. */
export function isReadable({ path }: Artifact): boolean {
  return TEXT.test(path);
}

function kindOf(path: string): number {
  const at = KINDS.findIndex(([, pattern]) => pattern.test(path));
  return at < 0 ? KINDS.length : at;
}

// The same layout as other tools wrote it, for their comparison: one is enough to take home.
const TWINS = /(^|\/)final\/(?:klayout_gds|mag_gds)\//;

/** The few files worth taking home, best first: of what the flow calls final, if there is such a place. */
export function rankArtifacts(artifacts: readonly Artifact[]): Artifact[] {
  const final = artifacts.filter((one) => /(^|\/)final\//.test(one.path));
  const pool = final.length ? final : artifacts;
  return pool
    .filter((one) => kindOf(one.path) < KINDS.length && !TWINS.test(one.path))
    .sort((a, b) => kindOf(a.path) - kindOf(b.path) || a.path.localeCompare(b.path))
    .slice(0, SHOWN_FIRST);
}

/** The reports that a build has, with what they are about. */
export function findReports(artifacts: readonly Artifact[]): { name: string; artifact: Artifact }[] {
  const sorted = [...artifacts].sort((a, b) => a.path.localeCompare(b.path));
  return REPORTS.flatMap(([name, pattern]) => {
    const artifact = sorted.findLast((one) => one.size > 0 && pattern.test(one.path));
    return artifact ? [{ name, artifact }] : [];
  });
}

export interface FileActions {
  urlOf(path: string): string;
  open(artifact: Artifact): void;
}

/** A file: a link that downloads it, and where it is text a button that shows it. */
export function fileEntry(
  artifact: Artifact,
  kind: string | null,
  { urlOf, open }: FileActions,
): HTMLElement {
  const name = artifact.path.slice(artifact.path.lastIndexOf("/") + 1);
  const link = element(
    "a",
    { href: urlOf(artifact.path), download: name, title: `Download ${artifact.path}` },
    icon("download"),
    kind && element("span", { class: "kind" }, kind),
    element("span", { class: "name" }, name),
    element("span", { class: "size" }, formatBytes(artifact.size)),
  );
  const entry = element("li", {}, link);
  if (isReadable(artifact)) {
    const show = element(
      "button",
      { type: "button", class: "quiet show-file", "aria-label": `View ${name}` },
      "View",
    );
    show.addEventListener("click", () => open(artifact));
    entry.append(show);
  } else entry.append(element("span", { class: "quiet show-file absent", "aria-hidden": "true" }, "View"));
  return entry;
}

/** Download links for the best of a build's files. */
export function fileList(best: readonly Artifact[], actions: FileActions): HTMLElement {
  const entries = best.map((one) => fileEntry(one, KINDS[kindOf(one.path)]?.[0] ?? "File", actions));
  return element("ul", {}, ...entries);
}
