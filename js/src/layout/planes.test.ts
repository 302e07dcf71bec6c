import { expect, it } from "vitest";
import { Planes } from "./planes";
import { Spots } from "./spots";

function spots(...places: readonly number[]): Spots {
  const made = new Spots();
  for (let i = 0; i < places.length; i += 2) made.add(places[i] as number, places[i + 1] as number);
  return made;
}

const drawn = (planes: Planes, x: number, y: number) =>
  (((planes.frame[y * planes.words + (x >> 5)] as number) >>> (x & 31)) & 1) === 1;

it.each([31, 64, 77, 130])("bitmaps of %i pixels move by any distance", (width) => {
  const height = 23;
  let state = width;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let round = 0; round < 200; round++) {
    const planes = new Planes(width, height);
    const dots: [number, number][] = [];
    for (let i = random(60); i >= 0; i--) {
      const [x, y] = [random(width), random(round % 2 ? height : 5)];
      dots.push([x, y]);
      planes.rect(x + 0.2, y + 0.2, x + 0.8, y + 0.8);
    }
    // Now and then by whole words, or out of sight.
    const dx = round % 5 ? random(2 * width) - width : 32 * (random(7) - 3);
    const dy = round % 3 ? random(2 * height + 4) - height - 2 : 0;
    planes.shift(dx, dy);
    const wanted = new Set(dots.map(([x, y]) => `${x + dx},${y + dy}`));
    const wrong: string[] = [];
    for (let y = 0; y < height; y++)
      for (let x = 0; x < planes.words * 32; x++)
        if (drawn(planes, x, y) !== (x < width && wanted.has(`${x},${y}`))) wrong.push(`${x},${y}`);
    expect(wrong, `round ${round}: moved by ${dx},${dy}`).toEqual([]);
    const rows = dots.map(([, y]) => y + dy).filter((y) => y >= 0 && y < height);
    if (rows.length) expect(planes.low).toBeLessThanOrEqual(Math.min(...rows));
  }
});

it("a small cell that stands alone is solid, a crowd leaves room for the layers below", () => {
  for (const phase of [0, 1, 2, 3])
    for (const origin of [0, 1]) {
      const planes = new Planes(96, 40);
      planes.origin(origin, origin);
      const crowd: number[] = [];
      for (let y = 10; y < 30; y++) for (let x = 20; x < 60; x++) crowd.push(x, y);
      planes.cells(spots(...crowd), 0.2, 0.2, 0.6, 0.6);
      planes.cells(spots(5, 5, 80, 35), 0.2, 0.2, 0.6, 0.6);
      // Two by two: however it lies, one of its pixels is the layer's own.
      planes.cells(spots(70, 5, 71, 11, 78, 20, 85, 26), 0.2, 0.2, 1.8, 1.8);
      planes.settle(phase);
      expect(drawn(planes, 5, 5) && drawn(planes, 80, 35)).toBe(true);
      for (const [x, y] of [
        [70, 5],
        [71, 11],
        [78, 20],
        [85, 26],
      ] as const) {
        const solid = [0, 1, 2, 3].filter((k) => drawn(planes, x + (k & 1), y + (k >> 1)));
        expect(solid).toHaveLength(1);
      }
      let solid = 0;
      for (let y = 10; y < 30; y++) for (let x = 20; x < 60; x++) if (drawn(planes, x, y)) solid++;
      expect(solid).toBe((20 * 40) / 4);
      const ones = (word: number) => (word >>> 0).toString(2).replaceAll("0", "").length;
      const filled = planes.fill.reduce((sum, word) => sum + ones(word), 0);
      expect(filled).toBe(20 * 40 + 2 + 4 * 4);
    }
});

it("dots and boxes at many places are those that are drawn one by one, also across the edges of the window", () => {
  let state = 3;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * below;
  };
  let drawnRounds = 0;
  for (let round = 0; round < 50; round++) {
    const [together, single] = [new Planes(130, 40), new Planes(130, 40)];
    const window = [random(20) | 0, random(10) | 0, (90 + random(40)) | 0, (20 + random(20)) | 0] as const;
    for (const planes of [together, single]) planes.clip(...window);
    // Some lie wholly within the window, some beyond it.
    const reach = round % 2 ? 8 : 60;
    const at = [...Array(40).keys()].map((i) => (i % 2 ? 12 : 50) + random(reach));
    const to = [...Array(12).keys()].map(() => random(2 * reach) - reach);
    together.dots(spots(...at), spots(...to));
    for (let i = 0; i < at.length; i += 2)
      for (let k = 0; k < to.length; k += 2) {
        const [x, y] = [(at[i] as number) + (to[k] as number), (at[i + 1] as number) + (to[k + 1] as number)];
        single.rect(x, y, x, y);
      }
    expect(together.frame).toEqual(single.frame);
    expect(together.low).toBeLessThanOrEqual(single.low);
    expect(together.high).toBeGreaterThanOrEqual(single.high);
    for (const planes of [together, single]) planes.clear();
    together.cells(spots(...at), -0.7, -0.3, 1.6, 0.9);
    for (let i = 0; i < at.length; i += 2)
      single.cells(spots(at[i] as number, at[i + 1] as number), -0.7, -0.3, 1.6, 0.9);
    together.settle(0);
    single.settle(0);
    expect(together.fill).toEqual(single.fill);
    if (together.fill.some((word) => word !== 0)) drawnRounds++;
  }
  expect(drawnRounds, "something is in the window").toBeGreaterThan(25);
});
