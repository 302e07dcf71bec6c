import { TURNS, type Turn } from "./geometry";
import { freeAt, gridAt, type Node, type PlacedGrid, type Scene } from "./scene";

/** What of a layout is in view: centre in database units, and pixels per database unit. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

/** A cell in view, with the transforms (a, b, c, d, x, y to pixels) of those drawn, and of those only covered. */
export interface Seen {
  readonly node: Node;
  readonly drawn: number[];
  readonly covered: number[];
}

/** An array of cells too small and too close to tell apart. */
export interface Field {
  readonly node: Node;
  readonly transform: readonly number[];
  readonly grid: PlacedGrid;
}

/** Pixels: x1, y1, x2, y2, y upwards. */
export type Window = readonly [number, number, number, number];

/** What is left out on purpose. */
export interface Limits {
  /** Levels of the hierarchy that are drawn, 1 is the top cell alone; what is below shows as outlines. */
  readonly depth: number;
  readonly hidden: ReadonlySet<Node>;
}

export const NO_LIMITS: Limits = { depth: Number.POSITIVE_INFINITY, hidden: new Set() };

// A frame looks at so many cells at most, whatever a file does; the rest is covered, and the view says so.
const VISIT_LIMIT = 3_000_000;

/** Goes down the hierarchy and finds what is in view, and in which detail. */
export class Collector {
  readonly seen: Seen[] = [];
  readonly fields: Field[] = [];
  /** Some cells large enough to be drawn were covered. */
  simplified = false;
  /** Cells below the depth limit: drawn as outlines. */
  readonly outlines: Seen[] = [];
  private visits = 0;
  private level = 0;
  private readonly byNode = new Map<Node, Seen>();
  private readonly outlineOf = new Map<Node, Seen>();

  constructor(
    private readonly scene: Scene,
    private readonly window: Window,
    /** Cells smaller than this (pixels) are covered. */
    private readonly detail: number,
    private readonly limits: Limits = NO_LIMITS,
  ) {}

  /** `x` and `y` are where the layout's origin is, pixels. */
  collect(x: number, y: number, scale: number): void {
    this.visit(this.scene.top, scale, 0, 0, scale, x, y);
  }

  private seenOf(node: Node): Seen {
    let seen = this.byNode.get(node);
    if (!seen) {
      seen = { node, drawn: [], covered: [] };
      this.byNode.set(node, seen);
      this.seen.push(seen);
    }
    return seen;
  }

