import { element } from "../dom";

// 16 x 16, drawn with strokes in the text colour.
const PATHS = {
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10M6 6h4v4H6z",
  ruler: "M2 10.5 10.5 2 14 5.5 5.5 14zM4.5 8l1.5 1.5M7 5.5 9 7.5M9.5 3l1.5 1.5",
  layers: "M8 2.5 14 6 8 9.5 2 6zM2.5 9 8 12.5 13.5 9",
  cells: "M2.5 2.5h4v4h-4zM9.5 9.5h4v4h-4zM4.5 6.5v5h5",
  nets: "M2 4.5h5v7h7M2 3v3M14 10v3M7 8h5V4.5M10.5 3h3",
  markers: "M8 14s4.5-4.2 4.5-7.5a4.5 4.5 0 1 0-9 0C3.5 9.8 8 14 8 14zM8 5v2.5M8 9.2v.1",
  settings:
    "M2.5 4.5h5M11.5 4.5h2M7.5 4.5a2 2 0 1 0 4 0a2 2 0 1 0-4 0M2.5 11.5h2M8.5 11.5h5M4.5 11.5a2 2 0 1 0 4 0a2 2 0 1 0-4 0",
  beside: "M2.5 3.5h4.5v9H2.5zM9 3.5h4.5v9H9z",
  close: "M4 4l8 8M12 4l-8 8",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM6.2 8a1.8 1.8 0 1 0 3.6 0a1.8 1.8 0 1 0-3.6 0",
  next: "M6 3.5 10.5 8 6 12.5",
  previous: "M10 3.5 5.5 8 10 12.5",
} as const;

export type SignName = keyof typeof PATHS;

const SVG = "http://www.w3.org/2000/svg";

/** A decorative picture for a button, which has a name of its own. */
export function sign(name: SignName): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** A button that shows a sign (a picture by name, or text) and has a name. */
export function button(shown: SignName | { text: string }, name: string, act: () => void): HTMLButtonElement {
  const content = typeof shown === "string" ? sign(shown) : shown.text;
  const made = element(
    "button",
    { type: "button", class: "button", title: name, "aria-label": name },
    content,
  );
  made.addEventListener("click", act);
  return made;
}
