import type { ShownLines } from "./lines";
import type { Matcher } from "./matcher";
import { LineScan } from "./scan";
import type { LogStore } from "./store";
import { countText } from "./tools";

const SLICE = 24; // ms of searching between two breaths of the page

/** A search through the lines shown: it goes on by itself, also over lines that come later. */
export class Find {
  /** Number of the line that the reader is at. */
  current: number | null = null;
  private scan: LineScan | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private done = true;

  constructor(
    private readonly store: LogStore,
    private readonly lines: ShownLines,
    private readonly changed: () => void,
    signal: AbortSignal,
  ) {
    signal.addEventListener("abort", () => clearTimeout(this.timer), { once: true });
  }

  get matcher(): Matcher | null {
    return this.scan?.matcher ?? null;
  }

  get text(): string {
    if (!this.scan) return "";
    const found = this.found();
    const at = this.current === null ? -1 : found.indexOf(this.current);
    return countText(at < 0 ? null : at, found.length, this.done);
  }

  /** Looks for something else, or, for null, no more. */
  start(matcher: Matcher | null): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.current = null;
    this.scan = matcher && new LineScan(this.store, matcher);
    this.done = !matcher;
    if (matcher) this.step();
    else this.store.forgetPlain();
  }

  /** To be called after the log changed. */
  update(): void {
    if (this.scan && this.timer === undefined) this.step();
  }

  /** Goes to the first match at or after a line, or else to the first of all; null if there is none. */
  from(number: number): number | null {
    const found = this.found();
    this.current = found.find((one) => one >= number) ?? found[0] ?? null;
    return this.current;
  }

  /** Goes to the next or last match, around the ends. */
  next(direction: 1 | -1, from: number): number | null {
    if (this.current === null) return this.from(from);
    const found = this.found();
    if (!found.length) return null;
    const at = found.indexOf(this.current);
    this.current = found[(at + direction + found.length) % found.length] ?? null;
    return this.current;
  }

  /** Whether a line is among the matches. */
  has(number: number): boolean {
    return this.scan !== null && this.scan.lines[this.scan.indexFrom(number)] === number;
  }

  private found(): number[] {
    const found = this.scan?.lines ?? [];
    return this.lines.filtered ? found.filter((number) => this.lines.has(number)) : found;
  }

  private step(): void {
    this.timer = undefined;
    if (!this.scan) return;
    this.done = this.scan.advance(SLICE);
    if (!this.done) this.timer = setTimeout(() => this.step());
    this.changed();
  }
}
