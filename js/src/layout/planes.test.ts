import { expect, it } from "vitest";
import { Planes } from "./planes";

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
