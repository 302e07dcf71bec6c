import { Box, type Turn, turnBox } from "./geometry";
import type { Cell, Layout, Shapes } from "./layout";

/** Rectangles of one cell and layer, in chunks of neighbours when they are many. */
export interface Chunked {
  readonly rects: Int32Array;
  /** first rectangle, one past the last, x1, y1, x2, y2, and how much of that box is filled, in thousandths. */
  readonly chunks: Int32Array;
}

/** A cell with all that culling and coverage need; sub-cells are counted in. */
export interface Node {
  readonly cell: Cell;
  readonly rects: readonly (Chunked | undefined)[];
  /** The boxes of the polygons on each layer: x1, y1, x2, y2, … */
  readonly polygons: readonly (Int32Array | undefined)[];
  readonly box: Box;
  /** The box of what this cell and those below have on each layer, empty where there is nothing; the last is of texts. */
  readonly layerBoxes: readonly Box[];
  /** The part of that box that shapes fill, 0 to 1; overlaps count twice. */
  readonly density: Float64Array;
  readonly leaf: boolean;
  /** The single placements, by cell and turn. */
  readonly runs: readonly Run[];
  /** There are texts in this cell or below. */
  readonly labelled: boolean;
}

/** Placements of one cell in one turn: x, y, x, y, … */
export interface Run {
  readonly child: number;
  readonly turn: Turn;
  readonly at: Int32Array;
}

/** Numbers per chunk. */
export const CHUNK_SIZE = 7;

/** A layout with its boxes: what the renderer draws from. */
export interface Scene {
  readonly layout: Layout;
  readonly nodes: readonly Node[];
  /** Indices of the nodes, each after those that it places. */
  readonly order: readonly number[];
  readonly top: Node;
}

const CHUNK = 512;
// Rendering goes down the hierarchy on the stack.
const DEPTH_LIMIT = 500;

/** Index a layout. The top is the cell of that name, or else the largest that nobody places. */
export function buildScene(layout: Layout, topName?: string): Scene {
  const { order, roots } = sortCells(layout);
  const nodes: Node[] = new Array(layout.cells.length);
  for (const index of order) nodes[index] = buildNode(layout, layout.cells[index] as Cell, nodes);
  const candidates = roots.map((index) => nodes[index] as Node).sort((a, b) => area(b.box) - area(a.box));
  const named = nodes.find((node) => node.cell.name === topName);
  const top = named ?? candidates[0];
  if (!top || top.box.empty) throw new Error("The layout has no shapes.");
  return { layout, nodes, order, top };
}

export function children(cell: Cell): number[] {
  const found = new Set<number>();
  for (let i = 0; i < cell.places.length; i += 4) found.add(cell.places[i] as number);
  for (let i = 0; i < cell.grids.length; i += 10) found.add(cell.grids[i] as number);
  for (let i = 0; i < cell.free.length; i += 6) found.add(cell.free[i] as number);
  return [...found];
}

/** Cells from the bottom up, and those that nobody places; refuses cells that contain themselves. */
function sortCells(layout: Layout): { order: number[]; roots: number[] } {
  const below = layout.cells.map(children);
  const parents: number[][] = layout.cells.map(() => []);
  below.forEach((list, index) => {
    for (const child of list) parents[child]?.push(index);
  });
  const waiting = below.map((list) => list.length);
  const height = new Int32Array(layout.cells.length);
  const order = [...layout.cells.keys()].filter((index) => waiting[index] === 0);
  for (let i = 0; i < order.length; i++) {
    const index = order[i] as number;
    for (const parent of parents[index] as number[]) {
      height[parent] = Math.max(height[parent] as number, (height[index] as number) + 1);
      waiting[parent] = (waiting[parent] as number) - 1;
      if (waiting[parent] === 0) order.push(parent);
    }
  }
  if (order.length < layout.cells.length) throw new Error("The layout is damaged: a cell contains itself.");
  if (height.some((value) => value > DEPTH_LIMIT))
    throw new Error(`The layout nests cells more than ${DEPTH_LIMIT} deep.`);
  return { order, roots: order.filter((index) => parents[index]?.length === 0) };
}

const area = (box: Box) => (box.empty ? 0 : (box.x2 - box.x1) * (box.y2 - box.y1));

