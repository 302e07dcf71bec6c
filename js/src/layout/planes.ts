import { moveRows } from "./shift";
import { Specks } from "./specks";
import { plotDots, type Rows, type Spots } from "./spots";

const ALL = 0xffffffff;

/** Above this density coverage is drawn as the layer's own filling, below it as one or two pixels of four. */
const DENSE = 0.7;
const HALF = 0.3;

/** A polygon that is narrower than this (pixels) is drawn as its box. */
export const THIN = 2;

/**
 * One layer of the picture as two bitmaps, filling and frame, the way KLayout draws: what overlaps within a layer is
 * drawn once, and the stipple goes over the whole. Positions are in pixels, y upwards.
 */
export class Planes {
  /** 32-bit words per row. */
  readonly words: number;
  readonly fill: Int32Array;
  readonly frame: Int32Array;
  /** The rows that were touched since `clear`; none when low > high. */
  low: number;
  high = -1;
  // What is drawn now: all, or the strip that a pan has uncovered. Pixels, both ends included.
  private left = 0;
  private bottom = 0;
  private right: number;
  private top: number;
  // Patterns are tied to the layout, so that they go on without a seam where a pan adds a strip.
  private oddX = 0;
  private oddY = 0;
  private crossings = new Float64Array(64);

  constructor(
    readonly width: number,
    readonly height: number,
    /** Where small cells are gathered; layers that are drawn one after the other may share it. */
    private specks?: Specks,
  ) {
    this.words = (width + 31) >>> 5;
    this.fill = new Int32Array(this.words * height);
    this.frame = new Int32Array(this.words * height);
    this.low = height;
    this.right = width - 1;
    this.top = height - 1;
  }

  /** Draw only within these pixels, both ends included. */
  clip(left: number, bottom: number, right: number, top: number): void {
    this.left = Math.max(0, left);
    this.bottom = Math.max(0, bottom);
    this.right = Math.min(this.width - 1, right);
    this.top = Math.min(this.height - 1, top);
  }

  /** Whether a box is wholly outside of what is drawn now. */
  misses(x1: number, y1: number, x2: number, y2: number): boolean {
    return x2 < this.left || y2 < this.bottom || x1 >= this.right + 1 || y1 >= this.top + 1;
  }

  /** Where the layout's origin is, pixels. */
  origin(x: number, y: number): void {
    this.oddX = x & 1;
    this.oddY = y & 1;
  }

  /** Cells of a pixel or two: one at each place of a list, with this box around it. They are drawn by `settle`. */
  cells(list: Spots, x1: number, y1: number, x2: number, y2: number): void {
    this.specks ??= new Specks(this.width, this.height);
    this.specks.add(list, [x1, y1, x2, y2], [this.left, this.bottom, this.right, this.top]);
  }

  /** All of the dots, at each of the places. */
  dots(dots: Spots, places: Spots): void {
    const window = [this.left, this.bottom, this.right, this.top] as const;
    this.touch(plotDots({ bits: this.frame, words: this.words, window }, dots, places));
  }

  /** Draw the small cells; `phase` (0 to 3) is which pixel of 2 by 2 a layer keeps for itself in a crowd of them. */
  settle(phase: number): void {
    if (!this.specks) return;
    this.touch(this.specks.settle(this.fill, this.frame, phase ^ (this.oddX | (this.oddY << 1))));
  }

  private touch([low, high]: Rows): void {
    this.low = Math.min(this.low, low);
    this.high = Math.max(this.high, high);
  }

  /** Move what is drawn by whole pixels; what comes in from beyond the edges is empty. */
  shift(dx: number, dy: number): void {
    if (this.high < this.low) return;
    const { words, height } = this;
    const low = Math.max(0, this.low + dy);
    const high = Math.min(height - 1, this.high + dy);
    for (const plane of [this.fill, this.frame]) {
      if (low <= high) moveRows(plane, words, low, high, dx, dy, this.width);
      // Rows that were drawn on and are not any more.
      plane.fill(0, this.low * words, Math.min(low, this.high + 1) * words);
      plane.fill(0, (Math.max(high, this.low - 1) + 1) * words, (this.high + 1) * words);
    }
    [this.low, this.high] = low <= high ? [low, high] : [height, -1];
  }

