import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { until } from "../until";
import { createLogPanel, type LogPanel } from "./panel";
import { LogStore } from "./store";
import sheet from "./style.css?inline";

let end: AbortController;
let panel: LogPanel;
let store: LogStore;

const twoFrames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
const part = <Kind extends HTMLElement>(selector: string) =>
  panel.element.querySelector<Kind>(selector) as Kind;

/** Bytes that live objects take; the browser tells only if started for it, and counts other tests' objects too. */
async function heap(): Promise<number> {
  const { gc, performance } = globalThis as unknown as {
    gc?: () => void;
    performance: { memory?: { usedJSHeapSize: number } };
  };
  // What ran in this turn may still hold on to something.
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((done) => setTimeout(done));
    gc?.();
  }
  return performance.memory?.usedJSHeapSize ?? 0;
}

/** Feeds lines as a flow prints them, a tenth of them coloured, in pieces as the server sends them. */
function fill(count: number): void {
  const perPiece = 4000;
  let offset = 0;
  for (let from = 0; from < count; from += perPiece) {
    let text = "";
    for (let line = from; line < Math.min(count, from + perPiece); line++)
      text +=
        line % 10
          ? `[INFO DRT-${line % 1000}] Completing ${line % 100}% with ${line} violations, n${line}.\r\n`
          : `\x1b[2;36m[01:46:12]\x1b[0m \x1b[33mWARNING\x1b[0m net \x1b[1;36m${line}\x1b[0m has no driver\r\n`;
    store.append(text, offset, offset + text.length);
    offset += text.length;
  }
}

async function search(text: string, count: string): Promise<number> {
  const input = part<HTMLInputElement>(".find input");
  const begin = performance.now();
  input.value = text;
  input.dispatchEvent(new Event("input"));
  await until(() => expect(part(".found-count").textContent).toContain(count), 1);
  return performance.now() - begin;
}

beforeEach(() => {
  end = new AbortController();
  store = new LogStore();
  panel = createLogPanel({ buildId: "b1", log: store, loadEarlier: async () => {} }, "/log", end.signal);
  const style = document.createElement("style");
  style.textContent = `${sheet} .log { height: 400px; display: flex; flex-direction: column } .icon { width: 16px; height: 16px } h3 { margin: 0 } [hidden] { display: none !important }`;
  document.body.append(style, panel.element);
});

afterEach(() => {
  end.abort();
  document.body.replaceChildren();
});

test("200 000 lines: opened, held and searched within their limits", { retry: 2 }, async () => {
  const empty = await heap();
  const begin = performance.now();
  fill(200_000);
  panel.update();
  await twoFrames();
  const opened = performance.now() - begin;
  const held = ((await heap()) - empty) / 1e6;
  const times = [
    await search("n123456.", "1 of 1"),
    await search("no driver", "of 20\u202f000"),
    await search("zzz", "no match"),
  ];
  console.info(
    `200 000 lines: ${opened.toFixed(0)} ms, ${held.toFixed(1)} MB, searches ${times.map((one) => one.toFixed(0))} ms`,
  );
  expect(opened).toBeLessThan(1000); // the making of the text included
  expect(held).toBeLessThan(30);
  // With the 60 ms that wait for the next key; twice the aim, for machines that do other things too.
  expect(Math.max(...times)).toBeLessThan(300);
});

test("1 000 000 lines: any of them is at hand", { timeout: 20_000, retry: 2 }, async () => {
  const empty = await heap();
  const begin = performance.now();
  fill(1_000_000);
  const filled = performance.now() - begin;
  const drawing = performance.now();
  panel.update();
  await twoFrames();
  const drawn = performance.now() - drawing;
  const held = ((await heap()) - empty) / 1e6;
  const searched = await search("n987654.", "1 of 1");
  console.info(
    `1 000 000 lines: in ${filled.toFixed(0)} ms, drawn ${drawn.toFixed(0)} ms, ${held.toFixed(1)} MB, search ${searched.toFixed(0)} ms`,
  );
  expect(store.count).toBe(1_000_000);
  await twoFrames();
  expect(part(".row.current").textContent).toContain("n987654.");
  expect(part(".row.current").dataset.line).toBe("987655");
  const scroll = part(".log-scroll");
  // Beyond what browsers show in full, a place is still where it belongs.
  for (const share of [0, 0.25, 0.5, 1]) {
    scroll.scrollTop = share * (scroll.scrollHeight - scroll.clientHeight);
    await twoFrames();
    const top = scroll.getBoundingClientRect().top;
    const first = [...panel.element.querySelectorAll<HTMLElement>(".row")].find(
      (row) => row.getBoundingClientRect().bottom > top,
    );
    expect(Number(first?.dataset.line) / 1e6).toBeCloseTo(share, 3);
  }
  const last = [...panel.element.querySelectorAll<HTMLElement>(".row")].at(-1);
  expect(last?.dataset.line).toBe("1000000");
  expect(last?.getBoundingClientRect().bottom).toBeLessThanOrEqual(scroll.getBoundingClientRect().bottom + 1);
  expect(held).toBeLessThan(150);
  expect(drawn).toBeLessThan(200);
});

