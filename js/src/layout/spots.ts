const ALL = 0xffffffff;

/** A bitmap, 32 pixels to a word, and the part of it that is drawn on: pixels, both ends included. */
export interface Bitmap {
  readonly bits: Int32Array;
  readonly words: number;
  readonly window: readonly [left: number, bottom: number, right: number, top: number];
}

/** The lowest and the highest row that may have been drawn on; none when the first is above the second. */
export type Rows = readonly [low: number, high: number];

// Most cells are either drawn or covered: the other list stays empty.
const NOWHERE = new Float64Array(0);

/** Places that grow: x, y, x, y, …, pixels; those before `length` are there. */
export class Spots {
  length = 0;
  at = NOWHERE;
  private around: readonly [number, number, number, number] | undefined;

  add(x: number, y: number): void {
    if (this.length === this.at.length) this.grow();
    this.at[this.length++] = x;
    this.at[this.length++] = y;
    this.around = undefined;
  }

  private grow(): void {
    const longer = new Float64Array(Math.max(8, 4 * this.length));
    longer.set(this.at);
    this.at = longer;
  }

  clear(): void {
    this.length = 0;
    this.around = undefined;
  }

  /** The box around all of them, x1, y1, x2, y2; there must be one. */
  get box(): readonly [number, number, number, number] {
    if (this.around) return this.around;
    const { at, length } = this;
    let x1 = at[0] as number;
    let y1 = at[1] as number;
    let x2 = x1;
    let y2 = y1;
    for (let i = 2; i < length; i += 2) {
      const x = at[i] as number;
      const y = at[i + 1] as number;
      if (x < x1) x1 = x;
      if (x > x2) x2 = x;
      if (y < y1) y1 = y;
      if (y > y2) y2 = y;
    }
    this.around = [x1, y1, x2, y2];
    return this.around;
  }
}

/**
 * Draw all dots once at each of the places. There are millions of them, when all of a large chip is seen: what is wholly
 * within the window is not looked at one by one.
 */
export function plotDots({ bits, words, window }: Bitmap, dots: Spots, places: Spots): Rows {
  const [left, bottom, right, top] = window;
  let [low, high] = [top + 1, bottom - 1];
  if (!dots.length) return [low, high];
  const { at, length } = dots;
  const [x1, y1, x2, y2] = dots.box;
  for (let k = 0; k < places.length; k += 2) {
    const dx = places.at[k] as number;
    const dy = places.at[k + 1] as number;
    if (!(x2 + dx >= left && y2 + dy >= bottom && x1 + dx < right + 1 && y1 + dy < top + 1)) continue;
    const first = y1 + dy < bottom ? bottom : (y1 + dy) | 0;
    const last = y2 + dy > top ? top : (y2 + dy) | 0;
    if (first < low) low = first;
    if (last > high) high = last;
    if (x1 + dx >= left && y1 + dy >= bottom && x2 + dx < right + 1 && y2 + dy < top + 1)
      for (let i = 0; i < length; i += 2) {
        const x = ((at[i] as number) + dx) | 0;
        const index = (((at[i + 1] as number) + dy) | 0) * words + (x >>> 5);
        bits[index] = (bits[index] as number) | (1 << (x & 31));
      }
    else
      for (let i = 0; i < length; i += 2) {
        const x = (at[i] as number) + dx;
        const y = (at[i + 1] as number) + dy;
        if (!(x >= left && y >= bottom && x < right + 1 && y < top + 1)) continue;
        const index = (y | 0) * words + (x >> 5);
        bits[index] = (bits[index] as number) | (1 << (x & 31));
      }
  }
  return [low, high];
}

/** Draw a box x1, y1, x2, y2 around each of the places; it is narrower than 32 pixels. */
export function plotBoxes(
  { bits, words, window }: Bitmap,
  { at, length }: Spots,
  [x1, y1, x2, y2]: readonly [number, number, number, number],
): Rows {
  const [left, bottom, right, top] = window;
  let [lowest, highest] = [top + 1, bottom - 1];
  for (let i = 0; i < length; i += 2) {
    const x = at[i] as number;
    const y = at[i + 1] as number;
    if (!(x + x2 >= left && y + y2 >= bottom && x + x1 < right + 1 && y + y1 < top + 1)) continue;
    const first = x + x1 < left ? left : (x + x1) | 0;
    const last = x + x2 > right ? right : (x + x2) | 0;
    const low = y + y1 < bottom ? bottom : (y + y1) | 0;
    const high = y + y2 > top ? top : (y + y2) | 0;
    if (low < lowest) lowest = low;
    if (high > highest) highest = high;
    const word = first >>> 5;
    const start = ALL << (first & 31);
    const end = ALL >>> (31 - (last & 31));
    const one = last >>> 5 === word;
    const mask = one ? start & end : start;
    for (let index = low * words + word; index <= high * words + word; index += words) {
      bits[index] = (bits[index] as number) | mask;
      if (!one) bits[index + 1] = (bits[index + 1] as number) | end;
    }
  }
  return [lowest, highest];
}
