// 16 x 16, drawn with strokes in the text colour.
const PATHS = {
  check: "M3.5 8.5 6.5 11.5 12.5 4.5",
  cross: "M4.5 4.5 11.5 11.5M11.5 4.5 4.5 11.5",
  ring: "M8 2.5a5.5 5.5 0 1 1-5.5 5.5",
  clock: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11M8 5v3l2 1.5",
  circle: "M8 5a3 3 0 1 1 0 6a3 3 0 1 1 0-6",
  dash: "M5 8h6",
  stop: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11M4.2 4.2l7.6 7.6",
  warning: "M8 2.5 14 13H2zM8 6.5v3M8 11.2v.1",
  link: "M2.5 8h3l1.5-4 2.5 8L11 8h2.5",
  broken: "M2.5 8h3M10.5 8h3M7 5.5l2 5",
  refresh: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3",
  download: "M8 2.5v7.5M4.8 7.2 8 10.4l3.2-3.2M3 13.2h10",
  up: "M8 13V4M4.5 7.5 8 4l3.5 3.5",
  down: "M8 3v9M4.5 8.5 8 12l3.5-3.5",
  chevron: "M6 4l4 4-4 4",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9M10.3 10.3l3.2 3.2",
  wrap: "M2.5 4h11M2.5 8h9a2 2 0 1 1 0 4H8.5M10.3 10.2 8.5 12l1.8 1.8M2.5 12h3",
  copy: "M5.5 5.5h7v8h-7zM3.5 10.5v-8h7",
  hash: "M6.5 2.5 5 13.5M11 2.5 9.5 13.5M3 6h10.5M2.5 10H13",
} as const;

export type IconName = keyof typeof PATHS;

const SVG = "http://www.w3.org/2000/svg";

/** A decorative picture; the word beside it says the same. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
