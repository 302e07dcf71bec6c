import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Waiting } from "./waiting";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("says nothing of what is there within a second, and how far the rest has come", () => {
  const told: string[] = [];
  const waiting = new Waiting((text) => told.push(text));
  waiting.at({ stage: "prepare", bytes: 0 });
  vi.advanceTimersByTime(900);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1200);
  expect(told.at(-1)).toBe("The server prepares the layout… (2 s)");
  waiting.at({ stage: "receive", bytes: 2_340_000 });
  vi.advanceTimersByTime(1000);
  expect(told.at(-1)).toBe("Loading the layout… 2.3 MB (3 s)");
  waiting.end();
  const count = told.length;
  vi.advanceTimersByTime(5000);
  expect(told).toHaveLength(count);
});
