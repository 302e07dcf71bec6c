import { expect, it } from "vitest";
import { MarkField } from "./mark-field";
import type { Mark } from "./overlay";

const WIDTH = 800;
const HEIGHT = 500;
const COUNT = 100_000;

function field(size: number, scale: number) {
  const marks: Mark[] = Array.from({ length: COUNT }, (_each, index) => {
    const [x, y] = [(index * 7919) % 2000, (index * 104729) % 1200];
    return { kind: "box", points: [x, y, x + size, y + size] };
  });
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [WIDTH, HEIGHT];
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const at = (x: number, y: number): [number, number] => [x * scale, HEIGHT - y * scale];
  const large = new MarkField(marks).draw(context, at, 1, [255, 0, 0]);
  const { data } = context.getImageData(0, 0, WIDTH, HEIGHT);
  const red = (x: number, y: number) => data[4 * (Math.floor(y) * WIDTH + Math.floor(x))] === 255;
  return { marks, at, large, red };
}

it("of 100,000 markers each is a dot where it is", () => {
  const { marks, at, large, red } = field(0.5, 0.4);
  expect(large).toEqual([]);
  const missed = marks.filter(({ points }) => {
    const [x, y] = at((points[0] as number) + 0.25, (points[1] as number) + 0.25);
    return x >= 0 && y >= 0 && x < WIDTH && y < HEIGHT && !red(x, y);
  });
  expect(missed).toEqual([]);
  expect(red(WIDTH - 1, 0), "nothing where none is").toBe(false);
});

it("those that are large enough are given to be drawn, but not more than can be told apart", () => {
  const { marks, at, large, red } = field(50, 0.4);
  expect(large.length).toBe(4000);
  expect(new Set(large).size).toBe(4000);
  const known = new Set(large);
  const missed = marks.filter((mark) => {
    const [x, y] = at((mark.points[0] as number) + 25, (mark.points[1] as number) + 25);
    return !known.has(mark) && x >= 0 && y >= 0 && x < WIDTH && y < HEIGHT && !red(x, y);
  });
  expect(missed, "the others are dots").toEqual([]);
});
