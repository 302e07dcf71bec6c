/** Finds lines. `regex` goes through many at once; `single` says whether one line matches. */
export interface Matcher {
  readonly regex: RegExp;
  readonly single: RegExp;
}

export type Level = "all" | "warning" | "error";

function matcherOf(source: string, flags: string): Matcher {
  return { regex: new RegExp(source, `gm${flags}`), single: new RegExp(source, flags) };
}

/** A matcher for what a reader typed; throws a SyntaxError for a regular expression that is none. */
export function textMatcher(text: string, options: { regex: boolean; matchCase: boolean }): Matcher {
  const source = options.regex ? text : text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  return matcherOf(source, options.matchCase ? "" : "i");
}

// As LibreLane's logger, Verilator, OpenROAD, Yosys, KLayout and compilers mark them; "0 errors" is none.
const STAMP = "^(?:\\[\\d\\d:\\d\\d:\\d\\d\\] *| {10,12})?";
const ERRORS = `${STAMP}(?:ERROR|CRITICAL|FATAL)\\b|^%Error|\\[ERROR\\b|^(?:[Ee]rror|Fatal)(?:: |\\b.*: )|: (?:fatal )?error: |^Traceback \\(`;
const WARNINGS = `${STAMP}WARNING\\b|^%Warning|\\[(?:WARNING|WARN)\\b|^[Ww]arning: |: warning: `;

/** A matcher for lines that tell of an error, or of a warning or an error. */
export function levelMatcher(level: Exclude<Level, "all">): Matcher {
  return matcherOf(level === "error" ? ERRORS : `${ERRORS}|${WARNINGS}`, "");
}
