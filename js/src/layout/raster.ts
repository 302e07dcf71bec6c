import { CHUNK_SIZE, type Chunked } from "./chunks";
import type { Field, Seen } from "./collect";
import { Box } from "./geometry";
import type { Shapes } from "./layout";
import { type Planes, THIN } from "./planes";
import { spanBox } from "./scene";
import { Spots } from "./spots";

// Cells whose box on a layer is at most this by that many pixels are that box, as in KLayout.
const SPECK_SHORT = 1.5;
const SPECK_LONG = 2.5;

/** Upright, or with x and y exchanged first, and then scaled. */
interface Quarter {
  readonly turned: boolean;
  readonly sx: number;
  readonly sy: number;
}

/** Draws what a collector has found, one layer at a time, on bitmaps. */
export class Rasteriser {
  private readonly corners = new Float64Array(8);
  private points = new Float64Array(256);
  private readonly dots = new Spots();
  private readonly near = new Spots();
  private larger = new Int32Array(0);
  private thin = new Int32Array(0);

  /** Chunks of rectangles that are smaller than `detail` pixels are covered. */
  constructor(private readonly detail: number) {}

  seen(planes: Planes, seen: Seen, layer: number, phase: number): void {
    const { node, drawn, covered } = seen;
    const box = node.layerBoxes[layer] as Box;
    if (box.empty) return;
    if (covered.length) this.covered(planes, box, seen, node.density[layer] as number, phase);
    const shapes = node.cell.shapes[layer];
    if (!shapes || !drawn.length) return;
    const { rects, chunks } = node.rects[layer] as Chunked;
    const boxes = node.polygons[layer] as Int32Array;
    const { a, b, c, d } = seen;
    const upright = b === 0 && c === 0;
    if (!upright && (a !== 0 || d !== 0)) this.tilted(planes, shapes, seen);
    else {
      // Upright or turned by a quarter: x depends on one coordinate only, y on the other.
      const turn = upright ? { turned: false, sx: a, sy: d } : { turned: true, sx: b, sy: c };
      if (chunks.length > CHUNK_SIZE) this.chunks(planes, rects, chunks, turn, drawn, phase);
      else this.rects(planes, rects, 0, rects.length, turn, drawn);
      if (boxes.length) this.polygons(planes, shapes, boxes, turn, seen);
    }
  }

  /** The box of each small cell: millions of them when all of a large chip is seen. */
  private covered(planes: Planes, box: Box, seen: Seen, density: number, phase: number): void {
    const { a, b, c, d, covered } = seen;
    const one = transformBox(box, [a, b, c, d, 0, 0], 0);
    const [w, h] = [one.x2 - one.x1, one.y2 - one.y1];
    if (Math.min(w, h) < SPECK_SHORT && Math.max(w, h) < SPECK_LONG)
      planes.cells(covered, one.x1, one.y1, one.x2, one.y2);
    else
      for (let i = 0; i < covered.length; i += 2) {
        const x = covered.at[i] as number;
        const y = covered.at[i + 1] as number;
        planes.cover(x + one.x1, y + one.y1, x + one.x2, y + one.y2, density, phase);
      }
  }

  field(planes: Planes, { node, transform, grid }: Field, layer: number, phase: number): void {
    const box = node.layerBoxes[layer] as Box;
    if (box.empty) return;
    const one = transformBox(box, transform, 0);
    const all = spanBox(one, grid);
    const size = (each: Box) => Math.max(each.x2 - each.x1, 1e-6) * Math.max(each.y2 - each.y1, 1e-6);
    const share = Math.min(1, (grid.nx * grid.ny * size(one)) / size(all));
    planes.cover(all.x1, all.y1, all.x2, all.y2, share * (node.density[layer] as number), phase);
  }

  /** Many rectangles, in chunks of neighbours. */
  private chunks(
    planes: Planes,
    rects: Int32Array,
    chunks: Int32Array,
    turn: Quarter,
    drawn: Spots,
    phase: number,
  ): void {
    const { near } = this;
    for (let k = 0; k < chunks.length; k += CHUNK_SIZE) {
      const [x1, y1, x2, y2] = scaled(chunks, k + 2, turn);
      near.clear();
      for (let i = 0; i < drawn.length; i += 2) {
        const x = drawn.at[i] as number;
        const y = drawn.at[i + 1] as number;
        if (!planes.misses(x1 + x, y1 + y, x2 + x, y2 + y)) near.add(x, y);
      }
      if (Math.abs(x2 - x1) >= this.detail || Math.abs(y2 - y1) >= this.detail) {
        // A chunk is drawn in all places before the next one is: it is small enough to be kept at hand.
        this.rects(planes, rects, 4 * (chunks[k] as number), 4 * (chunks[k + 1] as number), turn, near);
        continue;
      }
      const share = (chunks[k + 6] as number) / 1000;
      for (let i = 0; i < near.length; i += 2) {
        const x = near.at[i] as number;
        const y = near.at[i + 1] as number;
        planes.cover(x1 + x, y1 + y, x2 + x, y2 + y, share, phase);
      }
    }
  }

