import { type Level, levelMatcher } from "./matcher";
import { LineScan } from "./scan";
import type { LogStore } from "./store";

/** Part of a console in bytes; without an end it goes on. */
export interface ByteRange {
  readonly from: number;
  readonly to: number | null;
}

export interface LineFilter {
  readonly level: Level;
  readonly range: ByteRange | null;
}

/** The lines of a log that a filter lets through, by index. */
export class ShownLines {
  filter: LineFilter = { level: "all", range: null };
  count = 0;
  private scan: LineScan | null = null;
  private first = 0;

  constructor(private readonly store: LogStore) {}

  get filtered(): boolean {
    return this.filter.level !== "all" || this.filter.range !== null;
  }

  setFilter(filter: LineFilter): void {
    if (filter.level !== this.filter.level)
      this.scan = filter.level === "all" ? null : new LineScan(this.store, levelMatcher(filter.level));
    this.filter = filter;
  }

  /** Takes in what changed, for about `budget` ms; says whether that was all. */
  refresh(budget: number): boolean {
    const { store, scan } = this;
    const done = scan?.advance(budget) ?? true;
    const { range } = this.filter;
    let from = store.first;
    let to = store.end;
    if (range) {
      from = range.from <= store.startOffset ? store.first : store.lineAt(range.from);
      if (range.to !== null) to = range.to <= store.startOffset ? from : store.lineAt(range.to);
    }
    this.first = scan ? scan.indexFrom(from) : from;
    this.count = Math.max(0, (scan ? scan.indexFrom(to) : to) - this.first);
    return done;
  }

  /** Number of the line at an index. */
  number(index: number): number {
    return this.scan ? (this.scan.lines[this.first + index] ?? this.store.end) : this.first + index;
  }

  /** Index of a line, or of the next one shown after it, or the count. */
  index(number: number): number {
    const index = (this.scan ? this.scan.indexFrom(number) : number) - this.first;
    return Math.min(this.count, Math.max(0, index));
  }

  /** Whether a line is among those shown. */
  has(number: number): boolean {
    const index = this.index(number);
    return index < this.count && this.number(index) === number;
  }
}
