import { type Chunked, chunk } from "./chunks";
import { Box, boxOf, TURNS, type Turn } from "./geometry";
import type { Cell, Layout } from "./layout";
import { Extents, type Measured, measure, measureCopies, polygonBoxes } from "./measure";

/** A cell with all that culling and coverage need; sub-cells are counted in. */
export interface Node extends Measured {
  readonly cell: Cell;
  readonly rects: readonly (Chunked | undefined)[];
  /** The boxes of the polygons on each layer: x1, y1, x2, y2, … */
  readonly polygons: readonly (Int32Array | undefined)[];
  readonly box: Box;
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

/** A layout with its boxes: what the renderer draws from. */
export interface Scene {
  readonly layout: Layout;
  readonly nodes: readonly Node[];
  /** Indices of the nodes, each after those that it places. */
  readonly order: readonly number[];
  readonly top: Node;
}

// Rendering goes down the hierarchy on the stack.
const DEPTH_LIMIT = 500;

/** Index a layout. The top is the cell of that name, or else the largest that nobody places. */
export function buildScene(layout: Layout, topName?: string): Scene {
  const { order, roots } = sortCells(layout);
  const nodes: Node[] = new Array(layout.cells.length);
  const extents = new Extents(layout.layers.length + 1);
  for (const index of order) nodes[index] = buildNode(layout.cells[index] as Cell, nodes, extents);
  const candidates = roots.map((index) => nodes[index] as Node).sort((a, b) => b.box.area - a.box.area);
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

function buildNode(cell: Cell, nodes: readonly Node[], extents: Extents): Node {
  extents.clear();
  const texts = cell.shapes.length;
  const polygons = cell.shapes.map((shapes) => shapes && polygonBoxes(shapes));
  const rects = cell.shapes.map((shapes, layer) => {
    if (!shapes) return undefined;
    measure(shapes, polygons[layer] as Int32Array, layer, extents);
    for (let i = 0; i < shapes.texts.length; i += 3) {
      const [x, y] = [shapes.texts[i] as number, shapes.texts[i + 1] as number];
      extents.add(texts, x, y, x, y);
    }
    return chunk(shapes.rects);
  });
  const runs = gather(cell.places);
  for (const { child, turn, at } of runs) {
    const around = boxOf(at);
    measureCopies(nodes[child] as Node, TURNS[turn], at.length / 2, around, extents);
  }
  const { grids, free } = cell;
  for (let i = 0; i < grids.length; i += 10) {
    const grid = gridAt(grids, i);
    const around = spanBox(new Box(grid.x, grid.y, grid.x, grid.y), grid);
    measureCopies(nodes[grids[i] as number] as Node, TURNS[grid.turn], grid.nx * grid.ny, around, extents);
  }
  for (let i = 0; i < free.length; i += 6) {
    const { a, b, c, d, x, y } = freeAt(free, i);
    measureCopies(nodes[free[i] as number] as Node, [a, b, c, d], 1, new Box(x, y, x, y), extents);
  }
  const { layerBoxes, density } = extents.done();
  const box = new Box();
  for (const each of layerBoxes) box.addBox(each);
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
