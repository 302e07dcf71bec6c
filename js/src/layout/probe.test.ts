import { expect, it } from "vitest";
import { findCell, listCells } from "./cells";
import { NO_LIMITS } from "./collect";
import type { Cell, Layout, Shapes } from "./layout";
import { pick, snap } from "./probe";
import { Rulers } from "./rulers";
import { buildScene } from "./scene";

const shapes = (rects: number[], points: number[] = []): Shapes => ({
  rects: Int32Array.from(rects),
  points: Int32Array.from(points),
  starts: Int32Array.from(points.length ? [0, points.length / 2] : [0]),
  texts: new Int32Array(0),
});
const cell = (name: string, more: Partial<Cell>): Cell => ({
  name,
  shapes: [undefined, undefined],
  places: new Int32Array(0),
  grids: new Int32Array(0),
  free: new Float64Array(0),
  ...more,
});

// A leaf with a bar, turned, in an array of 1000 by 1000, magnified, and beside a triangle of the top.
const layout: Layout = {
  unit: 1000,
  layers: [
    { layer: 1, datatype: 0 },
    { layer: 2, datatype: 0 },
  ],
  strings: [],
  cells: [
    cell("LEAF", { shapes: [shapes([0, 0, 10, 40]), undefined] }),
    cell("ROW", { grids: Int32Array.from([0, 0, 0, 0, 1000, 1000, 100, 0, 0, 100]) }),
    cell("TOP", {
      shapes: [undefined, shapes([-20, -20, 200, 200], [-1000, 0, -500, 0, -1000, 500])],
      places: Int32Array.from([0, -300, 0, 1, 1, 0, 0, 0]),
      free: Float64Array.from([0, -2000, 0, 0, 2, 0]),
    }),
    cell("LOOSE", { shapes: [shapes([0, 0, 1, 1]), undefined] }),
  ],
};
const scene = buildScene(layout, "TOP");
const shown = [
  { layer: 1, rank: 1 },
  { layer: 0, rank: 0 },
];

it("picks shapes with their cells, the smallest first, through arrays, turns and magnification", () => {
  const at = (x: number, y: number) => pick(scene, shown, NO_LIMITS, x, y, 1);
  expect(at(105, 120).map(({ rank, path }) => [rank, path.join("/")])).toEqual([
    [0, "TOP/ROW/LEAF"],
    [1, "TOP"],
  ]);
  expect(at(99_905, 99_920)[0]?.points, "the last of a million").toEqual([
    99_900, 99_900, 99_910, 99_900, 99_910, 99_940, 99_900, 99_940,
  ]);
  expect(at(-320, 5)[0]?.path, "a bar that lies").toEqual(["TOP", "LEAF"]);
  expect(at(-1985, 70)[0]?.points, "a bar twice as large").toContain(80);
  expect(at(-900, 100), "inside the triangle").toHaveLength(1);
  expect(at(-600, 400), "outside of it, but in its box").toEqual([]);
  expect(
    pick(scene, [shown[0] as (typeof shown)[0]], NO_LIMITS, 99_905, 99_920, 1),
    "a hidden layer",
  ).toEqual([]);
  expect(pick(scene, shown, { depth: 1, hidden: new Set() }, 99_905, 99_920, 1), "a hidden level").toEqual(
    [],
  );
});

it("snaps to corners before edges, and to nothing that is far", () => {
  const at = (x: number, y: number) => snap(scene, shown, NO_LIMITS, x, y, 8);
  expect(at(-1003, 2)).toEqual({ x: -1000, y: 0, kind: "corner" });
  expect(at(-1003, 250)).toEqual({ x: -1000, y: 250, kind: "edge" });
  expect(at(-1050, 250)).toBeUndefined();
});

it("lists cells with counts through all levels, and finds where they are", () => {
  const { cells, top } = listCells(scene);
  expect(cells[top]?.name).toBe("TOP");
  expect(cells.map(({ name, count }) => [name, count])).toEqual([
    ["LEAF", 1_000_002],
    ["ROW", 1],
    ["TOP", 1],
    ["LOOSE", 0],
  ]);
  expect(cells[top]?.children).toEqual([
    [0, 2],
    [1, 1],
  ]);
  const boxes = findCell(scene, 0, 1000);
  expect(boxes).toHaveLength(4000);
  expect([...boxes.subarray(0, 4)]).toEqual([-340, 0, -300, 10]);
  expect(findCell(scene, 3, 10)).toHaveLength(0);
});

it("measures between two places, and forgets one thing at a time", () => {
  const rulers = new Rulers();
  rulers.put({ x: 0, y: 0 });
  rulers.lead({ x: 1, y: 1 });
  expect(rulers.measures).toHaveLength(1);
  rulers.put({ x: 3, y: 4 });
  rulers.put({ x: 1, y: 1 });
  expect(rulers.csv().split("\n")).toEqual(["x1,y1,x2,y2,dx,dy,d", "0,0,3,4,3,4,5"]);
  expect(rulers.escape()).toBe(true);
  expect(rulers.measures, "the one that was begun is gone").toHaveLength(1);
  expect(rulers.escape()).toBe(true);
  expect(rulers.escape(), "nothing is left").toBe(false);
});
