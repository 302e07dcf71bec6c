import { expect, it } from "vitest";
import { fixture } from "./fixtures";
import { Box } from "./geometry";
import type { Layout } from "./layout";
import { decodeOasis } from "./oasis/decode";
import { Renderer } from "./renderer";
import { buildScene, freeAt } from "./scene";

type Matrix = readonly [number, number, number, number, number, number];

const BLACK = [0x0b, 0x0d, 0x10];
const SIZE = 400;

/** The matrix of a turn, from what the word means. */
function matrixOf(turn: number): readonly number[] {
  const cosine = [1, 0, -1, 0][turn & 3] as number;
  const sine = [0, 1, 0, -1][turn & 3] as number;
  const flip = turn & 4 ? -1 : 1;
  return [cosine, -sine * flip, sine, cosine * flip];
}

/** All figures of one layer as outlines in the top's coordinates: slow and simple, to compare with. */
function flatten(layout: Layout, layer: number, index: number, m: Matrix, into: number[][]): void {
  const cell = layout.cells[index];
  const shapes = cell?.shapes[layer];
  if (!cell) return;
  const put = (points: number[]) => {
    const moved: number[] = [];
    for (let i = 0; i < points.length; i += 2) {
      const [x, y] = [points[i] as number, points[i + 1] as number];
      moved.push(m[0] * x + m[1] * y + m[4], m[2] * x + m[3] * y + m[5]);
    }
    into.push(moved);
  };
  if (shapes) {
    const { rects, points, starts } = shapes;
    for (let i = 0; i < rects.length; i += 4) {
      const [x1, y1, x2, y2] = [...rects.subarray(i, i + 4)] as [number, number, number, number];
      put([x1, y1, x2, y1, x2, y2, x1, y2]);
    }
    for (let p = 0; p + 1 < starts.length; p++)
      put([...points.subarray(2 * (starts[p] as number), 2 * (starts[p + 1] as number))]);
  }
  const go = (to: number, [a, b, c, d]: readonly number[], x: number, y: number) => {
    const n = [a, b, c, d] as [number, number, number, number];
    const product: Matrix = [
      m[0] * n[0] + m[1] * n[2],
      m[0] * n[1] + m[1] * n[3],
      m[2] * n[0] + m[3] * n[2],
      m[2] * n[1] + m[3] * n[3],
      m[0] * x + m[1] * y + m[4],
      m[2] * x + m[3] * y + m[5],
    ];
    flatten(layout, layer, to, product, into);
  };
  for (let i = 0; i < cell.places.length; i += 4) {
    const [to, x, y, turn] = [...cell.places.subarray(i, i + 4)] as [number, number, number, number];
    go(to, matrixOf(turn), x, y);
  }
  for (let i = 0; i < cell.grids.length; i += 10) {
    const [to, x, y, turn, nx, ny, ax, ay, bx, by] = [...cell.grids.subarray(i, i + 10)] as number[] &
      [number, number, number, number, number, number, number, number, number, number];
    for (let j = 0; j < ny; j++)
      for (let k = 0; k < nx; k++) go(to, matrixOf(turn), x + k * ax + j * bx, y + k * ay + j * by);
  }
  for (let i = 0; i < cell.free.length; i += 6) {
    const { a, b, c, d, x, y } = freeAt(cell.free, i);
    go(cell.free[i] as number, [a, b, c, d], x, y);
  }
}

/** How far inside (positive) or outside a point is of a polygon. */
function depth(points: readonly number[], x: number, y: number): number {
  let inside = false;
  let near = Number.POSITIVE_INFINITY;
  for (let i = 0, k = points.length - 2; i < points.length; k = i, i += 2) {
    const [ax, ay, bx, by] = [points[k], points[k + 1], points[i], points[i + 1]] as [
      number,
      number,
      number,
      number,
    ];
    if (ay > y !== by > y && x < ax + ((bx - ax) * (y - ay)) / (by - ay)) inside = !inside;
    const [dx, dy] = [bx - ax, by - ay];
    const t = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
    near = Math.min(near, Math.hypot(x - ax - t * dx, y - ay - t * dy));
  }
  return inside ? near : -near;
}

function rendererOf(layout: Layout, visible: (index: number) => boolean) {
  const scene = buildScene(layout, "TOP");
  const canvas = new OffscreenCanvas(1, 1);
  const layers = layout.layers.map((key, index) => ({
    ...key,
    ...{ index, name: "", fill: "#ff0000", frame: "#ff0000", stipple: ["*"], visible: visible(index) },
  }));
  const renderer = new Renderer(scene, canvas, layers);
  const pixels = () =>
    (canvas.getContext("2d") as OffscreenCanvasRenderingContext2D).getImageData(0, 0, SIZE, SIZE).data;
  return { scene, renderer, pixels };
}

const inked = (data: Uint8ClampedArray, x: number, y: number) =>
  data[4 * ((SIZE - 1 - y) * SIZE + x)] !== BLACK[0];

const LOOKS = 30;
const STEP = 12;

