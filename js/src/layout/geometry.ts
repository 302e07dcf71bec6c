/** An orientation: quarter turns counterclockwise (0 to 3), plus 4 when mirrored at the x axis before. */
export type Turn = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** The matrices [a, b, c, d] of the turns: x' = a x + b y, y' = c x + d y. */
export const TURNS: Readonly<Record<Turn, readonly [number, number, number, number]>> = [
  [1, 0, 0, 1],
  [0, -1, 1, 0],
  [-1, 0, 0, -1],
  [0, 1, -1, 0],
  [1, 0, 0, -1],
  [0, 1, 1, 0],
  [-1, 0, 0, 1],
  [0, -1, -1, 0],
];

/** An upright box that grows; empty until something is added. */
export class Box {
  constructor(
    public x1 = Number.POSITIVE_INFINITY,
    public y1 = Number.POSITIVE_INFINITY,
    public x2 = Number.NEGATIVE_INFINITY,
    public y2 = Number.NEGATIVE_INFINITY,
  ) {}

  get empty(): boolean {
    return this.x1 > this.x2;
  }

  get area(): number {
    return this.empty ? 0 : (this.x2 - this.x1) * (this.y2 - this.y1);
  }

  add(x: number, y: number): void {
    if (x < this.x1) this.x1 = x;
    if (x > this.x2) this.x2 = x;
    if (y < this.y1) this.y1 = y;
    if (y > this.y2) this.y2 = y;
  }

  addBox(other: Box): void {
    if (other.empty) return;
    this.add(other.x1, other.y1);
    this.add(other.x2, other.y2);
  }
}

/** The box around points x, y, … */
export function boxOf(points: ArrayLike<number>): Box {
  const box = new Box();
  for (let i = 0; i < points.length; i += 2) box.add(points[i] as number, points[i + 1] as number);
  return box;
}
