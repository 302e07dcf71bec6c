import type { Cell, LayerKey, Layout, Shapes } from "../layout";
import type { Reader } from "./reader";
import type { Repetition } from "./repetition";

/** 32-bit integers that grow; half a gigabyte for them all is where the viewer says that it is enough. */
export const INTEGER_LIMIT = 1 << 25;

class Integers {
  length = 0;
  data = new Int32Array(16);

  room(count: number): void {
    if (this.length + count <= this.data.length) return;
    let size = this.data.length;
    while (size < this.length + count) size *= 2;
    const grown = new Int32Array(size);
    grown.set(this.data);
    this.data = grown;
  }

  push(value: number): void {
    this.room(1);
    this.data[this.length++] = value;
  }

  /** What is there, and begin anew. */
  take(): Int32Array {
    const taken = this.length ? this.data.slice(0, this.length) : NONE;
    this.length = 0;
    return taken;
  }
}

// Most lists are empty, and a typed array is dear even then.
const NONE = new Int32Array(0);
const NO_POLYGONS = new Int32Array(1);

/** What the cell that is being read has on one layer. */
class Growing {
  readonly rects = new Integers();
  readonly points = new Integers();
  readonly starts = new Integers();
  readonly texts = new Integers();
  used = false;

  take(): Shapes | undefined {
    if (!this.used) return undefined;
    this.used = false;
    const { rects, points, starts, texts } = this;
    if (starts.length) starts.push(points.length / 2);
    const ends = starts.length ? starts.take() : NO_POLYGONS;
    return { rects: rects.take(), points: points.take(), starts: ends, texts: texts.take() };
  }
}

/** A cell by number or by name; which cell that is, is known at the end of the file. */
export type CellReference = number | string;

/** A cell that was read: its name is known at the end, as are the cells that it places. */
type ReadCell = Omit<Cell, "name"> & { readonly reference: CellReference };

/** Collects what is read into typed arrays per cell and layer. */
export class LayoutBuilder {
  private readonly cells: ReadCell[] = [];
  private reading: CellReference | undefined;
  readonly layers: LayerKey[] = [];
  readonly strings: (number | string)[] = [];
  /** What placements point at, as indices of this list until the end. */
  private readonly references: CellReference[] = [];
  private readonly referenceIndex = new Map<CellReference, number>();
  private readonly layerIndex = new Map<number, number>();
  private readonly stringIndex = new Map<number | string, number>();
  private taken = 0;
  // A file has one cell after the other: what grows is the same for all of them.
  private readonly growing: Growing[] = [];
  private readonly places = new Integers();
  private readonly grids = new Integers();
  private readonly free: number[] = [];

  constructor(
    private readonly reader: Reader,
    private readonly limit: number,
  ) {}

  /** Account for `count` integers before they are stored. */
  take(count: number): void {
    this.taken += count;
    if (this.taken > this.limit) this.reader.fail("it has more shapes than the viewer holds");
  }

  /** All that is added from now on is this cell's. */
  begin(reference: CellReference): void {
    this.end();
    this.reading = reference;
  }

  private end(): void {
    if (this.reading === undefined) return;
    this.cells.push({
      reference: this.reading,
      shapes: this.growing.map((each) => each.take()),
      places: this.places.take(),
      grids: this.grids.take(),
      free: Float64Array.from(this.free),
    });
    this.free.length = 0;
  }

  /** What the cell has on a layer. */
  shapes(layer: number, datatype: number): Growing {
    const key = layer * 0x100000000 + datatype;
    let index = this.layerIndex.get(key);
    if (index === undefined) {
      index = this.layers.push({ layer, datatype }) - 1;
      this.layerIndex.set(key, index);
      this.growing.push(new Growing());
    }
    const shapes = this.growing[index] as Growing;
    shapes.used = true;
    return shapes;
  }

  addRectangles(shapes: Growing, x: number, y: number, w: number, h: number, copies: Repetition): void {
    this.take(4 * copies.count);
    const { xs, ys } = copies.offsets;
    shapes.rects.room(4 * copies.count);
    const { data } = shapes.rects;
    let at = shapes.rects.length;
    for (let i = 0; i < copies.count; i++) {
      const left = x + (xs[i] as number);
      const bottom = y + (ys[i] as number);
      this.check(left, bottom);
      this.check(left + w, bottom + h);
      data[at++] = left;
      data[at++] = bottom;
      data[at++] = left + w;
      data[at++] = bottom + h;
    }
    shapes.rects.length = at;
  }

  addPolygons(shapes: Growing, x: number, y: number, points: readonly number[], copies: Repetition): void {
    if (points.length < 6) return; // no area: KLayout leaves such polygons out as well
    const box = asRectangle(points);
    if (box) {
      this.addRectangles(shapes, x + box[0], y + box[1], box[2] - box[0], box[3] - box[1], copies);
      return;
    }
    this.take((points.length + 1) * copies.count);
    const { xs, ys } = copies.offsets;
    const { points: all, starts } = shapes;
    all.room(points.length * copies.count);
    for (let i = 0; i < copies.count; i++) {
      starts.push(all.length / 2);
      const left = x + (xs[i] as number);
      const bottom = y + (ys[i] as number);
      for (let k = 0; k < points.length; k += 2) {
        const px = left + (points[k] as number);
        const py = bottom + (points[k + 1] as number);
        this.check(px, py);
        all.data[all.length++] = px;
        all.data[all.length++] = py;
      }
    }
  }

