import { beforeEach, expect, it } from "vitest";
import { type DrawRequest, Pacing, SLOW } from "./pacing";
import type { Drawn } from "./protocol";

// The time passes only where the test says so: each step of a picture takes `step` ms.
let now: number;
let step: number;
let steps: number;
let follows: boolean;
let done: string[];
let told: Drawn[];
let pacing: Pacing;
/** What comes in while a view at rest lets messages in. */
let waiting: DrawRequest[];

beforeEach(() => {
  [now, step, steps, follows] = [0, 1, 5, false];
  [done, told, waiting] = [[], [], []];
  pacing = new Pacing((drawn) => told.push(drawn), {
    now: () => now,
    messages: async () => {
      for (const each of waiting.splice(0)) void pacing.draw(each);
    },
  });
  pacing.renderer = {
    follows: () => follows,
    preview: ({ scale }) => {
      done.push(`scaled ${scale}`);
      return true;
    },
    *render({ scale }) {
      for (let i = 0; i < steps; i++) {
        now += step;
        yield;
      }
      now += step;
      done.push(`drawn ${scale}`);
      return { simplified: false, whole: !follows };
    },
  };
});

const view = (scale: number, moving: boolean): DrawRequest => ({
  type: "draw",
  view: { x: 0, y: 0, scale },
  ...{ width: 10, height: 10, ratio: 1, moving },
});

it("a zoom is drawn anew as long as that is quick", async () => {
  for (const scale of [1, 2, 3]) await pacing.draw(view(scale, true));
  expect(done).toEqual(["drawn 1", "drawn 2", "drawn 3"]);
});

it("a zoom that turns out to be slow shows the last picture, scaled, and the next ones do at once", async () => {
  step = 10;
  await pacing.draw(view(1, true));
  expect(done).toEqual(["scaled 1"]);
  expect(now, "it is given up as soon as it is too slow").toBe(Math.ceil((SLOW + 1) / step) * step);
  const before = now;
  await pacing.draw(view(2, true));
  expect(done).toEqual(["scaled 1", "scaled 2"]);
  expect(now, "nothing was drawn").toBe(before);
  expect(told.map(({ view, moving }) => [view.scale, moving])).toEqual([
    [1, true],
    [2, true],
  ]);
});

it("a slow view at rest is drawn in full, and the zoom after it is scaled", async () => {
  step = 10;
  await pacing.draw(view(1, false));
  await pacing.draw(view(2, true));
  expect(done).toEqual(["drawn 1", "scaled 2"]);
  expect(told[0]?.milliseconds).toBe(60);
});

it("after some scaled pictures drawing is tried again, since there may be less to draw", async () => {
  step = 6.6; // 39.6 ms for all of it
  await pacing.draw(view(1, false));
  step = 1;
  let scaled = 0;
  while (done[done.length - 1] !== "drawn 2" && scaled < 100) {
    await pacing.draw(view(2, true));
    scaled++;
  }
  // 39.6 ms, less a twentieth each time, is below the limit after four.
  expect(done).toEqual(["drawn 1", "scaled 2", "scaled 2", "scaled 2", "scaled 2", "drawn 2"]);
});

it("a pan is drawn, however long the whole takes", async () => {
  step = 10;
  await pacing.draw(view(1, false));
  follows = true;
  await pacing.draw(view(1, true));
  expect(done).toEqual(["drawn 1", "drawn 1"]);
});

it("a view at rest is given up for a new one, and never told", async () => {
  [step, steps] = [10, 20];
  waiting = [view(2, false)];
  await pacing.draw(view(1, false));
  expect(done).toEqual(["drawn 2"]);
  expect(told.map((drawn) => drawn.view.scale)).toEqual([2]);
  expect(now, "the first was given up after two steps").toBe(20 + 210);
});

it("without a picture to scale, a slow zoom is drawn all the same", async () => {
  step = 10;
  if (pacing.renderer) pacing.renderer.preview = () => false;
  await pacing.draw(view(1, true));
  expect(done).toEqual(["drawn 1"]);
});