  clear(): void {
    if (this.high >= this.low) {
      const [from, to] = [this.low * this.words, (this.high + 1) * this.words];
      this.fill.fill(0, from, to);
      this.frame.fill(0, from, to);
    }
    this.low = this.height;
    this.high = -1;
  }

  /** Set the words of a row that have anything in them. */
  mark(y: number, words: Int32Array): void {
    if (y < this.low || y > this.high) return;
    const start = y * this.words;
    for (let k = 0; k < words.length; k++) if (this.fill[start + k] || this.frame[start + k]) words[k] = ALL;
  }

  /**
   * A rectangle with its frame; what is thinner than three pixels is all frame, so that it stays visible. One smaller
   * than a pixel is a single one, as in KLayout: the pixels that it touches would make vias four times as large.
   */
  rect(x1: number, y1: number, x2: number, y2: number): void {
    if (x2 - x1 < 1 && y2 - y1 < 1) {
      this.dot((x1 + x2) / 2, (y1 + y2) / 2);
      return;
    }
    const { left: l, bottom: b, right: r, top: t } = this;
    if (!(x2 >= l && y2 >= b && x1 < r + 1 && y1 < t + 1)) return;
    const left = x1 < l ? l : x1 | 0;
    const end = x2 > r ? r : x2 | 0;
    const bottom = y1 < b ? b : y1 | 0;
    const upper = y2 > t ? t : y2 | 0;
    if (bottom < this.low) this.low = bottom;
    if (upper > this.high) this.high = upper;
    // Cut by the edge of the view a large one may look thin, but is not.
    if (
      (end - left < 2 && Math.floor(x2) - Math.floor(x1) < 2) ||
      (upper - bottom < 2 && Math.floor(y2) - Math.floor(y1) < 2)
    )
      this.bar(this.frame, left, bottom, end, upper);
    else this.framed(left, bottom, end, upper, [x1 >= l, y1 >= b, x2 < r + 1, y2 < t + 1]);
  }

  /** A rectangle with those of its sides that are in view: left, lower, right, upper. */
  private framed(
    left: number,
    bottom: number,
    right: number,
    upper: number,
    sides: readonly [boolean, boolean, boolean, boolean],
  ): void {
    this.bar(this.fill, left, bottom, right, upper);
    if (sides[1]) this.bar(this.frame, left, bottom, right, bottom);
    if (sides[3]) this.bar(this.frame, left, upper, right, upper);
    if (sides[0]) this.column(left, bottom, upper);
    if (sides[2]) this.column(right, bottom, upper);
  }

  private dot(x: number, y: number): void {
    if (!(x >= this.left && y >= this.bottom && x < this.right + 1 && y < this.top + 1)) return;
    const row = y | 0;
    if (row < this.low) this.low = row;
    if (row > this.high) this.high = row;
    const index = row * this.words + (x >> 5);
    this.frame[index] = (this.frame[index] as number) | (1 << (x & 31));
  }

  /**
   * The rectangles x1, y1, x2, y2, … at `from` to before `to` of a list, times `sx` and `sy`, at each of the places;
   * `turned` ones have x and y exchanged first.
   */
  rects(
    list: Int32Array,
    from: number,
    to: number,
    turned: boolean,
    sx: number,
    sy: number,
    places: Spots,
  ): void {
    const forX = turned ? 1 : 0;
    const forY = turned ? 0 : 1;
    // The left and the lower side.
    const firstX = sx < 0 ? forX + 2 : forX;
    const lastX = sx < 0 ? forX : forX + 2;
    const firstY = sy < 0 ? forY + 2 : forY;
    const lastY = sy < 0 ? forY : forY + 2;
    for (let k = 0; k < places.length; k += 2) {
      const dx = places.at[k] as number;
      const dy = places.at[k + 1] as number;
      for (let i = from; i < to; i += 4)
        this.rect(
          sx * (list[i + firstX] as number) + dx,
          sy * (list[i + firstY] as number) + dy,
          sx * (list[i + lastX] as number) + dx,
          sy * (list[i + lastY] as number) + dy,
        );
    }
  }

