// A place in a build's log in words that can be mailed: `#a6hub-<build id>-L123` names a line. While what comes before
// the lines is not loaded their count is not known; then `-B4567` names the line at a byte of the console.

export interface LineReference {
  readonly unit: "line" | "byte";
  readonly value: number;
}

export function writeReference(buildId: string, { unit, value }: LineReference): string {
  return `#a6hub-${buildId}-${unit === "line" ? "L" : "B"}${value}`;
}

/** What a reference names of this build; null if it is none, or one to another build. */
export function readReference(text: string, buildId: string): LineReference | null {
  const begin = `#a6hub-${buildId}-`;
  const match = text.startsWith(begin) ? /^([LB])(\d{1,12})$/.exec(text.slice(begin.length)) : null;
  return match ? { unit: match[1] === "L" ? "line" : "byte", value: Number(match[2]) } : null;
}