function buildNode(layout: Layout, cell: Cell, nodes: readonly Node[]): Node {
  // One more than there are layers: where texts are, which have a place but cover nothing.
  const textBox = new Box();
  const layerBoxes = [...layout.layers.map(() => new Box()), textBox];
  const filled = new Float64Array(layerBoxes.length);
  const polygons = cell.shapes.map((shapes) => shapes && polygonBoxes(shapes));
  const rects = cell.shapes.map((shapes, layer) => {
    if (!shapes) return undefined;
    filled[layer] = measure(shapes, polygons[layer] as Int32Array, layerBoxes[layer] as Box);
    const { texts } = shapes;
    for (let i = 0; i < texts.length; i += 3) textBox.add(texts[i] as number, texts[i + 1] as number);
    return chunk(shapes.rects);
  });
  const place = (child: Node, count: number, add: (into: Box, box: Box) => void, scale = 1) => {
    child.layerBoxes.forEach((box, layer) => {
      if (box.empty) return;
      add(layerBoxes[layer] as Box, box);
      filled[layer] =
        (filled[layer] as number) + area(box) * (child.density[layer] as number) * count * scale;
    });
  };
  const { places, grids, free } = cell;
  const runs = gather(places);
  for (const { child, turn, at } of runs) {
    const around = new Box();
    for (let i = 0; i < at.length; i += 2) around.add(at[i] as number, at[i + 1] as number);
    place(nodes[child] as Node, at.length / 2, (into, box) => {
      into.addBox(turnBox(box, turn, around.x1, around.y1));
      into.addBox(turnBox(box, turn, around.x2, around.y2));
    });
  }
  for (let i = 0; i < grids.length; i += 10) {
    const grid = gridAt(grids, i);
    place(nodes[grids[i] as number] as Node, grid.nx * grid.ny, (into, box) => {
      into.addBox(spanBox(turnBox(box, grid.turn, grid.x, grid.y), grid));
    });
  }
  for (let i = 0; i < free.length; i += 6) {
    const { a, b, c, d, x, y } = freeAt(free, i);
    const magnify = Math.abs(a * d - b * c);
    const add = (into: Box, box: Box) => {
      for (const px of [box.x1, box.x2])
        for (const py of [box.y1, box.y2]) into.add(a * px + b * py + x, c * px + d * py + y);
    };
    place(nodes[free[i] as number] as Node, 1, add, magnify);
  }
  const box = new Box();
  for (const each of layerBoxes) box.addBox(each);
  const density = filled.map((value, layer) => Math.min(1, value / (area(layerBoxes[layer] as Box) || 1)));
  const below = children(cell);
  const labelled =
    cell.shapes.some((shapes) => shapes?.texts.length) || below.some((child) => nodes[child]?.labelled);
  return { cell, rects, polygons, box, layerBoxes, density, leaf: below.length === 0, runs, labelled };
}

/** Sort placements (child, x, y, turn, …): a cell in one turn is measured and culled alike wherever it is. */
function gather(places: Int32Array): Run[] {
  const counts = new Map<number, number>();
  const key = (i: number) => 8 * (places[i] as number) + (places[i + 3] as number);
  for (let i = 0; i < places.length; i += 4) counts.set(key(i), (counts.get(key(i)) ?? 0) + 1);
  const runs = new Map<number, Run & { filled: number }>();
  for (const [each, count] of counts)
    runs.set(each, { child: each >> 3, turn: (each & 7) as Turn, at: new Int32Array(2 * count), filled: 0 });
  for (let i = 0; i < places.length; i += 4) {
    const run = runs.get(key(i)) as Run & { filled: number };
    run.at[run.filled++] = places[i + 1] as number;
    run.at[run.filled++] = places[i + 2] as number;
  }
  return [...runs.values()];
}

function polygonBoxes({ points, starts }: Shapes): Int32Array {
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

/** Add the shapes to the box; gives the area that they fill. */
function measure({ rects, points, starts }: Shapes, polygons: Int32Array, box: Box): number {
  let filled = enclose(rects, 0, rects.length, box);
  enclose(polygons, 0, polygons.length, box);
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
    filled += Math.abs(twice) / 2;
  }
  return filled;
}

/** Add the rectangles x1, y1, x2, y2, … at `from` to before `to` of a list to the box; gives the area of them all. */
function enclose(rects: Int32Array, from: number, to: number, box: Box): number {
  if (from === to) return 0;
  let x1 = rects[from] as number;
  let y1 = rects[from + 1] as number;
  let x2 = rects[from + 2] as number;
  let y2 = rects[from + 3] as number;
  let filled = 0;
  for (let i = from; i < to; i += 4) {
    const left = rects[i] as number;
    const bottom = rects[i + 1] as number;
    const right = rects[i + 2] as number;
    const top = rects[i + 3] as number;
    if (left < x1) x1 = left;
    if (bottom < y1) y1 = bottom;
    if (right > x2) x2 = right;
    if (top > y2) y2 = top;
    filled += (right - left) * (top - bottom);
  }
  box.add(x1, y1);
  box.add(x2, y2);
  return filled;
}

/** A placed array as it is stored in `Cell.grids`. */
export interface PlacedGrid {
  x: number;
  y: number;
  turn: Turn;
  nx: number;
  ny: number;
  ax: number;
  ay: number;
  bx: number;
  by: number;
}

