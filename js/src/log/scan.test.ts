import { describe, expect, test } from "vitest";
import { plainText } from "./ansi";
import { trimColumn } from "./column";
import { ShownLines } from "./lines";
import { levelMatcher, textMatcher } from "./matcher";
import { readReference, writeReference } from "./reference";
import { LineScan } from "./scan";
import { LogStore } from "./store";

const plain = { regex: false, matchCase: false };

function storeOf(text: string, from = 0): LogStore {
  const store = new LogStore();
  store.append(text, from, from + new TextEncoder().encode(text).length);
  return store;
}

function found(store: LogStore, text: string, options = plain): number[] {
  const scan = new LineScan(store, textMatcher(text, options));
  while (!scan.advance(10));
  return scan.lines;
}

describe("a search", () => {
  const store = storeOf("Alpha\nbeta \x1b[31mal\x1b[1mpha\x1b[0m\na.b (x)\n\nALPHA last");

  test("goes through colours and the unfinished last line, once a line", () => {
    expect(found(store, "alpha")).toEqual([0, 1, 4]);
    expect(found(storeOf("x x x\nx\n"), "x")).toEqual([0, 1]);
  });

  test("minds the case if asked", () =>
    expect(found(store, "ALPHA", { regex: false, matchCase: true })).toEqual([4]));

  test("takes signs as they are, or as a regular expression", () => {
    expect(found(store, "a.b (")).toEqual([2]);
    expect(found(store, "^a.*x", { regex: true, matchCase: false })).toEqual([2]);
    expect(() => found(store, "(", { regex: true, matchCase: false })).toThrow(SyntaxError);
  });

  test("no match goes over the end of its line", () => {
    const regex = { regex: true, matchCase: true };
    expect(found(storeOf("ab\ncd\ne\n"), "b\\s+c", regex)).toEqual([]);
    expect(found(storeOf("a\nab\nb\n"), "a[^]*b", regex)).toEqual([1]);
    expect(found(storeOf("x\n\ny\n"), "^$", regex)).toEqual([1]);
  });

  test("takes in lines that come later, at either end, and those that change", () => {
    const growing = storeOf("cut\nhit 1\nhi", 1000);
    const scan = new LineScan(growing, textMatcher("hit", plain));
    scan.advance(10);
    const [one] = scan.lines;
    expect(scan.lines).toHaveLength(1);
    growing.append("t 2\nmiss\n", 1012, 1021);
    scan.advance(10);
    expect(scan.lines).toEqual([one, (one ?? 0) + 1]);
    growing.prepend(new TextEncoder().encode("hit 0\nmiss\ncut\n"), 0);
    scan.advance(10);
    expect(scan.lines.map((number) => growing.plain(number))).toEqual(["hit 0", "hit 1", "hit 2"]);
  });
});

describe("levels", () => {
  const error = levelMatcher("error").single;
  const warning = levelMatcher("warning").single;
  test.each([
    "[01:45:58] ERROR    Failed to lint.",
    "           ERROR    more",
    "%Error: counter.v:3:5: syntax error",
    "[ERROR GPL-0301] Utilization 120 %",
    "ERROR: Found 3 problems",
    "counter.v:3: error: expected ';'",
    "Traceback (most recent call last):",
  ])("an error: %s", (line) => expect([error.test(line), warning.test(line)]).toEqual([true, true]));
  test.each([
    "[01:46:02] WARNING  Overriding",
    "[WARNING DRT-0349] LEF58",
    "%Warning-WIDTH: a.v",
    "Warning: no",
  ])("a warning: %s", (line) => expect([error.test(line), warning.test(line)]).toEqual([false, true]));
  test.each(["Found 0 errors.", "no error", "DRC violations: 0, warnings: 0", "Checker.LintErrors"])(
    "neither: %s",
    (line) => expect([error.test(line), warning.test(line)]).toEqual([false, false]),
  );
});

test("a filter leaves the lines of one level and of one step", () => {
  const store = storeOf("a\nWARNING one\nERROR two\nb\nERROR three\n");
  const lines = new ShownLines(store);
  const shown = () => {
    lines.refresh(10);
    return Array.from({ length: lines.count }, (_, index) => store.plain(lines.number(index)));
  };
  expect(shown()).toHaveLength(5);
  lines.setFilter({ level: "warning", range: null });
  expect(shown()).toEqual(["WARNING one", "ERROR two", "ERROR three"]);
  lines.setFilter({ level: "error", range: { from: store.offset(3), to: null } });
  expect(shown()).toEqual(["ERROR three"]);
  expect([lines.has(4), lines.has(2), lines.index(3)]).toEqual([true, false, 0]);
  lines.setFilter({ level: "all", range: { from: store.offset(1), to: store.offset(3) } });
  expect(shown()).toEqual(["WARNING one", "ERROR two"]);
});

describe("Rich's right-hand column", () => {
  const tail = "\x1b[2mflow.py\x1b[0m\x1b[2m:\x1b[0m\x1b[2m654\x1b[0m";
  test.each([
    [`\x1b[34mINFO\x1b[0m Starting…      ${tail}`, "INFO Starting…"],
    [
      `[01:45:58] ERROR    so long that it fills the line ${tail}`,
      "[01:45:58] ERROR    so long that it fills the line",
    ],
    ["padded to the right      ", "padded to the right"],
    ["coloured \x1b[31mto the end   \x1b[0m  ", "coloured to the end"],
    ["    alone.py:12", "    alone.py:12"],
    ["see counter.py:12", "see counter.py:12"],
    ["      ", ""],
  ])("%j", (line, shown) => expect(plainText(trimColumn(line))).toBe(shown));

  test("the style after the line stays what it was", () => {
    const store = storeOf(`\x1b[33mwarns     ${tail}\nplain\n\x1b[33mpadded   \nyellow\n`);
    expect([1, 3].map((number) => store.line(number).style)).toEqual([{}, { fg: 3 }]);
  });
});

test("a reference to a line is read back, and only for its own build", () => {
  const text = writeReference("20261123-counter-a1", { unit: "line", value: 123 });
  expect(text).toBe("#a6hub-20261123-counter-a1-L123");
  expect(readReference(text, "20261123-counter-a1")).toEqual({ unit: "line", value: 123 });
  expect(readReference("#a6hub-b1-B77", "b1")).toEqual({ unit: "byte", value: 77 });
  for (const wrong of ["", "#a6hub-b2-L1", "#a6hub-b1-L", "#a6hub-b1-L1x", "#L1"])
    expect(readReference(wrong, "b1")).toBeNull();
});

test("lines are counted from the console's first once that is held", () => {
  const store = storeOf("cut\nthree\nfour\n", 8);
  expect(store.ordinal(store.first)).toBeNull();
  store.prepend(new TextEncoder().encode("one\ntwo\ncut\n"), 0);
  expect(store.ordinal(store.first)).toBe(1);
  expect(store.plain(store.fromOrdinal(4) ?? -1)).toBe("three");
  expect(store.fromOrdinal(9)).toBeNull();
});
