import { afterEach, beforeEach, expect, test } from "vitest";
import { createLogPanel, type LogPanel } from "./panel";
import { LogStore } from "./store";
import sheet from "./style.css?inline";

const ROW = 18;
let end: AbortController;
let store: LogStore;
let panel: LogPanel;
let asked: (number | undefined)[];

const twoFrames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `line ${String(from + index).padStart(7, "0")}\n`).join("");
const add = (from: number, to: number) => store.append(lines(from, to), from * 13, to * 13);
const part = <Kind extends HTMLElement>(selector: string) =>
  panel.element.querySelector<Kind>(selector) as Kind;
const shown = () => [...panel.element.querySelectorAll(".row")].map((row) => row.textContent);

async function change(): Promise<void> {
  panel.update();
  await twoFrames();
}

async function scrollTo(top: number): Promise<void> {
  part(".log-scroll").scrollTop = top;
  await twoFrames();
}

beforeEach(() => {
  end = new AbortController();
  store = new LogStore();
  asked = [];
  const loadEarlier = async (to?: number) => {
    asked.push(to);
    const until = store.startOffset / 13;
    const from = to === undefined ? Math.max(0, until - 100) : Math.floor(to / 13);
    store.prepend(new TextEncoder().encode(lines(from, until)), from * 13);
  };
  panel = createLogPanel({ buildId: "b1", log: store, loadEarlier }, "/log", end.signal);
  const style = document.createElement("style");
  style.textContent = `${sheet} .log { height: 300px; display: flex; flex-direction: column } .row { height: 18px } .log-scroll { height: 240px } .earlier { display: block; box-sizing: border-box } [hidden] { display: none !important } h3, p { margin: 0 }`;
  document.body.append(style, panel.element);
});

afterEach(() => {
  end.abort();
  document.body.replaceChildren();
});

test("of 200 000 lines only those in sight are in the page, and the end is in sight", async () => {
  add(0, 200_000);
  const begin = performance.now();
  await change();
  expect(performance.now() - begin).toBeLessThan(500);
  expect(shown().length).toBeLessThan(60);
  expect(shown().at(-1)).toBe("line 0199999");
  await scrollTo(100_000 * ROW);
  expect(shown()).toContain("line 0100000");
  expect(shown()).toEqual([...shown()].sort());
  expect(shown().length).toBeLessThan(60);
});

test("it follows until the reader scrolls up, then counts new lines and leads back", async () => {
  add(0, 500);
  await change();
  await scrollTo(100 * ROW);
  add(500, 512);
  await change();
  expect(part(".log-scroll").scrollTop).toBe(100 * ROW);
  expect(part(".log-jump").textContent).toBe("12 new lines");
  part<HTMLButtonElement>(".log-jump").click();
  await twoFrames();
  expect(shown().at(-1)).toBe("line 0000511");
  expect(part(".log-jump").hidden).toBe(true);
  add(512, 600);
  await change();
  expect(shown().at(-1)).toBe("line 0000599");
});

test("a line in progress is redrawn in its place", async () => {
  store.append("one\n10 %\r", 0, 9);
  await change();
  store.append("20 %\r", 9, 14);
  await change();
  expect(shown()).toEqual(["one", "20 %"]);
});

test("loading earlier output leaves the reader where he is", async () => {
  store.append(lines(1000, 1500), 13_000, 19_500);
  await change();
  await scrollTo(32 + 10 * ROW);
  const inSight = () => {
    const box = part(".log-scroll").getBoundingClientRect();
    return [...panel.element.querySelectorAll(".row")].find(
      (row) => row.getBoundingClientRect().top >= box.top,
    )?.textContent;
  };
  const before = inSight();
  part<HTMLButtonElement>(".earlier").click();
  await twoFrames();
  expect(asked).toEqual([undefined]);
  expect(inSight()).toBe(before);
  expect(store.startOffset).toBeGreaterThan(0);
});

test("a step's place in the log is fetched if need be and shown", async () => {
  store.append(lines(1000, 1500), 13_000, 19_500);
  await change();
  await panel.showOffset(400 * 13);
  await twoFrames();
  expect(shown()).toContain("line 0000400");
  expect(part(".log-scroll").scrollTop).toBeLessThan(3 * ROW + 32);
});

test("taken out of the page and put back, it shows what it showed", async () => {
  add(0, 500);
  await change();
  await scrollTo(200 * ROW);
  const place = panel.element.parentElement;
  panel.element.remove();
  await twoFrames();
  place?.append(panel.element);
  await twoFrames();
  await twoFrames();
  expect(part(".log-scroll").scrollTop).toBe(200 * ROW);
  expect(shown()).toContain("line 0000200");
});

test("after the end of the view nothing is drawn", async () => {
  end.abort();
  add(0, 10);
  await change();
  expect(shown()).toEqual([]);
});
