// LibreLane logs through Rich, which fills each line up to the terminal's width and puts the place in LibreLane's own
// code at its right end. In a panel that is narrower, both are in the way of what was said.

const ESC = "\x1b";
const COLOUR = `${ESC}\\[[\\d;:]*m`;
const PADDING = new RegExp(`(?: |${COLOUR})+$`);
const PLACE = new RegExp(
  `(?: +(?:${COLOUR})*)+[\\w.-]+\\.py(?:${COLOUR})*:(?:${COLOUR})*\\d+(?: |${COLOUR})*$`,
);
const LEVELS = "DEBUG|INFO|VERBOSE|SUBPROCESS|WARNING|ERROR|CRITICAL";
const RECORD = new RegExp(
  `^(?:${COLOUR})*(?:\\[\\d\\d:\\d\\d:\\d\\d\\]| {10})(?:${COLOUR}| )+(?:${LEVELS}) `,
);
const COLOURS = new RegExp(COLOUR, "g");
const RESET = new RegExp(`${ESC}\\[0?m$`);

/** What is left of the colour sequences of a part that goes: the style after the line must stay what it is. */
function coloursOf(part: string): string {
  const all = part.match(COLOURS);
  if (!all) return "";
  return RESET.test(all.at(-1) ?? "") ? "\x1b[0m" : all.join("");
}

function cut(line: string, at: number): string {
  return line.slice(0, at) + coloursOf(line.slice(at));
}

/** A clean line without Rich's right-hand `file.py:123` and without the padding before it or at its end. */
export function trimColumn(line: string): string {
  const last = line.charCodeAt(line.length - 1);
  const padded = last === 0x20 || last === 0x6d; // a space, or the m of a colour
  const digit = last >= 0x30 && last <= 0x39;
  if (!padded && !digit) return line;
  if (line.slice(-90).includes(".py")) {
    // Two spaces apart it is a column; one space apart only in a line that is Rich's for sure.
    const place = PLACE.exec(line);
    if (place && place.index > 0 && (/^ {2}/.test(place[0]) || RECORD.test(line)))
      return cut(line, place.index);
  }
  if (!padded) return line;
  const padding = PADDING.exec(line);
  return padding?.[0].includes(" ") ? cut(line, padding.index) : line;
}