export function gridAt(grids: Int32Array, i: number): PlacedGrid {
  const at = (k: number) => grids[i + k] as number;
  return {
    ...{ x: at(1), y: at(2), turn: at(3) as Turn, nx: at(4), ny: at(5) },
    ...{ ax: at(6), ay: at(7), bx: at(8), by: at(9) },
  };
}

/** The box of all copies from the box of the first. */
export function spanBox(first: Box, { nx, ny, ax, ay, bx, by }: Omit<PlacedGrid, "x" | "y" | "turn">): Box {
  const [ux, uy, vx, vy] = [(nx - 1) * ax, (nx - 1) * ay, (ny - 1) * bx, (ny - 1) * by];
  return new Box(
    first.x1 + Math.min(ux, 0) + Math.min(vx, 0),
    first.y1 + Math.min(uy, 0) + Math.min(vy, 0),
    first.x2 + Math.max(ux, 0) + Math.max(vx, 0),
    first.y2 + Math.max(uy, 0) + Math.max(vy, 0),
  );
}

/** A free placement as an affine transform: x' = a x + b y + x, y' = c x + d y + y. */
export function freeAt(free: Float64Array, i: number) {
  const angle = free[i + 3] as number;
  const magnification = free[i + 4] as number;
  const flip = free[i + 5] ? -1 : 1;
  const cosine = magnification * Math.cos(angle);
  const sine = magnification * Math.sin(angle);
  return {
    ...{ a: cosine, b: -sine * flip, c: sine, d: cosine * flip },
    ...{ x: free[i + 1] as number, y: free[i + 2] as number },
  };
}

/** Sort many rectangles along a Morton curve and cut them into chunks, so that a view reads only its neighbours. */
function chunk(rects: Int32Array): Chunked {
  const count = rects.length / 4;
  const sorted = count > 2 * CHUNK ? mortonSort(rects) : rects;
  const size = count > 2 * CHUNK ? CHUNK : Math.max(count, 1);
  const chunks: number[] = [];
  for (let first = 0; first < count; first += size) {
    const end = Math.min(first + size, count);
    const box = new Box();
    const filled = enclose(sorted, 4 * first, 4 * end, box);
    const share = Math.round(1000 * Math.min(1, filled / (area(box) || 1)));
    chunks.push(first, end, box.x1, box.y1, box.x2, box.y2, share);
  }
  return { rects: sorted, chunks: Int32Array.from(chunks) };
}

function mortonSort(rects: Int32Array): Int32Array {
  const count = rects.length / 4;
  const box = new Box();
  for (let i = 0; i < rects.length; i += 4) box.add(rects[i] as number, rects[i + 1] as number);
  const scale = 1023 / Math.max(1, box.x2 - box.x1, box.y2 - box.y1);
  const keys = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const x = spread(((rects[4 * i] as number) - box.x1) * scale);
    const y = spread(((rects[4 * i + 1] as number) - box.y1) * scale);
    keys[i] = x | (y << 1);
  }
  // Twenty bits are sorted by the lower ten, then by the upper ten.
  const order = byDigit(keys, 10, byDigit(keys, 0));
  const sorted = new Int32Array(rects.length);
  for (let i = 0; i < count; i++) {
    const from = 4 * (order[i] as number);
    const to = 4 * i;
    sorted[to] = rects[from] as number;
    sorted[to + 1] = rects[from + 1] as number;
    sorted[to + 2] = rects[from + 2] as number;
    sorted[to + 3] = rects[from + 3] as number;
  }
  return sorted;
}

/** Sort indices by ten bits of their keys from `shift` on; those that are alike stay in the order that they had. */
function byDigit(keys: Uint32Array, shift: number, order?: Uint32Array): Uint32Array {
  const places = new Uint32Array(1025);
  for (const key of keys) {
    const next = ((key >>> shift) & 1023) + 1;
    places[next] = (places[next] as number) + 1;
  }
  for (let i = 1; i < places.length; i++) places[i] = (places[i] as number) + (places[i - 1] as number);
  const sorted = new Uint32Array(keys.length);
  for (let i = 0; i < keys.length; i++) {
    const index = order ? (order[i] as number) : i;
    const digit = ((keys[index] as number) >>> shift) & 1023;
    const place = places[digit] as number;
    sorted[place] = index;
    places[digit] = place + 1;
  }
  return sorted;
}

/** Put a zero between the lower ten bits of a number. */
function spread(value: number): number {
  let bits = value & 1023;
  bits = (bits | (bits << 8)) & 0xff00ff;
  bits = (bits | (bits << 4)) & 0xf0f0f0f;
  bits = (bits | (bits << 2)) & 0x33333333;
  return (bits | (bits << 1)) & 0x55555555;
}