  /** Most of a chip is a dot when all of it is seen: those are sorted out once for all places. */
  private rects(
    planes: Planes,
    list: Int32Array,
    from: number,
    to: number,
    { turned, sx, sy }: Quarter,
    places: Spots,
  ): void {
    if (from === to || !places.length) return;
    const { dots } = this;
    if (this.larger.length < to - from) this.larger = new Int32Array(to - from);
    const { larger } = this;
    const [forX, forY] = turned ? [1, 0] : [0, 1];
    const [smallX, smallY] = [1 / Math.abs(sx), 1 / Math.abs(sy)];
    dots.clear();
    let past = 0;
    for (let i = from; i < to; i += 4) {
      const u1 = list[i + forX] as number;
      const u2 = list[i + 2 + forX] as number;
      const v1 = list[i + forY] as number;
      const v2 = list[i + 2 + forY] as number;
      if (u2 - u1 < smallX && v2 - v1 < smallY) dots.add((sx / 2) * (u1 + u2), (sy / 2) * (v1 + v2));
      else for (let k = i; k < i + 4; k++) larger[past++] = list[k] as number;
    }
    planes.dots(dots, places);
    planes.rects(larger, 0, past, turned, sx, sy, places);
  }

  /** Polygons; those that are thin are drawn as their boxes. */
  private polygons(planes: Planes, shapes: Shapes, boxes: Int32Array, turn: Quarter, seen: Seen): void {
    const { drawn } = seen;
    let past = 0;
    if (this.thin.length < boxes.length) this.thin = new Int32Array(boxes.length);
    for (let p = 0; 4 * p < boxes.length; p++) {
      const [x1, y1, x2, y2] = scaled(boxes, 4 * p, turn);
      if (x2 - x1 < THIN || y2 - y1 < THIN) {
        for (let k = 4 * p; k < 4 * p + 4; k++) this.thin[past++] = boxes[k] as number;
        continue;
      }
      for (let i = 0; i < drawn.length; i += 2) {
        const x = drawn.at[i] as number;
        const y = drawn.at[i + 1] as number;
        if (!planes.misses(x1 + x, y1 + y, x2 + x, y2 + y)) this.polygon(planes, shapes, p, seen, x, y);
      }
    }
    this.rects(planes, this.thin, 0, past, turn, drawn);
  }

  private polygon(
    planes: Planes,
    { points, starts }: Shapes,
    index: number,
    { a, b, c, d }: Seen,
    x: number,
    y: number,
  ): void {
    const start = starts[index] as number;
    const count = (starts[index + 1] as number) - start;
    if (this.points.length < 2 * count) this.points = new Float64Array(4 * count);
    for (let i = 0; i < count; i++) {
      const px = points[2 * (start + i)] as number;
      const py = points[2 * (start + i) + 1] as number;
      this.points[2 * i] = a * px + b * py + x;
      this.points[2 * i + 1] = c * px + d * py + y;
    }
    planes.polygon(this.points, count);
  }

  /** Figures at any other angle: all are polygons. */
  private tilted(planes: Planes, shapes: Shapes, seen: Seen): void {
    const { rects, starts } = shapes;
    const { a, b, c, d, drawn } = seen;
    const { corners } = this;
    for (let j = 0; j < drawn.length; j += 2) {
      const x = drawn.at[j] as number;
      const y = drawn.at[j + 1] as number;
      for (let i = 0; i < rects.length; i += 4) {
        for (let k = 0; k < 4; k++) {
          const px = rects[i + (k === 1 || k === 2 ? 2 : 0)] as number;
          const py = rects[i + (k >= 2 ? 3 : 1)] as number;
          corners[2 * k] = a * px + b * py + x;
          corners[2 * k + 1] = c * px + d * py + y;
        }
        planes.polygon(corners, 4);
      }
      for (let p = 0; p + 1 < starts.length; p++) this.polygon(planes, shapes, p, seen, x, y);
    }
  }
}

/** The box x1, y1, x2, y2 at this place of a list, turned and in pixels, where the cell's origin is at 0, 0. */
function scaled(
  boxes: Int32Array,
  at: number,
  { turned, sx, sy }: Quarter,
): [number, number, number, number] {
  const [forX, forY] = turned ? [1, 0] : [0, 1];
  const ux = sx * (boxes[at + forX] as number);
  const uy = sy * (boxes[at + forY] as number);
  const vx = sx * (boxes[at + 2 + forX] as number);
  const vy = sy * (boxes[at + 2 + forY] as number);
  return [Math.min(ux, vx), Math.min(uy, vy), Math.max(ux, vx), Math.max(uy, vy)];
}

/** The upright box around a transformed one. */
export function transformBox(box: Box, t: readonly number[], at: number): Box {
  const [a, b, c, d] = [t[at], t[at + 1], t[at + 2], t[at + 3]] as [number, number, number, number];
  const [middleX, middleY] = [(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2];
  const [halfX, halfY] = [(box.x2 - box.x1) / 2, (box.y2 - box.y1) / 2];
  const x = a * middleX + b * middleY + (t[at + 4] as number);
  const y = c * middleX + d * middleY + (t[at + 5] as number);
  const reachX = Math.abs(a) * halfX + Math.abs(b) * halfY;
  const reachY = Math.abs(c) * halfX + Math.abs(d) * halfY;
  return new Box(x - reachX, y - reachY, x + reachX, y + reachY);
}
