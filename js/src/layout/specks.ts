import type { Window } from "./collect";
import { plotBoxes, plotDots, type Rows, Spots } from "./spots";

/**
 * Cells of a pixel or two on one layer. Where they are crowded, as when all of a large chip is seen, the uppermost layer
 * would hide all others: there each layer keeps one pixel of 2 by 2, and has its filling on the rest. One that stands
 * alone is drawn as it is, so that nothing vanishes.
 */
export class Specks {
  private readonly words: number;
  private readonly bits: Int32Array;
  private readonly middle = new Spots();
  private low: number;
  private high = -1;

  constructor(
    width: number,
    private readonly height: number,
  ) {
    this.words = (width + 31) >>> 5;
    this.bits = new Int32Array(this.words * height);
    this.low = height;
  }

  /** A cell at each place of a list with a box around it, cut at the edges of a window; all in pixels. */
  add(list: Spots, box: readonly [number, number, number, number], window: Window): void {
    const [x1, y1, x2, y2] = box;
    const { bits, words, middle } = this;
    // What is smaller than a pixel is a single one, as in KLayout.
    const single = x2 - x1 < 1 && y2 - y1 < 1;
    middle.clear();
    middle.add((x1 + x2) / 2, (y1 + y2) / 2);
    const bitmap = { bits, words, window };
    const [low, high] = single ? plotDots(bitmap, list, middle) : plotBoxes(bitmap, list, box);
    this.low = Math.min(this.low, low);
    this.high = Math.max(this.high, high);
  }

  /** Move them to the bitmaps of a layer; gives the rows that were drawn on. */
  settle(fill: Int32Array, frame: Int32Array, phase: number): Rows {
    const { bits, words, low, high } = this;
    if (low > high) return [low, high];
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
