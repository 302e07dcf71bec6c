import { describe, expect, test } from "vitest";
import { cleanLine, cssColour, PLAIN, parseLine, styleAfter } from "./ansi";
import { rowElement } from "./row";

const spans = (line: string) => parseLine(line, PLAIN).spans;

describe("cleanLine", () => {
  test.each([
    ["plain text", "plain text"],
    ["ends with CR\r", "ends with CR"],
    ["10 %\r20 %\r30 %", "30 %"],
    ["10 %\r20 %\r\r", "20 %"],
    ["\x1b[?25l\x1b[2Kclear\x1b[1A", "clear"],
    ["\x1b]8;id=1;file:///a/flow.py\x1b\\flow.py\x1b]8;;\x1b\\ end", "flow.py end"],
    ["\x1b]0;title\x07shown", "shown"],
    ["a\x08b\x00c\x7fd\x9b", "abcd"],
    ["tab\tstays", "tab\tstays"],
    ["\x1b(Bcharset\x1b7saved", "charsetsaved"],
    ["cut off \x1b[3", "cut off "],
    ["cut off \x1b]8;;http", "cut off "],
    ["\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"],
    ["", ""],
  ])("%j", (raw, clean) => expect(cleanLine(raw)).toBe(clean));
});

describe("parseLine", () => {
  test("cuts into spans of one style", () => {
    expect(spans("a\x1b[1;31mb\x1b[22mc\x1b[0md")).toEqual([
      { text: "a", style: {} },
      { text: "b", style: { bold: true, fg: 1 } },
      { text: "c", style: { fg: 1 } },
      { text: "d", style: {} },
    ]);
  });

  test.each([
    ["94", { fg: 12 }],
    ["42", { bg: 2 }],
    ["107", { bg: 15 }],
    ["38;5;237", { fg: 237 }],
    ["48;2;1;20;255", { bg: "#0114ff" }],
    ["38:2:1:2:3", { fg: "#010203" }],
    ["38;5;999", { fg: 255 }],
    ["38;5;1;4", { fg: 1, underline: true }],
    ["2", { dim: true }],
    ["", {}],
    ["1;0;7", { inverse: true }],
    ["31;39", {}],
    ["1000", {}],
  ])("ESC[%sm", (codes, style) => expect(spans(`\x1b[${codes}mx`)).toEqual([{ text: "x", style }]));

  test("a style lasts over lines until it is reset", () => {
    const after = styleAfter("\x1b[33mwarning", PLAIN);
    expect(parseLine("goes on\x1b[m end", after).spans.map((span) => span.style)).toEqual([{ fg: 3 }, {}]);
    expect(styleAfter("\x1b[0m", after)).toBe(PLAIN);
  });
});

test("the 256 colours are a cube and greys", () => {
  expect([16, 21, 196, 231, 232, 255].map(cssColour)).toEqual([
    "#000000",
    "#0000ff",
    "#ff0000",
    "#ffffff",
    "#080808",
    "#eeeeee",
  ]);
});

describe("rowElement", () => {
  test("text is text, whatever it looks like", () => {
    const row = rowElement({ text: "<img src=x onerror=alert(1)>\x1b[31m<b>", style: PLAIN });
    expect(row.textContent).toBe("<img src=x onerror=alert(1)><b>");
    expect(row.querySelectorAll("img, b")).toHaveLength(0);
  });

  test("rules as wide as the terminal are shortened, so that headings are in sight", () => {
    const rule = "─".repeat(190);
    const row = rowElement({ text: `\x1b[92m${rule} \x1b[0mRouting\x1b[92m ${rule}\x1b[0m`, style: PLAIN });
    expect(row.textContent).toBe("──────── Routing ────────");
  });

  test("a very long line is cut and says so", () => {
    const row = rowElement({ text: "x".repeat(1e6), style: PLAIN });
    expect(row.textContent?.length).toBeLessThan(5000);
    expect(row.textContent).toContain("raw log");
  });
});
