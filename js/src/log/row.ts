import { element } from "../dom";
import { type Colour, cssColour, parseLine, type Style } from "./ansi";
import type { LogLine } from "./store";

/** A longer line would make the browser lay out text that nobody reads; the raw log has it. */
const LONGEST = 4000; // characters

// Headings are centred between rules as wide as the terminal, which is wider than any panel.
const RULE = /\u2500{9,}/g;
const SHORT_RULE = "\u2500".repeat(8);

const SWITCHES = ["bold", "dim", "italic", "underline"] as const;

function paint(node: HTMLElement, { fg, bg, inverse, ...switches }: Style): void {
  for (const name of SWITCHES) if (switches[name]) node.classList.add(name);
  const colours: [string, Colour | undefined][] = inverse
    ? [
        ["fg", bg],
        ["bg", fg],
      ]
    : [
        ["fg", fg],
        ["bg", bg],
      ];
  if (inverse) node.classList.add("inverse");
  for (const [name, colour] of colours) {
    if (colour === undefined) continue;
    node.classList.add(name);
    node.style.setProperty(`--${name}-ansi`, cssColour(colour));
  }
}

/** One line of the console as an element. */
export function rowElement(line: LogLine): HTMLElement {
  const row = element("div", { class: "row" });
  const cut = line.text.length > LONGEST;
  const { spans } = parseLine(cut ? line.text.slice(0, LONGEST) : line.text, line.style);
  for (const { text: raw, style } of spans) {
    const text = raw.replace(RULE, SHORT_RULE);
    if (Object.keys(style).length === 0) row.append(text);
    else {
      const span = element("span", {}, text);
      paint(span, style);
      row.append(span);
    }
  }
  if (cut) row.append(element("span", { class: "dim" }, " … the raw log has the rest of this line"));
  // A row without text is still a line to copy.
  if (!line.text) row.append("\u200b");
  return row;
}