it.each([
  ["gdstk", 1],
  ["gdstk", 2],
  ["gdstk", 4],
  ["klayout", 1],
  ["klayout", 2],
  ["klayout", 3],
  ["records", 5],
  ["records", 6],
  ["records", 8],
] as const)("%s.oas, layer %i: draws what a flat layout has", async (name, number) => {
  // Without its texts: labels lie over the shapes.
  const layout = { ...decodeOasis(await fixture(name)), strings: [] };
  const layer = layout.layers.findIndex((key) => key.layer === number);
  const { scene, renderer, pixels } = rendererOf(layout, (index) => index === layer);
  const flat: number[][] = [];
  flatten(layout, layer, layout.cells.indexOf(scene.top.cell), [1, 0, 0, 1, 0, 0], flat);
  const boxes = flat.map((points) => {
    const box = new Box();
    for (let i = 0; i < points.length; i += 2) box.add(points[i] as number, points[i + 1] as number);
    return box;
  });
  let [drawn, empty] = [0, 0];
  const wrong: string[] = [];
  for (let look = 0; look < LOOKS; look++) {
    // Looks close at figures all over the layout, so that every placement has its turn.
    const { x1, y1, x2, y2 } = boxes[Math.round((look / (LOOKS - 1)) * (flat.length - 1))] as Box;
    const scale = SIZE / (4 * Math.max(x2 - x1, y2 - y1));
    const view = { x: (x1 + x2) / 2, y: (y1 + y2) / 2, scale };
    renderer.draw(view, SIZE, SIZE, 1, 0);
    const data = pixels();
    const reach = (SIZE / 2 + 10) / scale;
    const near = flat.filter((_points, index) => {
      const box = boxes[index] as Box;
      const beside = box.x2 < view.x - reach || box.x1 > view.x + reach;
      return !beside && box.y2 > view.y - reach && box.y1 < view.y + reach;
    });
    for (let y = 1; y < SIZE; y += STEP)
      for (let x = 1; x < SIZE; x += STEP) {
        const px = view.x + (x + 0.5 - SIZE / 2) / scale;
        const py = view.y + (y + 0.5 - SIZE / 2) / scale;
        const deepest = scale * Math.max(...near.map((figure) => depth(figure, px, py)));
        // Within a pixel and a half of an edge either is right.
        if (Math.abs(deepest) < 1.5) continue;
        if (deepest > 0) drawn++;
        else empty++;
        if (inked(data, x, y) !== deepest > 0) wrong.push(`look ${look}: ${x},${y}`);
      }
  }
  expect(wrong).toEqual([]);
  expect(drawn, "something is in view").toBeGreaterThan(LOOKS);
  expect(empty).toBeGreaterThan(LOOKS);
});

it("cells too small to draw leave a pattern, at any size", async () => {
  const layout = decodeOasis(await fixture("klayout"));
  const { scene, renderer, pixels } = rendererOf(layout, () => true);
  const { x1, y1, x2, y2 } = scene.top.box;
  for (const size of [300, 40, 8, 2, 0.5]) {
    const scale = size / Math.max(x2 - x1, y2 - y1);
    renderer.draw({ x: (x1 + x2) / 2, y: (y1 + y2) / 2, scale }, SIZE, SIZE, 1, 10);
    const data = pixels();
    let count = 0;
    for (let y = 0; y < SIZE; y++) for (let x = 0; x < SIZE; x++) if (inked(data, x, y)) count++;
    expect(count, `${size} pixels`).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual((size + 6) ** 2);
  }
});

it("hidden layers are not drawn", async () => {
  const layout = decodeOasis(await fixture("klayout"));
  const { scene, renderer, pixels } = rendererOf(layout, () => true);
  renderer.show(layout.layers.map(() => false));
  const { x1, y1, x2, y2 } = scene.top.box;
  renderer.draw({ x: (x1 + x2) / 2, y: (y1 + y2) / 2, scale: SIZE / (x2 - x1) }, SIZE, SIZE, 1, 3);
  expect(new Set(pixels().filter((_value, index) => index % 4 === 0))).toEqual(new Set([BLACK[0]]));
});

it("draws whatever can be decoded, damaged or not", async () => {
  let state = 7;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const sources = [await fixture("gdstk"), await fixture("klayout"), await fixture("records")];
  let drawn = 0;
  for (let round = 0; round < 300; round++) {
    const broken = (sources[round % 3] as Uint8Array).slice();
    broken[100 + random(broken.length - 100)] = random(256);
    let layout: Layout;
    try {
      layout = decodeOasis(broken, 1 << 18);
      buildScene(layout, "TOP");
    } catch {
      continue;
    }
    const { scene, renderer } = rendererOf(layout, () => true);
    const { x1, y1, x2, y2 } = scene.top.box;
    for (const part of [1, 0.05]) {
      const scale = 100 / (part * Math.max(x2 - x1, y2 - y1, 1));
      renderer.draw({ x: (x1 + x2) / 2, y: (y1 + y2) / 2, scale }, 100, 100, 1, 3);
    }
    drawn++;
  }
  expect(drawn).toBeGreaterThan(50);
});
