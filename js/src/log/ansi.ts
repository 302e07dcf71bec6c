/** A colour: one of the terminal's 256, or `#rrggbb`. */
export type Colour = number | string;

/** How text looks; absent means plain. Immutable, so that lines may share one. */
export interface Style {
  readonly fg?: Colour;
  readonly bg?: Colour;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
  readonly inverse?: boolean;
}

export interface Span {
  readonly text: string;
  readonly style: Style;
}

export const PLAIN: Style = Object.freeze({});

const ESC = "\x1b";
const BEL = "\x07";
const COLOUR_SEQUENCE = new RegExp(`${ESC}\\[[\\d;:]*m`, "g");
// Most lines hold neither escapes nor controls; the browser's own search tells so much sooner than a loop of ours.
const UNCLEAN = /\p{Cc}/u;

/** Index after the escape sequence at `at` (ECMA-48); one that is cut off goes to the end of the text. */
function escapeEnd(text: string, at: number): number {
  const kind = text[at + 1];
  if (kind === "[") {
    for (let i = at + 2; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x40 && code <= 0x7e) return i + 1;
    }
    return text.length;
  }
  if (kind === "]" || kind === "P" || kind === "X" || kind === "^" || kind === "_") {
    // A string up to BEL or ESC \ : titles and the links of OSC 8.
    for (let i = at + 2; i < text.length; i++) {
      if (text[i] === BEL) return i + 1;
      if (text[i] === ESC) return text[i + 1] === "\\" ? i + 2 : i;
    }
    return text.length;
  }
  let end = at + 1;
  while (end < text.length && text.charCodeAt(end) >= 0x20 && text.charCodeAt(end) <= 0x2f) end++;
  return Math.min(end + 1, text.length);
}

function isColourSequence(text: string, at: number, end: number): boolean {
  return text[at + 1] === "[" && text[end - 1] === "m" && end - at >= 3;
}

/** Whether a character moves nothing and shows nothing here: controls other than tab and ESC. */
function isControl(code: number): boolean {
  return (code < 0x20 && code !== 0x09 && code !== 0x1b) || (code >= 0x7f && code < 0xa0);
}

/** A terminal's line shows what was written after the last carriage return. */
function lastOverwrite(line: string): string {
  let end = line.length;
  while (end > 0 && line[end - 1] === "\r") end--;
  const start = end > 0 ? line.lastIndexOf("\r", end - 1) + 1 : 0;
  return line.slice(start, end);
}

/** A clean line as it reads: without its colours. */
export function plainText(line: string): string {
  return line.includes(ESC) ? line.replace(COLOUR_SEQUENCE, "") : line;
}

/** A raw console line as text with colour sequences only: no other escapes, controls or overwritten text. */
export function cleanLine(raw: string): string {
  const line = lastOverwrite(raw);
  if (!UNCLEAN.test(line)) return line;
  let kept = "";
  let from = 0;
  for (let i = 0; i < line.length; ) {
    const code = line.charCodeAt(i);
    const isEscape = code === 0x1b;
    if (!isEscape && !isControl(code)) {
      i++;
      continue;
    }
    const end = isEscape ? escapeEnd(line, i) : i + 1;
    if (!isEscape || !isColourSequence(line, i, end)) {
      kept += line.slice(from, i);
      from = end;
    }
    i = end;
  }
  return from === 0 ? line : kept + line.slice(from);
}

function byteHex(value: number): string {
  return Math.min(255, Math.max(0, value)).toString(16).padStart(2, "0");
}

/** Reads the colour that follows a 38 or 48: `5;n` or `2;r;g;b`. Gives it and how many numbers it took. */
function extendedColour(codes: readonly number[], at: number): [Colour | undefined, number] {
  if (codes[at] === 5) return [Math.min(255, codes[at + 1] ?? 0), 2];
  if (codes[at] === 2) {
    const [r = 0, g = 0, b = 0] = codes.slice(at + 1, at + 4);
    return [`#${byteHex(r)}${byteHex(g)}${byteHex(b)}`, 4];
  }
  return [undefined, 1];
}

type Draft = { -readonly [Key in keyof Style]: Style[Key] };

const SWITCHES: Readonly<Record<number, Style>> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
};

const RESETS: Readonly<Record<number, readonly (keyof Style)[]>> = {
  22: ["bold", "dim"],
  23: ["italic"],
  24: ["underline"],
  27: ["inverse"],
  39: ["fg"],
  49: ["bg"],
};

function paint(draft: Draft, code: number): void {
  if (code >= 30 && code <= 37) draft.fg = code - 30;
  else if (code >= 90 && code <= 97) draft.fg = code - 90 + 8;
  else if (code >= 40 && code <= 47) draft.bg = code - 40;
  else if (code >= 100 && code <= 107) draft.bg = code - 100 + 8;
  else if (SWITCHES[code]) Object.assign(draft, SWITCHES[code]);
  else for (const key of RESETS[code] ?? []) delete draft[key];
}

/** The style after a colour sequence's parameters, such as `1;31` or `38;2;255;0;0`. */
function restyle(style: Style, parameters: string): Style {
  const codes = parameters.split(/[;:]/).map((part) => Number.parseInt(part, 10) || 0);
  let draft: Draft = { ...style };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0;
    if (code === 0) draft = {};
    else if (code === 38 || code === 48) {
      const [colour, taken] = extendedColour(codes, i + 1);
      if (colour !== undefined) draft[code === 38 ? "fg" : "bg"] = colour;
      i += taken;
    } else paint(draft, code);
  }
  return Object.keys(draft).length ? draft : PLAIN;
}

/** The style in force after a clean line that began in `style`. */
export function styleAfter(line: string, style: Style): Style {
  return line.includes(ESC) ? parseLine(line, style).style : style;
}

/** Cuts a clean line into spans of one style each. */
export function parseLine(line: string, begin: Style): { spans: Span[]; style: Style } {
  const spans: Span[] = [];
  let style = begin;
  let from = 0;
  while (from <= line.length) {
    const at = line.indexOf(ESC, from);
    const text = line.slice(from, at < 0 ? undefined : at);
    if (text) spans.push({ text, style });
    if (at < 0) break;
    from = escapeEnd(line, at);
    if (isColourSequence(line, at, from)) style = restyle(style, line.slice(at + 2, from - 1));
  }
  return { spans, style };
}

// Colours that stay apart on light and on dark ground; the style sheet mixes them with the text colour.
const BASIC = [
  ["#4a4f5c", "#d64541", "#1f9d55", "#b98900", "#2f7de1", "#b552b5", "#159aa0", "#9aa0a6"],
  ["#7a808c", "#ef5f5b", "#2fb86d", "#d9a400", "#5a9cf0", "#d072d0", "#2fb8be", "#c8ccd0"],
].flat();

/** CSS colour of one of the 256 terminal colours: 16 basic, a 6x6x6 cube, 24 greys. */
export function cssColour(colour: Colour): string {
  if (typeof colour === "string") return colour;
  const basic = BASIC[colour];
  if (basic) return basic;
  if (colour >= 232) return `#${byteHex(8 + (colour - 232) * 10).repeat(3)}`;
  const level = (step: number) => byteHex(step === 0 ? 0 : 55 + step * 40);
  const cube = colour - 16;
  return `#${level(Math.floor(cube / 36))}${level(Math.floor(cube / 6) % 6)}${level(cube % 6)}`;
}
