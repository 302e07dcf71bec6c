import { PLAIN, plainText, type Style } from "./ansi";
import type { Matcher } from "./matcher";

/** Lines per chunk: enough for few objects, few enough to be searched at one go. */
export const CHUNK_LINES = 1000;

interface Joined {
  readonly text: string;
  /** Where each line begins in the text; one more for the end. */
  readonly starts: Uint32Array;
}

function join(lines: readonly string[]): Joined {
  const starts = new Uint32Array(lines.length + 1);
  let at = 0;
  for (const [index, line] of lines.entries()) {
    starts[index] = at;
    at += line.length + 1;
  }
  starts[lines.length] = at;
  return { text: lines.join("\n"), starts };
}

/**
 * Up to a thousand lines that follow each other. A full one is kept as one string, which costs the browser a tenth of
 * a thousand strings that each hold on to the piece of the console that they came in.
 */
export class LogChunk {
  private lines: string[] | null = [];
  private joined: Joined | null = null;
  private plain: Joined | null = null;
  private places: number[] | Float64Array = [];
  private readonly styles = new Map<number, Style>();

  /** `first` is the number of the chunk's first line. */
  constructor(public first: number) {}

  get count(): number {
    return this.places.length;
  }

  get full(): boolean {
    return this.lines === null;
  }

  add(line: string, style: Style, offset: number): void {
    if (style !== PLAIN) this.styles.set(this.count, style);
    (this.places as number[]).push(offset);
    this.lines?.push(line);
    this.plain = null;
    if (this.count >= CHUNK_LINES) this.seal();
  }

  /** Makes it full, so that it takes less room. */
  seal(): void {
    if (!this.lines) return;
    this.joined = join(this.lines);
    this.lines = null;
    this.places = Float64Array.from(this.places);
  }

  /** Moves it by so many line numbers and console bytes. */
  shift(numbers: number, bytes: number): void {
    this.first += numbers;
    for (let at = 0; at < this.places.length; at++) this.places[at] = (this.places[at] ?? 0) + bytes;
  }

  text(at: number): string {
    if (this.lines) return this.lines[at] ?? "";
    const { text, starts } = this.joined as Joined;
    return text.slice(starts[at], (starts[at + 1] ?? 0) - 1);
  }

  style(at: number): Style {
    return this.styles.get(at) ?? PLAIN;
  }

  offset(at: number): number {
    return this.places[at] ?? 0;
  }

  /** Characters that a line shows at most; colour sequences count where they cannot make a difference to `enough`. */
  length(at: number, enough: number): number {
    const { starts } = this.joined ?? this.plainLines();
    const whole = (starts[at + 1] ?? 0) - (starts[at] ?? 0) - 1;
    return whole <= enough ? whole : plainText(this.text(at)).length;
  }

  /** Calls `found` with the numbers of the lines from `from` up to `to` that match, in their order. */
  scan({ regex, single }: Matcher, from: number, to: number, found: (number: number) => void): void {
    const { text, starts } = this.plainLines();
    let at = from - this.first;
    const end = to - this.first;
    regex.lastIndex = starts[at] ?? 0;
    for (let hit = regex.exec(text); hit; hit = regex.exec(text)) {
      while (at < end && (starts[at + 1] ?? 0) <= hit.index) at++;
      if (at >= end) return;
      const next = starts[at + 1] ?? 0;
      // What spans lines is no match of a line, but another one may be in it.
      const within = hit.index + hit[0].length < next;
      if (within || single.test(text.slice(starts[at], next - 1))) found(this.first + at);
      regex.lastIndex = next;
      at++;
    }
  }

  /** Forgets what only searches need. */
  forget(): void {
    this.plain = null;
  }

  private plainLines(): Joined {
    if (this.plain) return this.plain;
    const joined = this.joined ?? join(this.lines ?? []);
    if (!joined.text.includes("\x1b")) this.plain = joined;
    else this.plain = join(joined.text.split("\n").map(plainText));
    return this.plain;
  }
}
