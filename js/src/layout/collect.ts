import { TURNS } from "./geometry";
import { freeAt, gridAt, type Node, type PlacedGrid, type Scene } from "./scene";
import { Spots } from "./spots";

/** What of a layout is in view: centre in database units, and pixels per database unit. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

/** A cell in view, in one of its turns: (a, b, c, d) to pixels, and where its copies are. */
export interface Seen {
  readonly node: Node;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly drawn: Spots;
  /** Too small to be drawn. */
  readonly covered: Spots;
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

// A cell has eight turns; placed at many angles, each is one of its own.
const TURN_LIMIT = 16;

// A frame looks at so many cells at most, whatever a file does; the rest is covered, and the view says so.
const VISIT_LIMIT = 3_000_000;

/** What all copies of a cell in one turn share. */
class Turned {
  seen: Seen | undefined;
  /** The middle of the cell's box from where the cell is, and half its size; pixels. */
  readonly middleX: number;
  readonly middleY: number;
  readonly reachX: number;
  readonly reachY: number;

  constructor(
    readonly node: Node,
    readonly a: number,
    readonly b: number,
    readonly c: number,
    readonly d: number,
    readonly outlined: boolean,
  ) {
    const { box } = node;
    const middleX = (box.x1 + box.x2) / 2;
    const middleY = (box.y1 + box.y2) / 2;
    const halfX = (box.x2 - box.x1) / 2;
    const halfY = (box.y2 - box.y1) / 2;
    this.middleX = a * middleX + b * middleY;
    this.middleY = c * middleX + d * middleY;
    this.reachX = Math.abs(a) * halfX + Math.abs(b) * halfY;
    this.reachY = Math.abs(c) * halfX + Math.abs(d) * halfY;
  }
}

/** Goes down the hierarchy and finds what is in view, and in which detail. */
export class Collector {
  readonly fields: Field[] = [];
  /** Some cells large enough to be drawn were covered. */
  simplified = false;
  private visits = 0;
  private level = 0;
  private readonly inView = new Map<Node, Seen[]>();
  private readonly beneath = new Map<Node, Seen[]>();

  constructor(
    private readonly scene: Scene,
    private readonly window: Window,
    /** Cells smaller than this (pixels) are covered. */
    private readonly detail: number,
    private readonly limits: Limits = NO_LIMITS,
    /** Only what has labels is wanted, and drawn. */
    private readonly labels = false,
  ) {}

  /** What is in view. */
  get seen(): Seen[] {
    return [...this.inView.values()].flat();
  }

  /** Cells below the depth limit: drawn as outlines. */
  get outlines(): Seen[] {
    return [...this.beneath.values()].flat();
  }

  /** `x` and `y` are where the layout's origin is, pixels. */
  collect(x: number, y: number, scale: number): void {
    const turned = this.turned(this.scene.top, scale, 0, 0, scale);
    if (turned) this.place(turned, x, y);
  }

  /** How a cell is in a turn; undefined when nothing of it is to be seen. */
  private turned(node: Node, a: number, b: number, c: number, d: number): Turned | undefined {
    if (node.box.empty || this.limits.hidden.has(node) || (this.labels && !node.labelled)) return undefined;
    return new Turned(node, a, b, c, d, this.level >= this.limits.depth);
  }

  private small({ reachX, reachY }: Turned): boolean {
    return reachX * 2 < this.detail && reachY * 2 < this.detail;
  }

  private listed(of: Map<Node, Seen[]>, { node, a, b, c, d }: Turned): Seen {
    let list = of.get(node);
    if (!list) {
      list = [];
      of.set(node, list);
    }
    if (list.length < TURN_LIMIT)
      for (const seen of list) if (seen.a === a && seen.b === b && seen.c === c && seen.d === d) return seen;
    const seen = { node, a, b, c, d, drawn: new Spots(), covered: new Spots() };
    list.push(seen);
    return seen;
  }

  /** A copy of a cell; `x` and `y` are where its origin is, pixels. */
  private place(turned: Turned, x: number, y: number): void {
    this.visits++;
    const [left, bottom, right, top] = this.window;
    const { node, reachX, reachY } = turned;
    const px = turned.middleX + x;
    const py = turned.middleY + y;
    if (px + reachX < left || py + reachY < bottom || px - reachX > right || py - reachY > top) return;
    turned.seen ??= this.listed(turned.outlined ? this.beneath : this.inView, turned);
    const { drawn, covered } = turned.seen;
    if (turned.outlined) drawn.add(x, y);
    else if (this.small(turned) || this.visits > VISIT_LIMIT) {
      if (!this.small(turned)) this.simplified = true;
      if (!this.labels) covered.add(x, y);
    } else {
      drawn.add(x, y);
      if (node.leaf) return;
      this.level++;
      this.descend(node, turned.a, turned.b, turned.c, turned.d, x, y);
      this.level--;
    }
  }