  /**
   * A cell too small to be drawn: a pattern as dense as its shapes, of one pixel at least. `phase` (0 to 3) sets layers
   * side by side within blocks of 2 by 2 pixels, so that the upper ones do not hide the lower ones.
   */
  cover(x1: number, y1: number, x2: number, y2: number, density: number, phase: number): void {
    const { left: l, bottom: b, right: r, top: t } = this;
    if (!(x2 >= l && y2 >= b && x1 < r + 1 && y1 < t + 1)) return;
    if (density > DENSE && x2 - x1 > 4 && y2 - y1 > 4) {
      const left = x1 < l ? l : x1 | 0;
      const end = x2 > r ? r : x2 | 0;
      const bottom = y1 < b ? b : y1 | 0;
      const upper = y2 > t ? t : y2 | 0;
      if (bottom < this.low) this.low = bottom;
      if (upper > this.high) this.high = upper;
      this.bar(this.fill, left, bottom, end, upper);
      return;
    }
    const tied = phase ^ (this.oddX | (this.oddY << 1));
    this.lattice(x1, y1, x2, y2, tied);
    if (density > HALF) this.lattice(x1, y1, x2, y2, tied ^ 3);
  }

  /** The pixel `phase` of every 2 by 2 block in the rectangle, one at least; blocks begin at the layout's origin. */
  private lattice(x1: number, y1: number, x2: number, y2: number, phase: number): void {
    const { oddX, oddY } = this;
    const clampX = (x: number) => Math.min(Math.max(Math.floor(x), this.left), this.right);
    const clampY = (y: number) => Math.min(Math.max(Math.floor(y), this.bottom), this.top);
    let [from, to, lowest, highest] = [clampX(x1), clampX(x2), clampY(y1), clampY(y2)];
    // One that is a single pixel wide or high may take the other one of its block.
    if (from === to) {
      from = Math.max(((to + oddX) & ~1) - oddX, this.left);
      to = Math.min(((to + oddX) | 1) - oddX, this.right);
    }
    if (lowest === highest) {
      lowest = Math.max(((highest + oddY) & ~1) - oddY, this.bottom);
      highest = Math.min(((highest + oddY) | 1) - oddY, this.top);
    }
    const pixel = 0x55555555 << (phase & 1);
    const [first, last] = [from >>> 5, to >>> 5];
    const startMask = pixel & (ALL << (from & 31));
    const endMask = pixel & (ALL >>> (31 - (to & 31)));
    for (let y = lowest + ((lowest ^ (phase >> 1)) & 1); y <= highest; y += 2) {
      if (y < this.low) this.low = y;
      if (y > this.high) this.high = y;
      const row = y * this.words;
      if (first === last)
        this.frame[row + first] = (this.frame[row + first] as number) | (startMask & endMask);
      else {
        this.frame[row + first] = (this.frame[row + first] as number) | startMask;
        for (let k = first + 1; k < last; k++) this.frame[row + k] = (this.frame[row + k] as number) | pixel;
        this.frame[row + last] = (this.frame[row + last] as number) | endMask;
      }
    }
  }

