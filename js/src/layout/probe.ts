import { CHUNK_SIZE } from "./chunks";
import { indices, type Limits } from "./collect";
import { Box, boxOf, TURNS, type Turn } from "./geometry";
import { transformBox } from "./raster";
import { freeAt, gridAt, type Node, type Scene } from "./scene";

type Transform = readonly [number, number, number, number, number, number];

/** A shape under the pointer; positions in database units of the top cell. */
export interface Hit {
  /** Index into the list of layers. */
  readonly rank: number;
  /** The cells from the top down to the one that has the shape. */
  readonly path: readonly string[];
  /** Corners x, y, … */
  readonly points: readonly number[];
}

/** A place on a shape that a ruler may begin or end at. */
export interface Snap {
  readonly x: number;
  readonly y: number;
  readonly kind: "corner" | "edge";
}

// A click looks at so many cells and shapes at most, whatever a file does.
const VISIT_LIMIT = 300_000;
const HIT_LIMIT = 50;

/** The shown layers: `layer` is the layout's index, `rank` that of the list; the uppermost first. */
export type Shown = readonly { readonly layer: number; readonly rank: number }[];

/** The shapes at a place, within `radius` database units; the smallest first, which is what one points at. */
export function pick(
  scene: Scene,
  shown: Shown,
  limits: Limits,
  x: number,
  y: number,
  radius: number,
): Hit[] {
  const hits: (Hit & { area: number })[] = [];
  new Walk(scene, shown, limits, x, y, radius, (rank, points, path) => {
    if (distance(points, x, y) > radius) return;
    const box = boxOf(points);
    const area = (box.x2 - box.x1) * (box.y2 - box.y1);
    hits.push({ rank, path: [...path], points: [...points], area });
  }).run();
  hits.sort((one, other) => one.area - other.area || other.rank - one.rank);
  return hits.slice(0, HIT_LIMIT).map(({ rank, path, points }) => ({ rank, path, points }));
}

/** The nearest corner within `radius` database units, or else the nearest point of an edge. */
export function snap(
  scene: Scene,
  shown: Shown,
  limits: Limits,
  x: number,
  y: number,
  radius: number,
): Snap | undefined {
  let [corner, edge]: (Snap | undefined)[] = [];
  let [toCorner, toEdge] = [radius, radius];
  new Walk(scene, shown, limits, x, y, radius, (_rank, points) => {
    for (let i = 0, k = points.length - 2; i < points.length; k = i, i += 2) {
      const [ax, ay, bx, by] = [points[k], points[k + 1], points[i], points[i + 1]] as Four;
      const away = Math.hypot(bx - x, by - y);
      if (away < toCorner) [toCorner, corner] = [away, { x: bx, y: by, kind: "corner" }];
      const [px, py] = nearest(ax, ay, bx, by, x, y);
      const beside = Math.hypot(px - x, py - y);
      if (beside < toEdge) [toEdge, edge] = [beside, { x: px, y: py, kind: "edge" }];
    }
  }).run();
  return corner ?? edge;
}

type Four = [number, number, number, number];

/** Goes down to all shapes whose box touches a small square. */
class Walk {
  private readonly path: string[] = [];
  private visits = 0;
  private readonly square: Box;

  constructor(
    private readonly scene: Scene,
    private readonly shown: Shown,
    private readonly limits: Limits,
    x: number,
    y: number,
    radius: number,
    private readonly found: (rank: number, points: readonly number[], path: readonly string[]) => void,
  ) {
    this.square = new Box(x - radius, y - radius, x + radius, y + radius);
  }

  run(): void {
    this.visit(this.scene.top, [1, 0, 0, 1, 0, 0]);
  }

  private visit(node: Node, t: Transform): void {
    if (node.box.empty || this.limits.hidden.has(node) || this.path.length >= this.limits.depth) return;
    if (++this.visits > VISIT_LIMIT || !touch(transformBox(node.box, t, 0), this.square)) return;
    this.path.push(node.cell.name);
    this.shapes(node, t);
    const [a, b, c, d, x, y] = t;
    const { places, grids, free } = node.cell;
    const go = (index: number, [e, f, g, h]: readonly number[], dx: number, dy: number) => {
      const m = [e, f, g, h] as Four;
      this.visit(this.scene.nodes[index] as Node, [
        a * m[0] + b * m[2],
        a * m[1] + b * m[3],
        c * m[0] + d * m[2],
        c * m[1] + d * m[3],
        a * dx + b * dy + x,
        c * dx + d * dy + y,
      ]);
    };
    for (let i = 0; i < places.length; i += 4) {
      const turn = TURNS[places[i + 3] as Turn] as readonly number[];
      go(places[i] as number, turn, places[i + 1] as number, places[i + 2] as number);
    }
    for (let i = 0; i < grids.length; i += 10) this.grid(node, t, i, go);
    for (let i = 0; i < free.length; i += 6) {
      const { a: e, b: f, c: g, d: h, x: dx, y: dy } = freeAt(free, i);
      go(free[i] as number, [e, f, g, h], dx, dy);
    }
    this.path.pop();
  }

