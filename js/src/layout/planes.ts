const ALL = 0xffffffff;

/** Above this density coverage is drawn as the layer's own filling, below it as one or two pixels of four. */
const DENSE = 0.7;
const HALF = 0.3;

/**
 * One layer of the picture as two bitmaps, filling and frame, the way KLayout draws: what overlaps within a layer is
 * drawn once, and the stipple goes over the whole. Positions are in pixels, y upwards.
 */
export class Planes {
  /** 32-bit words per row. */
  readonly words: number;
  readonly fill: Uint32Array;
  readonly frame: Uint32Array;
  /** The rows that were touched since `clear`; none when low > high. */
  low: number;
  high = -1;
  private readonly right: number;
  private readonly top: number;
  private crossings = new Float64Array(64);

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.words = (width + 31) >>> 5;
    this.fill = new Uint32Array(this.words * height);
    this.frame = new Uint32Array(this.words * height);
    this.low = height;
    this.right = width - 1;
    this.top = height - 1;
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

  /** A rectangle with its frame; what is thinner than two pixels is all frame, so that it stays visible. */
  rect(x1: number, y1: number, x2: number, y2: number): void {
    const { right, top } = this;
    if (!(x2 >= 0 && y2 >= 0 && x1 <= right && y1 <= top)) return;
    const left = x1 < 0 ? 0 : x1 | 0;
    const end = x2 > right ? right : x2 | 0;
    const bottom = y1 < 0 ? 0 : y1 | 0;
    const upper = y2 > top ? top : y2 | 0;
    if (bottom < this.low) this.low = bottom;
    if (upper > this.high) this.high = upper;
    if (end - left < 2 || upper - bottom < 2) {
      this.bar(this.frame, left, bottom, end, upper);
      return;
    }
    this.bar(this.fill, left, bottom, end, upper);
    if (y1 >= 0) this.bar(this.frame, left, bottom, end, bottom);
    if (y2 <= top) this.bar(this.frame, left, upper, end, upper);
    if (x1 >= 0) this.column(left, bottom, upper);
    if (x2 <= right) this.column(end, bottom, upper);
  }

  /**
   * A cell too small to be drawn: a pattern as dense as its shapes, of one pixel at least. `phase` (0 to 3) sets layers
   * side by side within blocks of 2 by 2 pixels, so that the upper ones do not hide the lower ones.
   */
  cover(x1: number, y1: number, x2: number, y2: number, density: number, phase: number): void {
    const { right, top } = this;
    if (!(x2 >= 0 && y2 >= 0 && x1 <= right && y1 <= top)) return;
    const left = x1 < 0 ? 0 : x1 | 0;
    const end = x2 > right ? right : x2 | 0;
    const bottom = y1 < 0 ? 0 : y1 | 0;
    const upper = y2 > top ? top : y2 | 0;
    if (density > DENSE && end - left > 3 && upper - bottom > 3) {
      if (bottom < this.low) this.low = bottom;
      if (upper > this.high) this.high = upper;
      this.bar(this.fill, left, bottom, end, upper);
      return;
    }
    this.lattice(left, bottom, end, upper, phase);
    if (density > HALF) this.lattice(left, bottom, end, upper, phase ^ 3);
  }

  /** The pixel `phase` of every 2 by 2 block that the rectangle touches. */
  private lattice(left: number, bottom: number, end: number, upper: number, phase: number): void {
    const dy = phase >> 1;
    const pixel = 0x55555555 << (phase & 1);
    const from = left & ~1;
    const to = end | 1;
    const [first, last] = [from >>> 5, to >>> 5];
    const startMask = pixel & (ALL << (from & 31));
    const endMask = pixel & (ALL >>> (31 - (to & 31)));
    for (let y = (bottom & ~1) + dy; y <= (upper | 1); y += 2) {
      if (y > this.top) break;
      if (y < this.low) this.low = y;
      if (y > this.high) this.high = y;
      const row = y * this.words;
      if (first === last)
        this.frame[row + first] = (this.frame[row + first] as number) | (startMask & endMask);
      else {
        this.frame[row + first] = (this.frame[row + first] as number) | startMask;
        for (let k = first + 1; k < last; k++) this.frame[row + k] = (this.frame[row + k] as number) | pixel;
        if (last < this.words) this.frame[row + last] = (this.frame[row + last] as number) | endMask;
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
    if (!(x2 >= 0 && y2 >= 0 && x1 <= this.right && y1 <= this.top)) return;
    if (x2 - x1 < 2 || y2 - y1 < 2) {
      this.rect(x1, y1, x2, y2);
      return;
    }
    const bottom = Math.max(0, Math.floor(y1));
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
      if (to < 0 || from > this.right) continue;
      this.bar(this.fill, from < 0 ? 0 : from | 0, row, to > this.right ? this.right : to | 0, row);
    }
  }

  /** A line of one pixel in the frame, clipped. */
  private line(x1: number, y1: number, x2: number, y2: number): void {
    const [dx, dy] = [x2 - x1, y2 - y1];
    let [from, to] = [0, 1];
    for (const [step, start, size] of [
      [dx, x1, this.width],
      [dy, y1, this.height],
    ] as const) {
      if (step === 0) {
        if (start < 0 || start >= size) return;
        continue;
      }
      const [enter, leave] = [-start / step, (size - 0.001 - start) / step];
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

  private bar(plane: Uint32Array, left: number, bottom: number, right: number, upper: number): void {
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