  addTexts(shapes: Growing, x: number, y: number, text: number | string, copies: Repetition): void {
    this.take(3 * copies.count);
    let index = this.stringIndex.get(text);
    if (index === undefined) {
      index = this.strings.push(text) - 1;
      this.stringIndex.set(text, index);
    }
    const { xs, ys } = copies.offsets;
    for (let i = 0; i < copies.count; i++) {
      const left = x + (xs[i] as number);
      const bottom = y + (ys[i] as number);
      this.check(left, bottom);
      shapes.texts.push(left);
      shapes.texts.push(bottom);
      shapes.texts.push(index);
    }
  }

  /** Place a cell in one of the eight orthogonal orientations: quarter turns, plus 4 when mirrored first. */
  addPlaces(to: CellReference, x: number, y: number, turn: number, copies: Repetition): void {
    const index = this.referenceOf(to);
    const { grid } = copies;
    if (grid && copies.count > 3) {
      this.take(10);
      this.check(x + (grid.nx - 1) * grid.ax, y + (grid.nx - 1) * grid.ay);
      this.check(x + (grid.ny - 1) * grid.bx, y + (grid.ny - 1) * grid.by);
      for (const value of [index, x, y, turn, grid.nx, grid.ny, grid.ax, grid.ay, grid.bx, grid.by])
        this.grids.push(value);
      return;
    }
    this.take(4 * copies.count);
    const { xs, ys } = copies.offsets;
    const { places } = this;
    places.room(4 * copies.count);
    for (let i = 0; i < copies.count; i++) {
      const left = x + (xs[i] as number);
      const bottom = y + (ys[i] as number);
      this.check(left, bottom);
      places.data[places.length++] = index;
      places.data[places.length++] = left;
      places.data[places.length++] = bottom;
      places.data[places.length++] = turn;
    }
  }

  /** Place a cell magnified or at any angle (radians). */
  addFree(
    to: CellReference,
    x: number,
    y: number,
    transform: { angle: number; magnification: number; mirrored: boolean },
    copies: Repetition,
  ): void {
    this.take(12 * copies.count);
    const index = this.referenceOf(to);
    const { angle, magnification, mirrored } = transform;
    if (!Number.isFinite(angle) || !Number.isFinite(magnification) || magnification <= 0)
      this.reader.fail("a cell is placed with an impossible angle or magnification");
    const { xs, ys } = copies.offsets;
    for (let i = 0; i < copies.count; i++)
      this.free.push(
        index,
        x + (xs[i] as number),
        y + (ys[i] as number),
        angle,
        magnification,
        mirrored ? 1 : 0,
      );
  }

  private referenceOf(to: CellReference): number {
    let index = this.referenceIndex.get(to);
    if (index === undefined) {
      index = this.references.push(to) - 1;
      this.referenceIndex.set(to, index);
    }
    return index;
  }

  private check(x: number, y: number): void {
    if (x !== (x | 0) || y !== (y | 0)) this.reader.fail("a shape is out of range");
  }

  /** Put names in the place of numbers, and give the layout. */
  finish(unit: number, cellNames: Map<number, string>, textStrings: Map<number, string>): Layout {
    this.end();
    const nameOf = (reference: CellReference) =>
      typeof reference === "string" ? reference : (cellNames.get(reference) ?? `cell ${reference}`);
    const byName = new Map<string, number>();
    const cells = this.cells.map((cell, index): Cell => {
      const name = nameOf(cell.reference);
      if (byName.has(name)) this.reader.fail(`the cell ${name} is there twice`);
      byName.set(name, index);
      return {
        name,
        // Layers that came after it are none of its.
        shapes: Array.from({ length: this.layers.length }, (_, layer) => cell.shapes[layer]),
        places: cell.places,
        grids: cell.grids,
        free: cell.free,
      };
    });
    const targets = this.references.map((reference) => {
      const name = nameOf(reference);
      let index = byName.get(name);
      if (index === undefined) {
        // Placed but not there: an empty cell, as KLayout has it.
        const empty = { places: new Int32Array(0), grids: new Int32Array(0), free: new Float64Array(0) };
        index = cells.push({ name, shapes: new Array(this.layers.length).fill(undefined), ...empty }) - 1;
        byName.set(name, index);
      }
      return index;
    });
    for (const cell of cells) {
      for (let i = 0; i < cell.places.length; i += 4)
        cell.places[i] = targets[cell.places[i] as number] as number;
      for (let i = 0; i < cell.grids.length; i += 10)
        cell.grids[i] = targets[cell.grids[i] as number] as number;
      for (let i = 0; i < cell.free.length; i += 6) cell.free[i] = targets[cell.free[i] as number] as number;
    }
    const strings = this.strings.map((text) =>
      typeof text === "string" ? text : (textStrings.get(text) ?? ""),
    );
    return { unit, layers: this.layers, cells, strings };
  }
}

/** The box of a polygon with four corners that is one. */
function asRectangle(p: readonly number[]): [number, number, number, number] | undefined {
  if (p.length !== 8) return undefined;
  const [ax, ay, bx, by, cx, cy, dx, dy] = p as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const upright =
    (ax === bx && by === cy && cx === dx && dy === ay) || (ay === by && bx === cx && cy === dy && dx === ax);
  if (!upright) return undefined;
  return [Math.min(ax, cx), Math.min(ay, cy), Math.max(ax, cx), Math.max(ay, cy)];
}
