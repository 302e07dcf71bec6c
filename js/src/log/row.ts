import { element } from "../dom";
import { type Colour, cssColour, parseLine, type Style } from "./ansi";
import type { Matcher } from "./matcher";
import type { LogLine } from "./store";

/** A longer line would make the browser lay out text that nobody reads; the raw log has it. */
export const LONGEST = 4000; // characters

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

/** A style's part of the text, cut again where matches begin and end. */
function appendText(row: HTMLElement, text: string, style: Style, marked: boolean): void {
  const plain = Object.keys(style).length === 0;
  if (plain && !marked) {
    row.append(text);
    return;
  }
  const span = element(marked ? "mark" : "span", {}, text);
  paint(span, style);
  row.append(span);
}

/** Where in a text the matches lie, as from, to, from, to. */
function matchEdges(text: string, matcher: Matcher | null): number[] {
  const edges: number[] = [];
  if (!matcher) return edges;
  const all = new RegExp(matcher.single, `g${matcher.single.flags}`);
  for (const { index, 0: hit } of text.matchAll(all)) if (hit) edges.push(index, index + hit.length);
  return edges;
}

/** One line of the console as an element, with what a search looks for marked. */
export function rowElement(line: LogLine, matcher: Matcher | null = null): HTMLElement {
  const row = element("div", { class: "row" });
  const { spans } = parseLine(line.text, line.style);
  const text = spans.map((span) => span.text).join("");
  const edges = matchEdges(text.slice(0, LONGEST), matcher);
  let at = 0;
  for (const span of spans) {
    const end = Math.min(LONGEST, at + span.text.length);
    while (at < end) {
      const passed = edges.findIndex((edge) => edge > at);
      const next = Math.min(end, edges[passed] ?? end);
      const part = text.slice(at, next);
      appendText(row, edges.length ? part : part.replace(RULE, SHORT_RULE), span.style, passed % 2 === 1);
      at = next;
    }
  }
  if (text.length > LONGEST)
    row.append(element("span", { class: "dim" }, " … the raw log has the rest of this line"));
  // A row without text is still a line to copy.
  if (!text) row.append("\u200b");
  return row;
}
