import { describe, expect, test } from "vitest";
import { LogStore } from "./store";

const encode = (text: string) => new TextEncoder().encode(text);

function texts(store: LogStore): string[] {
  return Array.from({ length: store.count }, (_, index) => store.line(store.first + index).text);
}

/** Feeds a console in pieces of `size` characters, with their byte offsets. */
function feed(store: LogStore, text: string, size: number, begin = 0): void {
  let offset = begin;
  for (let at = 0; at < text.length; at += size) {
    const piece = text.slice(at, at + size);
    const end = offset + encode(piece).length;
    store.append(piece, offset, end);
    offset = end;
  }
}

describe("append", () => {
  const text =
    "one\r\n\x1b[31mtwo\x1b[0m \u00b5m\u00b2\r\n10 %\r20 %\r\n\r\n\x1b]8;;file:///x\x1b\\link\x1b]8;;\x1b\\\nlast";
  const lines = ["one", "\x1b[31mtwo\x1b[0m µm²", "20 %", "", "link", "last"];

  test.each([1, 2, 3, 7, 1000])("pieces of %i characters, inside lines and escapes", (size) => {
    const store = new LogStore();
    feed(store, text, size);
    expect(texts(store)).toEqual(lines);
  });

  test("each line knows its byte, so that steps can be found", () => {
    const whole = new LogStore();
    const split = new LogStore();
    feed(whole, text, 1000);
    feed(split, text, 3);
    const byteOf = (part: string) => encode(text.slice(0, text.indexOf(part))).length;
    for (const store of [whole, split]) {
      expect(store.lineAt(0)).toBe(0);
      expect(store.lineAt(byteOf("10 %"))).toBe(2);
      expect(store.lineAt(byteOf("10 %") - 1)).toBe(1);
      expect(store.lineAt(byteOf("\x1b]8"))).toBe(4);
    }
  });

  test("a progress bar that never ends its line takes no room", () => {
    const store = new LogStore();
    for (let at = 0; at < 10_000; at++) store.append(`step ${at}\r`, at * 10, at * 10 + 10);
    expect(texts(store)).toEqual(["step 9999"]);
    store.append("\r\ndone", 1e6, 1e6 + 6);
    expect(texts(store)).toEqual(["step 9999", "done"]);
  });

  test("colours go on over lines", () => {
    const store = new LogStore();
    feed(store, "\x1b[33mwarning\nmore\x1b[0m\nplain\n", 5);
    expect([0, 1, 2].map((number) => store.line(number).style)).toEqual([{}, { fg: 3 }, {}]);
  });
});

test("100 000 lines go in quickly and any of them is at hand", () => {
  const store = new LogStore();
  const text = Array.from({ length: 100_000 }, (_, index) => `\x1b[36m[INFO]\x1b[0m line ${index}\r\n`).join(
    "",
  );
  const begin = performance.now();
  feed(store, text, 50_000);
  expect(performance.now() - begin).toBeLessThan(1500);
  expect(store.count).toBe(100_000);
  expect(store.line(98_765).text).toContain("line 98765");
  expect(store.lineAt(encode(text.slice(0, text.indexOf("[INFO]\x1b[0m line 54321\r"))).length)).toBe(54_321);
});

test("beyond its limit the oldest lines go, and can be asked for again", () => {
  const store = new LogStore();
  const block = "x\n".repeat(100_000);
  for (let at = 0; at < 13; at++) store.append(block, at * block.length, (at + 1) * block.length);
  expect(store.count).toBeLessThanOrEqual(1_200_000);
  expect(store.end).toBe(1_300_000);
  expect(store.startOffset).toBe(store.first * 2);
});

describe("coming in amid the console", () => {
  const console = Array.from({ length: 50 }, (_, index) => `line ${index} µ\n`).join("");
  const bytes = encode(console);

  test("the cut first line is left out, and comes whole with what is before", () => {
    const store = new LogStore();
    const cut = bytes.indexOf(0x0a) + 4;
    store.append(new TextDecoder().decode(bytes.subarray(cut)), cut, bytes.length);
    expect(store.line(store.first).text).toBe("line 2 µ");
    const held = store.first;
    store.prepend(bytes.subarray(0, store.startOffset), 0);
    expect(texts(store)).toEqual(console.trimEnd().split("\n"));
    expect(store.startOffset).toBe(0);
    expect(store.line(held).text).toBe("line 2 µ");
    expect(store.lineAt(0)).toBe(store.first);
  });

  test("a beginning inside a character costs no byte", () => {
    const store = new LogStore();
    const cut = bytes.indexOf(0xc2) + 1;
    store.append(new TextDecoder().decode(bytes.subarray(cut)), cut, bytes.length);
    expect(store.startOffset).toBe(bytes.indexOf(0x0a) + 1);
  });

  test("earlier portions join without a seam, wherever they begin", () => {
    const store = new LogStore();
    store.append(new TextDecoder().decode(bytes.subarray(300)), 300, bytes.length);
    while (store.startOffset > 0) {
      const from = Math.max(0, store.startOffset - 37);
      store.prepend(bytes.subarray(from, store.startOffset), from);
    }
    expect(texts(store)).toEqual(console.trimEnd().split("\n"));
  });

  test("a line longer than a portion is shown in parts rather than never", () => {
    const store = new LogStore();
    store.append("\nend\n", 1000, 1005);
    store.prepend(encode(`${"y".repeat(100)}\n`), 900);
    expect(store.startOffset).toBe(900);
    expect(texts(store)).toEqual(["y".repeat(100), "end"]);
  });
});