  /** A polygon (even-odd) of `count` corners x, y, … with its frame. */
  polygon(points: Float64Array, count: number): void {
    let [x1, y1, x2, y2] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, -1, -1];
    for (let i = 0; i < count; i++) {
      const x = points[2 * i] as number;
      const y = points[2 * i + 1] as number;
      if (x < x1) x1 = x;
      if (x > x2) x2 = x;
      if (y < y1) y1 = y;
      if (y > y2) y2 = y;
    }
    if (!(x2 >= this.left && y2 >= this.bottom && x1 < this.right + 1 && y1 < this.top + 1)) return;
    if (x2 - x1 < THIN || y2 - y1 < THIN) {
      this.rect(x1, y1, x2, y2);
      return;
    }
    const bottom = Math.max(this.bottom, Math.floor(y1));
    const upper = Math.min(this.top, Math.floor(y2));
    if (bottom < this.low) this.low = bottom;
    if (upper > this.high) this.high = upper;
    for (let y = bottom; y <= upper; y++) this.scan(points, count, y);
    let px = points[2 * count - 2] as number;
    let py = points[2 * count - 1] as number;
    for (let i = 0; i < count; i++) {
      const x = points[2 * i] as number;
      const y = points[2 * i + 1] as number;
      this.line(px, py, x, y);
      px = x;
      py = y;
    }
  }

  /** Fill one row of a polygon, at the middle of the pixels. */
  private scan(points: Float64Array, count: number, row: number): void {
    const y = row + 0.5;
    let found = 0;
    let px = points[2 * count - 2] as number;
    let py = points[2 * count - 1] as number;
    for (let i = 0; i < count; i++) {
      const cx = points[2 * i] as number;
      const cy = points[2 * i + 1] as number;
      if (py <= y !== cy <= y) {
        if (found === this.crossings.length) {
          const longer = new Float64Array(2 * found);
          longer.set(this.crossings);
          this.crossings = longer;
        }
        // Insertion keeps them sorted; there are two, nearly always.
        const x = px + ((cx - px) * (y - py)) / (cy - py);
        let k = found++;
        for (; k > 0 && (this.crossings[k - 1] as number) > x; k--)
          this.crossings[k] = this.crossings[k - 1] as number;
        this.crossings[k] = x;
      }
      px = cx;
      py = cy;
    }
    for (let k = 0; k + 1 < found; k += 2) {
      const from = this.crossings[k] as number;
      const to = this.crossings[k + 1] as number;
      if (to < this.left || from >= this.right + 1) continue;
      const end = to > this.right ? this.right : to | 0;
      this.bar(this.fill, from < this.left ? this.left : from | 0, row, end, row);
    }
  }

  /** A line of one pixel in the frame, clipped. */
  private line(x1: number, y1: number, x2: number, y2: number): void {
    const [dx, dy] = [x2 - x1, y2 - y1];
    let [from, to] = [0, 1];
    for (const [step, start, low, high] of [
      [dx, x1, this.left, this.right + 1],
      [dy, y1, this.bottom, this.top + 1],
    ] as const) {
      if (step === 0) {
        if (start < low || start >= high) return;
        continue;
      }
      const [enter, leave] = [(low - start) / step, (high - 0.001 - start) / step];
      from = Math.max(from, Math.min(enter, leave));
      to = Math.min(to, Math.max(enter, leave));
    }
    if (from > to) return;
    const [ax, ay] = [x1 + from * dx, y1 + from * dy];
    const [bx, by] = [x1 + to * dx, y1 + to * dy];
    if (dx === 0) {
      this.column(ax | 0, Math.min(ay, by) | 0, Math.max(ay, by) | 0);
      return;
    }
    if (dy === 0) {
      this.bar(this.frame, Math.min(ax, bx) | 0, ay | 0, Math.max(ax, bx) | 0, ay | 0);
      return;
    }
    const steps = Math.ceil(Math.max(Math.abs(bx - ax), Math.abs(by - ay), 1));
    for (let i = 0; i <= steps; i++) {
      const x = (ax + ((bx - ax) * i) / steps) | 0;
      const index = ((ay + ((by - ay) * i) / steps) | 0) * this.words + (x >>> 5);
      this.frame[index] = (this.frame[index] as number) | (1 << (x & 31));
    }
  }

  private column(x: number, bottom: number, upper: number): void {
    const bit = 1 << (x & 31);
    const end = upper * this.words + (x >>> 5);
    for (let i = bottom * this.words + (x >>> 5); i <= end; i += this.words)
      this.frame[i] = (this.frame[i] as number) | bit;
  }

  private bar(plane: Int32Array, left: number, bottom: number, right: number, upper: number): void {
    const first = left >>> 5;
    const last = right >>> 5;
    const startMask = ALL << (left & 31);
    const endMask = ALL >>> (31 - (right & 31));
    const end = upper * this.words;
    if (first === last) {
      const mask = startMask & endMask;
      for (let i = bottom * this.words + first; i <= end + first; i += this.words)
        plane[i] = (plane[i] as number) | mask;
      return;
    }
    for (let row = bottom * this.words; row <= end; row += this.words) {
      plane[row + first] = (plane[row + first] as number) | startMask;
      for (let i = row + first + 1; i < row + last; i++) plane[i] = ALL;
      plane[row + last] = (plane[row + last] as number) | endMask;
    }
  }
}