  private grid(
    node: Node,
    t: Transform,
    at: number,
    go: (index: number, turn: readonly number[], dx: number, dy: number) => void,
  ): void {
    const grid = gridAt(node.cell.grids, at);
    const child = this.scene.nodes[node.cell.grids[at] as number] as Node;
    const [a, b, c, d, x, y] = t;
    const turn = TURNS[grid.turn] as Four;
    // The window is the square as the first copy's neighbours see it, in the top's coordinates.
    const first = transformBox(child.box, [turn[0], turn[1], turn[2], turn[3], grid.x, grid.y], 0);
    const box = transformBox(first, [a, b, c, d, x, y], 0);
    const { square } = this;
    const vector = (vx: number, vy: number) => [a * vx + b * vy, c * vx + d * vy] as const;
    const [ax, ay] = vector(grid.ax, grid.ay);
    const [bx, by] = vector(grid.bx, grid.by);
    const window = [square.x1 - box.x2, square.y1 - box.y2, square.x2 - box.x1, square.y2 - box.y1] as Four;
    const [i1, j1, i2, j2] = indices({ nx: grid.nx, ny: grid.ny, ax, ay, bx, by }, window);
    for (let j = j1; j <= j2 && this.visits < VISIT_LIMIT; j++)
      for (let i = i1; i <= i2 && this.visits < VISIT_LIMIT; i++)
        go(
          node.cell.grids[at] as number,
          turn,
          grid.x + i * grid.ax + j * grid.bx,
          grid.y + i * grid.ay + j * grid.by,
        );
  }

  private shapes(node: Node, t: Transform): void {
    for (const { layer, rank } of this.shown) {
      const shapes = node.cell.shapes[layer];
      const chunked = node.rects[layer];
      if (!shapes || !chunked) continue;
      const { rects, chunks } = chunked;
      for (let k = 0; k < chunks.length; k += CHUNK_SIZE) {
        const around = new Box(...([2, 3, 4, 5].map((each) => chunks[k + each]) as Four));
        if (!touch(transformBox(around, t, 0), this.square)) continue;
        for (let i = chunks[k] as number; i < (chunks[k + 1] as number); i++) {
          const [x1, y1, x2, y2] = rects.subarray(4 * i, 4 * i + 4) as unknown as Four;
          this.figure(rank, [x1, y1, x2, y1, x2, y2, x1, y2], t);
        }
      }
      const { points, starts } = shapes;
      for (let p = 0; p + 1 < starts.length; p++) {
        const outline = points.subarray(2 * (starts[p] as number), 2 * (starts[p + 1] as number));
        this.figure(rank, outline, t);
      }
    }
  }

  private figure(rank: number, outline: ArrayLike<number>, [a, b, c, d, x, y]: Transform): void {
    if (++this.visits > VISIT_LIMIT) return;
    const points: number[] = [];
    for (let i = 0; i < outline.length; i += 2) {
      const [px, py] = [outline[i] as number, outline[i + 1] as number];
      points.push(a * px + b * py + x, c * px + d * py + y);
    }
    if (touch(boxOf(points), this.square)) this.found(rank, points, this.path);
  }
}

const touch = (one: Box, other: Box) =>
  one.x1 <= other.x2 && one.x2 >= other.x1 && one.y1 <= other.y2 && one.y2 >= other.y1;

/** How far a place is from a polygon; 0 inside. */
function distance(points: readonly number[], x: number, y: number): number {
  let inside = false;
  let near = Number.POSITIVE_INFINITY;
  for (let i = 0, k = points.length - 2; i < points.length; k = i, i += 2) {
    const [ax, ay, bx, by] = [points[k], points[k + 1], points[i], points[i + 1]] as Four;
    if (ay > y !== by > y && x < ax + ((bx - ax) * (y - ay)) / (by - ay)) inside = !inside;
    const [px, py] = nearest(ax, ay, bx, by, x, y);
    near = Math.min(near, Math.hypot(x - px, y - py));
  }
  return inside ? 0 : near;
}

/** The point of the line from a to b that is nearest to x, y. */
function nearest(ax: number, ay: number, bx: number, by: number, x: number, y: number): [number, number] {
  const [dx, dy] = [bx - ax, by - ay];
  const t = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
  return [ax + t * dx, ay + t * dy];
}