  /** As `place` does with each of them, for copies that are small: most of them all, when all of a chip is seen. */
  private cover(
    turned: Turned,
    places: Int32Array,
    [a, b, c, d, x, y]: readonly [number, number, number, number, number, number],
  ): void {
    this.visits += places.length / 2;
    if (this.labels) return;
    const [left, bottom, right, top] = this.window;
    const { middleX, middleY, reachX, reachY } = turned;
    turned.seen ??= this.listed(this.inView, turned);
    const { covered } = turned.seen;
    for (let i = 0; i < places.length; i += 2) {
      const dx = places[i] as number;
      const dy = places[i + 1] as number;
      const px = a * dx + b * dy + x;
      const py = c * dx + d * dy + y;
      const mx = middleX + px;
      const my = middleY + py;
      if (mx + reachX < left || my + reachY < bottom || mx - reachX > right || my - reachY > top) continue;
      covered.add(px, py);
    }
  }

  private descend(node: Node, a: number, b: number, c: number, d: number, x: number, y: number): void {
    const { nodes } = this.scene;
    const { grids, free } = node.cell;
    for (const { child, turn, at } of node.runs) {
      const [e, f, g, h] = TURNS[turn];
      const target = nodes[child] as Node;
      const turned = this.turned(target, a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h);
      if (!turned) continue;
      if (this.small(turned) && !turned.outlined) this.cover(turned, at, [a, b, c, d, x, y]);
      else
        for (let i = 0; i < at.length; i += 2) {
          const dx = at[i] as number;
          const dy = at[i + 1] as number;
          this.place(turned, a * dx + b * dy + x, c * dx + d * dy + y);
        }
    }
    for (let i = 0; i < grids.length; i += 10) {
      const grid = gridAt(grids, i);
      const [e, f, g, h] = TURNS[grid.turn];
      const target = nodes[grids[i] as number] as Node;
      const turned = this.turned(target, a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h);
      const pixels = {
        ...grid,
        x: a * grid.x + b * grid.y + x,
        y: c * grid.x + d * grid.y + y,
        ax: a * grid.ax + b * grid.ay,
        ay: c * grid.ax + d * grid.ay,
        bx: a * grid.bx + b * grid.by,
        by: c * grid.bx + d * grid.by,
      };
      if (turned) this.array(turned, pixels);
    }
    for (let i = 0; i < free.length; i += 6) {
      const t = freeAt(free, i);
      const target = nodes[free[i] as number] as Node;
      const turned = this.turned(
        target,
        a * t.a + b * t.c,
        a * t.b + b * t.d,
        c * t.a + d * t.c,
        c * t.b + d * t.d,
      );
      if (turned) this.place(turned, a * t.x + b * t.y + x, c * t.x + d * t.y + y);
    }
  }

  /** Visit those copies of an array that may be in view; positions of `grid` are pixels. */
  private array(turned: Turned, grid: PlacedGrid): void {
    const { node, a, b, c, d, reachX, reachY } = turned;
    const close = (count: number, sx: number, sy: number) =>
      count === 1 || (Math.abs(sx) < 2 * this.detail && Math.abs(sy) < 2 * this.detail);
    const transform = [a, b, c, d, grid.x, grid.y];
    const covered = this.small(turned) && !turned.outlined && !this.labels;
    if (covered && close(grid.nx, grid.ax, grid.ay) && close(grid.ny, grid.bx, grid.by)) {
      this.fields.push({ node, transform, grid });
      return;
    }
    const [px, py] = [turned.middleX + grid.x, turned.middleY + grid.y];
    const [left, bottom, right, top] = this.window;
    const window: Window = [left - reachX - px, bottom - reachY - py, right + reachX - px, top + reachY - py];
    const [i1, j1, i2, j2] = indices(grid, window);
    if (this.visits + (i2 - i1 + 1) * (j2 - j1 + 1) > VISIT_LIMIT) {
      this.simplified = true;
      this.fields.push({ node, transform, grid });
      return;
    }
    for (let j = j1; j <= j2; j++)
      for (let i = i1; i <= i2; i++)
        this.place(turned, grid.x + i * grid.ax + j * grid.bx, grid.y + i * grid.ay + j * grid.by);
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
