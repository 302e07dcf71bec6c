import { element } from "../dom";
import { formatBytes, formatNumber } from "../format";
import { icon } from "../icons";
import type { Artifact } from "../transport";

const SHOWN_FIRST = 10;

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
  ["Report", /\.(rpt|lyrdb|lvsdb|drc|xml)$/i],
];

function kindOf(path: string): number {
  const at = KINDS.findIndex(([, pattern]) => pattern.test(path));
  return at < 0 ? KINDS.length : at;
}

/** The few files worth taking home, best first: of what the flow calls final, if there is such a place. */
export function rankArtifacts(artifacts: readonly Artifact[]): Artifact[] {
  const final = artifacts.filter((one) => /(^|\/)final\//.test(one.path));
  const pool = final.length ? final : artifacts;
  return pool
    .filter((one) => kindOf(one.path) < KINDS.length)
    .sort((a, b) => kindOf(a.path) - kindOf(b.path) || a.path.localeCompare(b.path))
    .slice(0, SHOWN_FIRST);
}

function entry(artifact: Artifact, url: string): HTMLElement {
  const name = artifact.path.slice(artifact.path.lastIndexOf("/") + 1);
  const kind = KINDS[kindOf(artifact.path)]?.[0] ?? "File";
  return element(
    "li",
    {},
    element(
      "a",
      { href: url, download: name, title: `Download ${artifact.path}` },
      icon("download"),
      element("span", { class: "kind" }, kind),
      element("span", { class: "name" }, name),
      element("span", { class: "size" }, formatBytes(artifact.size)),
    ),
  );
}

/** Download links for a build's files: the `best` of them (see rankArtifacts), and the others on request. */
export function artifactList(
  artifacts: readonly Artifact[],
  best: readonly Artifact[],
  urlOf: (path: string) => string,
): HTMLElement {
  const linked = (some: readonly Artifact[]) => some.map((one) => entry(one, urlOf(one.path)));
  const section = element(
    "div",
    { class: "artifacts", role: "group", "aria-label": "Files" },
    best.length > 0 && element("h3", {}, "Files"),
    best.length > 0 && element("ul", {}, ...linked(best)),
  );
  const others = artifacts.filter((one) => !best.includes(one));
  if (others.length) {
    const noun = `${best.length ? "more " : ""}${others.length === 1 ? "file" : "files"}`;
    const list = element("ul");
    const more = element(
      "details",
      {},
      element("summary", {}, `${formatNumber(others.length)} ${noun}`),
      list,
    );
    // Hundreds of links are made only for the reader who asks for them.
    more.addEventListener("toggle", () => list.append(...linked(others)), { once: true });
    section.append(more);
  }
  return section;
}