  private visit(node: Node, a: number, b: number, c: number, d: number, x: number, y: number): void {
    const { box } = node;
    if (box.empty) return;
    this.visits++;
    const [middleX, middleY] = [(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2];
    const [halfX, halfY] = [(box.x2 - box.x1) / 2, (box.y2 - box.y1) / 2];
    const px = a * middleX + b * middleY + x;
    const py = c * middleX + d * middleY + y;
    const reachX = Math.abs(a) * halfX + Math.abs(b) * halfY;
    const reachY = Math.abs(c) * halfX + Math.abs(d) * halfY;
    const [left, bottom, right, top] = this.window;
    if (px + reachX < left || py + reachY < bottom || px - reachX > right || py - reachY > top) return;
    if (this.limits.hidden.has(node)) return;
    if (this.level >= this.limits.depth) {
      this.outline(node).drawn.push(a, b, c, d, x, y);
      return;
    }
    const seen = this.seenOf(node);
    const small = reachX * 2 < this.detail && reachY * 2 < this.detail;
    if (small || this.visits > VISIT_LIMIT) {
      if (!small) this.simplified = true;
      seen.covered.push(a, b, c, d, x, y);
      return;
    }
    seen.drawn.push(a, b, c, d, x, y);
    if (node.leaf) return;
    this.level++;
    this.descend(node, a, b, c, d, x, y);
    this.level--;
  }

  private outline(node: Node): Seen {
    let seen = this.outlineOf.get(node);
    if (!seen) {
      seen = { node, drawn: [], covered: [] };
      this.outlineOf.set(node, seen);
      this.outlines.push(seen);
    }
    return seen;
  }

  private descend(node: Node, a: number, b: number, c: number, d: number, x: number, y: number): void {
    const { nodes } = this.scene;
    const { places, grids, free } = node.cell;
    for (let i = 0; i < places.length; i += 4) {
      const child = nodes[places[i] as number] as Node;
      const dx = places[i + 1] as number;
      const dy = places[i + 2] as number;
      const m = TURNS[places[i + 3] as Turn] as (typeof TURNS)[number];
      const [e, f, g, h] = [m[0], m[1], m[2], m[3]];
      this.visit(
        child,
        a * e + b * g,
        a * f + b * h,
        c * e + d * g,
        c * f + d * h,
        a * dx + b * dy + x,
        c * dx + d * dy + y,
      );
    }
    for (let i = 0; i < grids.length; i += 10) {
      const grid = gridAt(grids, i);
      const [e, f, g, h] = TURNS[grid.turn] as (typeof TURNS)[number];
      const first = [a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h];
      first.push(a * grid.x + b * grid.y + x, c * grid.x + d * grid.y + y);
      const pixels = {
        ...grid,
        ax: a * grid.ax + b * grid.ay,
        ay: c * grid.ax + d * grid.ay,
        bx: a * grid.bx + b * grid.by,
        by: c * grid.bx + d * grid.by,
      };
      this.array(nodes[grids[i] as number] as Node, first, pixels);
    }
    for (let i = 0; i < free.length; i += 6) {
      const t = freeAt(free, i);
      this.visit(
        nodes[free[i] as number] as Node,
        a * t.a + b * t.c,
        a * t.b + b * t.d,
        c * t.a + d * t.c,
        c * t.b + d * t.d,
        a * t.x + b * t.y + x,
        c * t.x + d * t.y + y,
      );
    }
  }

  /** Visit those copies of an array that may be in view; `first` is the transform of copy (0, 0), `grid` in pixels. */
  private array(node: Node, first: readonly number[], grid: PlacedGrid): void {
    const { box } = node;
    if (box.empty) return;
    const [a, b, c, d, x, y] = first as [number, number, number, number, number, number];
    const [halfX, halfY] = [(box.x2 - box.x1) / 2, (box.y2 - box.y1) / 2];
    const reachX = Math.abs(a) * halfX + Math.abs(b) * halfY;
    const reachY = Math.abs(c) * halfX + Math.abs(d) * halfY;
    const close = (count: number, sx: number, sy: number) =>
      count === 1 || (Math.abs(sx) < 2 * this.detail && Math.abs(sy) < 2 * this.detail);
    const small = reachX * 2 < this.detail && reachY * 2 < this.detail;
    if (this.limits.hidden.has(node)) return;
    const shown = this.level < this.limits.depth;
    if (shown && small && close(grid.nx, grid.ax, grid.ay) && close(grid.ny, grid.bx, grid.by)) {
      this.fields.push({ node, transform: first, grid });
      return;
    }
    const middleX = (box.x1 + box.x2) / 2;
    const middleY = (box.y1 + box.y2) / 2;
    const px = a * middleX + b * middleY + x;
    const py = c * middleX + d * middleY + y;
    const [left, bottom, right, top] = this.window;
    const window: Window = [left - reachX - px, bottom - reachY - py, right + reachX - px, top + reachY - py];
    const [i1, j1, i2, j2] = indices(grid, window);
    if (this.visits + (i2 - i1 + 1) * (j2 - j1 + 1) > VISIT_LIMIT) {
      this.simplified = true;
      this.fields.push({ node, transform: first, grid });
      return;
    }
    for (let j = j1; j <= j2; j++)
      for (let i = i1; i <= i2; i++)
        this.visit(node, a, b, c, d, x + i * grid.ax + j * grid.bx, y + i * grid.ay + j * grid.by);
  }
}

/** The smallest ranges i1, j1, i2, j2 that hold all copies i·a + j·b within the window x1, y1, x2, y2. */
export function indices(
  grid: Omit<PlacedGrid, "x" | "y" | "turn">,
  window: Window,
): [number, number, number, number] {
  const { nx, ny, ax, ay, bx, by } = grid;
  const [x1, y1, x2, y2] = window;
  const determinant = ax * by - ay * bx;
  if (nx > 1 && ny > 1) {
    if (Math.abs(determinant) < 1e-9) return [0, 0, nx - 1, ny - 1];
    let [i1, j1, i2, j2] = [nx, ny, 0, 0];
    for (const x of [x1, x2])
      for (const y of [y1, y2]) {
        const i = (x * by - y * bx) / determinant;
        const j = (y * ax - x * ay) / determinant;
        [i1, i2] = [Math.min(i1, Math.floor(i)), Math.max(i2, Math.ceil(i))];
        [j1, j2] = [Math.min(j1, Math.floor(j)), Math.max(j2, Math.ceil(j))];
      }
    return [Math.max(i1, 0), Math.max(j1, 0), Math.min(i2, nx - 1), Math.min(j2, ny - 1)];
  }
  const [sx, sy, last] = nx > 1 ? [ax, ay, nx - 1] : [bx, by, ny - 1];
  let [from, to] = [0, last];
  for (const [step, low, high] of [
    [sx, x1, x2],
    [sy, y1, y2],
  ] as const) {
    if (Math.abs(step) < 1e-9) continue;
    from = Math.max(from, Math.floor(Math.min(low / step, high / step)));
    to = Math.min(to, Math.ceil(Math.max(low / step, high / step)));
  }
  return nx > 1 ? [from, 0, to, 0] : [0, from, 0, to];
}
