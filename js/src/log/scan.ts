import type { Matcher } from "./matcher";
import type { LogStore } from "./store";

/** The lines of a log that match, found bit by bit; lines that come later at either end are taken in too. */
export class LineScan {
  /** Numbers of the lines found, ascending. */
  lines: number[] = [];
  private from: number;
  private to: number;
  private partial = false;

  constructor(
    private readonly store: LogStore,
    readonly matcher: Matcher,
  ) {
    this.from = this.to = store.first;
  }

  /** Goes on for about `budget` ms; says whether all lines have been seen. */
  advance(budget: number): boolean {
    const { store } = this;
    const deadline = performance.now() + budget;
    this.forgetLost();
    if (this.partial) this.lines.pop();
    this.partial = false;
    while (this.from > store.first || this.to < store.complete) {
      if (this.to < store.complete) this.to = store.scan(this.matcher, this.to, this.lines);
      else this.scanBefore();
      if (performance.now() > deadline) break;
    }
    const done = this.from === store.first && this.to === store.complete;
    if (done && store.end > store.complete && this.matcher.single.test(store.plain(store.complete))) {
      this.partial = true;
      this.lines.push(store.complete);
    }
    return done;
  }

  /** Index of the first found line that is not before `number`. */
  indexFrom(number: number): number {
    let low = 0;
    let high = this.lines.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.lines[middle] ?? 0) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private scanBefore(): void {
    const end = this.from;
    const found: number[] = [];
    let at = this.store.first;
    while (at < end) at = this.store.scan(this.matcher, at, found, end);
    this.from = this.store.first;
    this.lines = found.concat(this.lines);
  }

  private forgetLost(): void {
    const { first } = this.store;
    if (this.from >= first) return;
    this.lines.splice(0, this.indexFrom(first));
    this.from = first;
    this.to = Math.max(this.to, first);
  }
}
