import type { Field, Seen } from "./collect";
import { Box } from "./geometry";
import type { Shapes } from "./layout";
import type { Planes } from "./planes";
import { CHUNK_SIZE, type Chunked, spanBox } from "./scene";

// Cells whose box on a layer is at most this by that many pixels are that box, as in KLayout.
const SPECK_SHORT = 1.5;
const SPECK_LONG = 2.5;

/** Draws what a collector has found, one layer at a time, on bitmaps. */
export class Rasteriser {
  private readonly corners = new Float64Array(8);
  private points = new Float64Array(256);

  /** Chunks of rectangles that are smaller than `detail` pixels are covered. */
  constructor(private readonly detail: number) {}

  seen(planes: Planes, seen: Seen, layer: number, phase: number): void {
    const { node, drawn, covered } = seen;
    const box = node.layerBoxes[layer] as Box;
    if (box.empty) return;
    if (covered.length) this.covered(planes, box, seen, node.density[layer] as number, phase);
    const shapes = node.cell.shapes[layer];
    if (!shapes) return;
    const rects = node.rects[layer] as Chunked;
    for (let i = 0; i < drawn.length; i += 2) {
      const x = drawn[i] as number;
      const y = drawn[i + 1] as number;
      if (rects.rects.length) this.rects(planes, rects, seen, x, y, phase);
      if (shapes.starts.length > 1) this.polygons(planes, shapes, seen, x, y);
    }
  }

  /** The box of each small cell: millions of them when all of a large chip is seen. */
  private covered(planes: Planes, box: Box, seen: Seen, density: number, phase: number): void {
    const { a, b, c, d, covered } = seen;
    const one = transformBox(box, [a, b, c, d, 0, 0], 0);
    const [w, h] = [one.x2 - one.x1, one.y2 - one.y1];
    const speck = Math.min(w, h) < SPECK_SHORT && Math.max(w, h) < SPECK_LONG;
    if (w < 1 && h < 1) planes.dots(covered, (one.x1 + one.x2) / 2, (one.y1 + one.y2) / 2);
    else
      for (let i = 0; i < covered.length; i += 2) {
        const x = covered[i] as number;
        const y = covered[i + 1] as number;
        if (speck) planes.rect(x + one.x1, y + one.y1, x + one.x2, y + one.y2);
        else planes.cover(x + one.x1, y + one.y1, x + one.x2, y + one.y2, density, phase);
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

  private rects(planes: Planes, chunked: Chunked, seen: Seen, x: number, y: number, phase: number): void {
    const { a, b, c, d } = seen;
    const upright = b === 0 && c === 0;
    const { rects, chunks } = chunked;
    if (!upright && (a !== 0 || d !== 0)) {
      this.tilted(planes, rects, seen, x, y);
      return;
    }
    // Upright or turned by a quarter: x depends on one coordinate only, y on the other.
    const [sx, sy] = upright ? [a, d] : [b, c];
    const [forX, forY] = upright ? [0, 1] : [1, 0];
    const many = chunks.length > CHUNK_SIZE;
    for (let k = 0; k < chunks.length; k += CHUNK_SIZE) {
      const first = chunks[k] as number;
      const past = chunks[k + 1] as number;
      if (many) {
        const px1 = sx * (chunks[k + 2 + forX] as number) + x;
        const px2 = sx * (chunks[k + 4 + forX] as number) + x;
        const py1 = sy * (chunks[k + 2 + forY] as number) + y;
        const py2 = sy * (chunks[k + 4 + forY] as number) + y;
        if (planes.misses(Math.min(px1, px2), Math.min(py1, py2), Math.max(px1, px2), Math.max(py1, py2)))
          continue;
        if (Math.abs(px2 - px1) < this.detail && Math.abs(py2 - py1) < this.detail) {
          const share = (chunks[k + 6] as number) / 1000;
          planes.cover(
            Math.min(px1, px2),
            Math.min(py1, py2),
            Math.max(px1, px2),
            Math.max(py1, py2),
            share,
            phase,
          );
          continue;
        }
      }
      planes.rects(rects, [4 * first, 4 * past], !upright, [sx, x, sy, y]);
    }
  }

  private tilted(planes: Planes, rects: Int32Array, { a, b, c, d }: Seen, x: number, y: number): void {
    const { corners } = this;
    for (let i = 0; i < rects.length; i += 4) {
      for (let k = 0; k < 4; k++) {
        const px = rects[i + (k === 1 || k === 2 ? 2 : 0)] as number;
        const py = rects[i + (k >= 2 ? 3 : 1)] as number;
        corners[2 * k] = a * px + b * py + x;
        corners[2 * k + 1] = c * px + d * py + y;
      }
      planes.polygon(corners, 4);
    }
  }

  private polygons(planes: Planes, shapes: Shapes, { a, b, c, d }: Seen, x: number, y: number): void {
    const { points, starts } = shapes;
    for (let p = 0; p + 1 < starts.length; p++) {
      const start = starts[p] as number;
      const count = (starts[p + 1] as number) - start;
      if (this.points.length < 2 * count) this.points = new Float64Array(4 * count);
      for (let i = 0; i < count; i++) {
        const px = points[2 * (start + i)] as number;
        const py = points[2 * (start + i) + 1] as number;
        this.points[2 * i] = a * px + b * py + x;
        this.points[2 * i + 1] = c * px + d * py + y;
      }
      planes.polygon(this.points, count);
    }
  }
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
