import { enclose } from "./chunks";
import { Box } from "./geometry";
import type { Shapes } from "./layout";

/** What a cell and those below it have on each layer; the last is where texts are, which cover nothing. */
export interface Measured {
  /** Empty where there is nothing. */
  readonly layerBoxes: readonly Box[];
  /** The part of that box that shapes fill, 0 to 1; overlaps count twice. */
  readonly density: Float64Array;
}

/** Where a cell has something on each layer, while it is measured; one more than there are layers: for texts. */
export class Extents {
  private readonly boxes: Float64Array;
  private readonly filled: Float64Array;

  constructor(private readonly layers: number) {
    this.boxes = new Float64Array(4 * layers);
    this.filled = new Float64Array(layers);
  }

  clear(): void {
    this.filled.fill(0);
    for (let i = 0; i < this.boxes.length; i += 4) {
      this.boxes[i] = this.boxes[i + 1] = Number.POSITIVE_INFINITY;
      this.boxes[i + 2] = this.boxes[i + 3] = Number.NEGATIVE_INFINITY;
    }
  }

  add(layer: number, x1: number, y1: number, x2: number, y2: number): void {
    const { boxes } = this;
    const i = 4 * layer;
    if (x1 < (boxes[i] as number)) boxes[i] = x1;
    if (y1 < (boxes[i + 1] as number)) boxes[i + 1] = y1;
    if (x2 > (boxes[i + 2] as number)) boxes[i + 2] = x2;
    if (y2 > (boxes[i + 3] as number)) boxes[i + 3] = y2;
  }

  fill(layer: number, size: number): void {
    this.filled[layer] = (this.filled[layer] as number) + size;
  }

  /** Boxes, and which part of them is filled. */
  done(): Measured {
    const at = (i: number) => this.boxes[i] as number;
    const layerBoxes = Array.from({ length: this.layers }, (_, layer) => {
      const i = 4 * layer;
      return at(i) > at(i + 2) ? EMPTY : new Box(at(i), at(i + 1), at(i + 2), at(i + 3));
    });
    const density = this.filled.map((size, layer) =>
      Math.min(1, size / ((layerBoxes[layer] as Box).area || 1)),
    );
    return { layerBoxes, density };
  }
}

/** Most cells have nothing on most layers, and share this box. */
const EMPTY: Box = Object.freeze(new Box());

/** The boxes of all polygons: x1, y1, x2, y2, … */
export function polygonBoxes({ points, starts }: Shapes): Int32Array {
  const boxes = new Int32Array(4 * (starts.length - 1));
  for (let p = 0; p + 1 < starts.length; p++) {
    const start = starts[p] as number;
    const end = starts[p + 1] as number;
    let [x1, y1] = [points[2 * start] as number, points[2 * start + 1] as number];
    let [x2, y2] = [x1, y1];
    for (let i = start + 1; i < end; i++) {
      const x = points[2 * i] as number;
      const y = points[2 * i + 1] as number;
      if (x < x1) x1 = x;
      if (x > x2) x2 = x;
      if (y < y1) y1 = y;
      if (y > y2) y2 = y;
    }
    boxes[4 * p] = x1;
    boxes[4 * p + 1] = y1;
    boxes[4 * p + 2] = x2;
    boxes[4 * p + 3] = y2;
  }
  return boxes;
}

/** Add the shapes of a layer. */
export function measure(
  { rects, points, starts }: Shapes,
  polygons: Int32Array,
  layer: number,
  extents: Extents,
): void {
  const box = new Box();
  extents.fill(layer, enclose(rects, 0, rects.length, box));
  enclose(polygons, 0, polygons.length, box);
  extents.add(layer, box.x1, box.y1, box.x2, box.y2);
  for (let p = 0; p + 1 < starts.length; p++) {
    const end = starts[p + 1] as number;
    let twice = 0;
    let px = points[2 * end - 2] as number;
    let py = points[2 * end - 1] as number;
    for (let i = starts[p] as number; i < end; i++) {
      const x = points[2 * i] as number;
      const y = points[2 * i + 1] as number;
      twice += px * y - x * py;
      px = x;
      py = y;
    }
    extents.fill(layer, Math.abs(twice) / 2);
  }
}

/** Add the copies of a cell in one turn; `around` is the box of where they are. */
export function measureCopies(
  child: Measured,
  [a, b, c, d]: readonly [number, number, number, number],
  count: number,
  around: Box,
  extents: Extents,
): void {
  const scale = count * Math.abs(a * d - b * c);
  const { layerBoxes, density } = child;
  for (let layer = 0; layer < layerBoxes.length; layer++) {
    const box = layerBoxes[layer] as Box;
    if (box === EMPTY) continue;
    const { x1, y1, x2, y2 } = box;
    extents.add(
      layer,
      Math.min(a * x1, a * x2) + Math.min(b * y1, b * y2) + around.x1,
      Math.min(c * x1, c * x2) + Math.min(d * y1, d * y2) + around.y1,
      Math.max(a * x1, a * x2) + Math.max(b * y1, b * y2) + around.x2,
      Math.max(c * x1, c * x2) + Math.max(d * y1, d * y2) + around.y2,
    );
    extents.fill(layer, box.area * (density[layer] as number) * scale);
  }
}
