import { TURNS, type Turn } from "./geometry";
import { transformBox } from "./raster";
import { freeAt, gridAt, type Node, type Scene } from "./scene";

/** A cell as the tree lists it. */
export interface CellInfo {
  readonly name: string;
  /** Indices of the cells placed in it, and how often each. */
  readonly children: readonly (readonly [number, number])[];
  /** How often the cell is in the layout, through all levels. */
  readonly count: number;
  /** Shapes and texts of its own. */
  readonly shapes: number;
}

/** All cells, in the layout's order; those that the top does not reach have a count of 0. */
export function listCells(scene: Scene): { cells: CellInfo[]; top: number } {
  const children = scene.nodes.map(({ cell }) => {
    const counts = new Map<number, number>();
    const add = (index: number, count: number) => counts.set(index, (counts.get(index) ?? 0) + count);
    for (let i = 0; i < cell.places.length; i += 4) add(cell.places[i] as number, 1);
    for (let i = 0; i < cell.grids.length; i += 10)
      add(cell.grids[i] as number, (cell.grids[i + 4] as number) * (cell.grids[i + 5] as number));
    for (let i = 0; i < cell.free.length; i += 6) add(cell.free[i] as number, 1);
    return [...counts].sort(([one], [other]) => nameOf(scene, one).localeCompare(nameOf(scene, other)));
  });
  const top = scene.nodes.indexOf(scene.top);
  const count = new Float64Array(scene.nodes.length);
  count[top] = 1;
  // From the top down: a cell's count is complete before it is handed on.
  for (const index of [...scene.order].reverse())
    for (const [child, times] of children[index] ?? [])
      count[child] = (count[child] as number) + times * (count[index] as number);
  const cells = scene.nodes.map(({ cell }, index) => ({
    name: cell.name,
    children: children[index] ?? [],
    count: count[index] as number,
    shapes: cell.shapes.reduce(
      (sum, shapes) =>
        shapes
          ? sum + shapes.rects.length / 4 + Math.max(0, shapes.starts.length - 1) + shapes.texts.length / 3
          : sum,
      0,
    ),
  }));
  return { cells, top };
}

const nameOf = (scene: Scene, index: number) => scene.nodes[index]?.cell.name ?? "";

/** Where a cell is placed: boxes x1, y1, x2, y2 in database units of the top cell, at most `limit` of them. */
export function findCell(scene: Scene, wanted: number, limit: number): Float64Array {
  const leads = new Set<Node>([scene.nodes[wanted] as Node]);
  for (const index of scene.order) {
    const node = scene.nodes[index] as Node;
    if (eachChild(node, (child) => leads.has(scene.nodes[child] as Node))) leads.add(node);
  }
  const boxes: number[] = [];
  const visit = (node: Node, t: readonly number[]): void => {
    if (boxes.length >= 4 * limit || !leads.has(node) || node.box.empty) return;
    if (node === scene.nodes[wanted]) {
      const { x1, y1, x2, y2 } = transformBox(node.box, t, 0);
      boxes.push(x1, y1, x2, y2);
      return;
    }
    eachPlacement(node, (child, m) => {
      const target = scene.nodes[child] as Node;
      if (leads.has(target)) visit(target, multiply(t, m));
      return boxes.length >= 4 * limit;
    });
  };
  visit(scene.top, [1, 0, 0, 1, 0, 0]);
  return Float64Array.from(boxes);
}

function eachChild(node: Node, test: (child: number) => boolean): boolean {
  const { places, grids, free } = node.cell;
  for (let i = 0; i < places.length; i += 4) if (test(places[i] as number)) return true;
  for (let i = 0; i < grids.length; i += 10) if (test(grids[i] as number)) return true;
  for (let i = 0; i < free.length; i += 6) if (test(free[i] as number)) return true;
  return false;
}

function eachPlacement(node: Node, visit: (child: number, t: readonly number[]) => boolean): void {
  const { places, grids, free } = node.cell;
  for (let i = 0; i < places.length; i += 4) {
    const turn = TURNS[places[i + 3] as Turn] as readonly number[];
    if (visit(places[i] as number, [...turn, places[i + 1] as number, places[i + 2] as number])) return;
  }
  for (let i = 0; i < grids.length; i += 10) {
    const grid = gridAt(grids, i);
    const turn = TURNS[grid.turn] as readonly number[];
    for (let j = 0; j < grid.ny; j++)
      for (let k = 0; k < grid.nx; k++) {
        const at = [grid.x + k * grid.ax + j * grid.bx, grid.y + k * grid.ay + j * grid.by];
        if (visit(grids[i] as number, [...turn, ...at])) return;
      }
  }
  for (let i = 0; i < free.length; i += 6) {
    const { a, b, c, d, x, y } = freeAt(free, i);
    if (visit(free[i] as number, [a, b, c, d, x, y])) return;
  }
}

function multiply(t: readonly number[], m: readonly number[]): number[] {
  const [a, b, c, d, x, y] = t as [number, number, number, number, number, number];
  const [e, f, g, h, dx, dy] = m as [number, number, number, number, number, number];
  return [
    a * e + b * g,
    a * f + b * h,
    c * e + d * g,
    c * f + d * h,
    a * dx + b * dy + x,
    c * dx + d * dy + y,
  ];
}
