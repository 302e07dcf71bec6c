import type { ShownLines } from "./lines";
import { LONGEST } from "./row";
import type { LogStore } from "./store";

export const ROW_HEIGHT = 18; // px; the style sheet's --row says the same

/** Browsers end an element somewhere between 17 and 33 million pixels; a longer log scrolls a little faster. */
const TALLEST = 15_000_000;

/** Where each line stands, in pixels; a wrapped line takes as many rows as its characters need. */
export class RowLayout {
  /** Characters that fit into a row; 0 does not wrap. */
  private columns = 0;
  /** Rows up to and with each line, by index; only where lines wrap. */
  private ends: Uint32Array<ArrayBuffer> | null = null;
  private known = 0;
  private firstNumber = 0;
  private count = 0;

  constructor(
    private readonly store: LogStore,
    private readonly lines: ShownLines,
  ) {}

  get wraps(): boolean {
    return this.columns > 0;
  }

  /** Height of all lines, before it is squeezed into what a browser can show. */
  get height(): number {
    return this.rowsBefore(this.count) * ROW_HEIGHT;
  }

  /** Height for the element that holds the rows. */
  get elementHeight(): number {
    return Math.min(this.height, TALLEST);
  }

  /** Takes in what changed of the lines. */
  refresh(columns: number): void {
    const { lines } = this;
    const first = lines.count ? lines.number(0) : 0;
    const stale = columns !== this.columns || first !== this.firstNumber || lines.count < this.count;
    this.columns = columns;
    this.firstNumber = first;
    // The last line may still grow, so it is measured anew.
    const known = stale ? 0 : Math.max(0, this.known - 1);
    this.count = lines.count;
    if (!columns) {
      this.ends = null;
      this.known = 0;
      return;
    }
    if (!this.ends || this.ends.length < lines.count) {
      const larger = new Uint32Array(Math.ceil(lines.count * 1.5) + 64);
      if (this.ends) larger.set(this.ends.subarray(0, known));
      this.ends = larger;
    }
    let sum = known ? (this.ends[known - 1] ?? 0) : 0;
    for (let index = known; index < lines.count; index++) {
      sum += this.rowsOf(lines.number(index));
      this.ends[index] = sum;
    }
    this.known = lines.count;
  }

  /** Rows that the line at an index takes. */
  rows(index: number): number {
    return this.rowsBefore(index + 1) - this.rowsBefore(index);
  }

  top(index: number): number {
    return this.rowsBefore(index) * ROW_HEIGHT;
  }

  /** Index of the line at a height. */
  at(top: number): number {
    const row = Math.max(0, Math.floor(top / ROW_HEIGHT));
    if (!this.ends) return Math.min(row, Math.max(0, this.count - 1));
    let low = 0;
    let high = Math.max(0, this.count - 1);
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.ends[middle] ?? 0) > row) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** From a place in the lines to one in the element, for a view `visible` px tall; and back. */
  squeeze(top: number, visible: number): number {
    return this.height <= TALLEST ? top : (top * (TALLEST - visible)) / (this.height - visible);
  }

  stretch(top: number, visible: number): number {
    return this.height <= TALLEST ? top : (top * (this.height - visible)) / (TALLEST - visible);
  }

  private rowsBefore(index: number): number {
    return this.ends ? index && (this.ends[index - 1] ?? 0) : index;
  }

  private rowsOf(number: number): number {
    const length = Math.min(this.store.length(number, this.columns), LONGEST);
    return length <= this.columns ? 1 : Math.ceil(length / this.columns);
  }
}