/** What a jump to somewhere else takes until its frame is drawn: the median of some, ms. A frame takes 16.7. */
async function jumping(places: number): Promise<number> {
  const scroll = part(".log-scroll");
  const times: number[] = [];
  for (let place = 0; place < places; place++) {
    const begin = performance.now();
    // Far apart, so that no row can be used again.
    scroll.scrollTop = ((place * 7919) % 1000) * 0.001 * (scroll.scrollHeight - scroll.clientHeight);
    await twoFrames();
    times.push((performance.now() - begin) / 2);
  }
  return times.sort((a, b) => a - b)[places >> 1] ?? 0;
}

async function choose(label: string, value: string): Promise<void> {
  const select = part<HTMLSelectElement>(`select[aria-label="${label}"]`);
  select.value = value;
  select.dispatchEvent(new Event("change"));
}

test("1 000 000 lines: scrolled as a short log is, wrapped, filtered, copied and referred to", {
  timeout: 60_000,
  retry: 2,
}, async () => {
  fill(2000);
  panel.update();
  await twoFrames();
  const short = await jumping(40);
  store = new LogStore();
  end.abort();
  panel.element.remove();
  end = new AbortController();
  panel = createLogPanel({ buildId: "b1", log: store, loadEarlier: async () => {} }, "/log", end.signal);
  document.body.append(panel.element);
  fill(1_000_000);
  panel.update();
  await twoFrames();
  const long = await jumping(40);

  const wrapping = performance.now();
  part<HTMLButtonElement>("[title^=Wrap]").click();
  await twoFrames();
  const wrapped = performance.now() - wrapping;
  const longWrapped = await jumping(40);
  part<HTMLButtonElement>("[title^=Wrap]").click();

  const half = store.offset(500_000);
  panel.updateSections([
    { id: "First", name: "First", range: { from: 0, to: half } },
    { id: "Second", name: "Second", range: { from: half, to: null } },
  ]);
  const filtering = performance.now();
  await choose("Which lines", "warning");
  await until(() => expect(part(".log-size").textContent).toMatch(/^100\u202f000 of/), 1);
  const filtered = performance.now() - filtering;
  await choose("Which step", "Second");
  await until(() => expect(part(".log-size").textContent).toMatch(/^50\u202f000 of/), 1);

  const written = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
  part("[aria-label^='Copy the selected']").click();
  await until(() => expect(written).toHaveBeenCalled(), 1);
  const copied = String(written.mock.lastCall?.[0]).split("\n");
  expect(copied).toHaveLength(50_001);
  expect(copied[0]).toContain("net 500000 has no driver");

  await choose("Which step", "");
  await choose("Which lines", "all");
  await panel.showReference({ unit: "line", value: 765_432 });
  await twoFrames();
  expect(part(".row.selected").dataset.line).toBe("765432");
  part("[aria-label^='Copy a reference']").click();
  await until(() => expect(written).toHaveBeenLastCalledWith("#a6hub-b1-L765432"));
  console.info(
    `1 000 000 lines: a jump ${long.toFixed(1)} ms (of 2000 lines ${short.toFixed(1)} ms, wrapped ` +
      `${longWrapped.toFixed(1)} ms), wrapped in ${wrapped.toFixed(0)} ms, filtered in ${filtered.toFixed(0)} ms`,
  );
  // Against each other in one run: the machine may do other things too.
  expect(long).toBeLessThan(2 * short + 5);
  expect(longWrapped).toBeLessThan(2 * short + 5);
  vi.restoreAllMocks();
});

test("wrapped lines take the rows they need and stay whole", async () => {
  store.append(`${"x".repeat(1000)}\nshort\n${"y z ".repeat(200)}end\n`, 0, 1808);
  part<HTMLButtonElement>("[title^=Wrap]").click();
  panel.update();
  await twoFrames();
  const rows = [...panel.element.querySelectorAll<HTMLElement>(".row")];
  expect(rows.map((row) => row.dataset.line)).toEqual(["1", "2", "3"]);
  for (const row of rows) expect(row.scrollHeight).toBeLessThanOrEqual(row.clientHeight);
  const boxes = rows.map((row) => row.getBoundingClientRect());
  expect(boxes[1]?.top).toBeCloseTo(boxes[0]?.bottom ?? 0);
  expect(boxes[2]?.top).toBeCloseTo(boxes[1]?.bottom ?? 0);
  expect(boxes[1]?.height).toBe(18);
  const scroll = part(".log-scroll");
  expect(scroll.scrollWidth).toBeLessThanOrEqual(scroll.clientWidth);
});
