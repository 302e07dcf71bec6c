/**
 * Cells of a pixel or two on one layer. Where they are crowded, as when all of a large chip is seen, the uppermost layer
 * would hide all others: there each layer keeps one pixel of 2 by 2, and has its filling on the rest. One that stands
 * alone is drawn as it is, so that nothing vanishes.
 */
export class Specks {
  private readonly bits: Int32Array;
  private low: number;
  private high = -1;

  constructor(
    private readonly words: number,
    private readonly height: number,
  ) {
    this.bits = new Int32Array(words * height);
    this.low = height;
  }

  /** A cell at each x, y, … of a list with a box around it, cut at the edges of a window; all in pixels. */
  add(
    list: readonly number[],
    [x1, y1, x2, y2]: readonly [number, number, number, number],
    [left, bottom, right, top]: readonly [number, number, number, number],
  ): void {
    const { bits, words } = this;
    // What is smaller than a pixel is a single one, as in KLayout.
    const single = x2 - x1 < 1 && y2 - y1 < 1;
    const fromX = single ? (x1 + x2) / 2 : x1;
    const toX = single ? fromX : x2;
    const fromY = single ? (y1 + y2) / 2 : y1;
    const toY = single ? fromY : y2;
    for (let i = 0; i < list.length; i += 2) {
      const first = Math.max(Math.floor((list[i] as number) + fromX), left);
      const last = Math.min(Math.floor((list[i] as number) + toX), right);
      const low = Math.max(Math.floor((list[i + 1] as number) + fromY), bottom);
      const high = Math.min(Math.floor((list[i + 1] as number) + toY), top);
      if (first > last || low > high) continue;
      if (low < this.low) this.low = low;
      if (high > this.high) this.high = high;
      for (let y = low; y <= high; y++)
        for (let x = first; x <= last; x++) {
          const index = y * words + (x >>> 5);
          bits[index] = (bits[index] as number) | (1 << (x & 31));
        }
    }
  }

  /** Move them to the bitmaps of a layer; gives the rows that were touched. */
  settle(fill: Int32Array, frame: Int32Array, phase: number): [number, number] | undefined {
    const { bits, words, low, high } = this;
    if (low > high) return undefined;
    for (let y = low; y <= high; y++) {
      const own = ((y ^ (phase >> 1)) & 1) === 0 ? 0x55555555 << (phase & 1) : 0;
      const start = y * words;
      for (let k = 0; k < words; k++) {
        const here = bits[start + k] as number;
        if (!here) continue;
        const before = k > 0 ? (bits[start + k - 1] as number) : 0;
        const after = k + 1 < words ? (bits[start + k + 1] as number) : 0;
        const beside = (here << 1) | (before >>> 31) | (here >>> 1) | (after << 31);
        const below = y > 0 ? (bits[start + k - words] as number) : 0;
        const above = y + 1 < this.height ? (bits[start + k + words] as number) : 0;
        const crowded = beside & (below | above);
        fill[start + k] = (fill[start + k] as number) | here;
        frame[start + k] = (frame[start + k] as number) | (here & (~crowded | own));
      }
    }
    bits.fill(0, low * words, (high + 1) * words);
    [this.low, this.high] = [this.height, -1];
    return [low, high];
  }
}
