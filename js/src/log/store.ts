import { cleanLine, PLAIN, plainText, type Style, styleAfter } from "./ansi";
import { LogChunk } from "./chunk";
import { trimColumn } from "./column";
import type { Matcher } from "./matcher";

/** Beyond this the oldest go, to be fetched again: about 90 MB of a browser's memory. */
const MOST_LINES = 1_200_000;

export interface LogLine {
  readonly text: string;
  /** The style in force where the line begins. */
  readonly style: Style;
}

const encoder = new TextEncoder();

function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/**
 * The lines of a console, held from byte `startOffset` on. Lines have lasting numbers: what comes before gets lower
 * ones (down into the negative), so that a line keeps its number while others are put before it or dropped.
 * A line that has not ended yet counts as the last.
 */
export class LogStore {
  /** Console byte where the first held line begins. */
  startOffset = 0;
  private chunks: LogChunk[] = [];
  private next = 0;
  private partial = "";
  private partialOffset = 0;
  private style: Style = PLAIN;
  /** We came in amid the console: the first line is without its head, and is left to be fetched. */
  private headless = false;
  private begun = false;

  /** Number of the line at the console's first byte, once it is known. */
  private zero: number | null = null;

  /** Number of the first line. */
  get first(): number {
    return this.chunks[0]?.first ?? this.next;
  }

  /** Number after that of the last line. */
  get end(): number {
    return this.next + (this.partial ? 1 : 0);
  }

  /** Number after that of the last line that has ended. */
  get complete(): number {
    return this.next;
  }

  get count(): number {
    return this.end - this.first;
  }

  /** The line's place counted from the console's first line, which is 1; null while what is before is not known. */
  ordinal(number: number): number | null {
    return this.zero === null ? null : number - this.zero + 1;
  }

  /** The number of a line by its ordinal; null when it is not held. */
  fromOrdinal(ordinal: number): number | null {
    const number = this.zero === null ? null : this.zero + ordinal - 1;
    return number !== null && number >= this.first && number < this.end ? number : null;
  }

  /** The line with a number from `first` up to `end`. */
  line(number: number): LogLine {
    const chunk = this.chunkOf(number);
    if (!chunk) return { text: shown(this.partial), style: this.style };
    const at = number - chunk.first;
    return { text: chunk.text(at), style: chunk.style(at) };
  }

  /** The text of a line as it reads. */
  plain(number: number): string {
    return plainText(this.line(number).text);
  }

  /** Characters that a line takes; only exact if there are more than `enough`. */
  length(number: number, enough: number): number {
    const chunk = this.chunkOf(number);
    return chunk ? chunk.length(number - chunk.first, enough) : this.plain(number).length;
  }

  /** Console byte where a line begins. */
  offset(number: number): number {
    const chunk = this.chunkOf(number);
    return chunk ? chunk.offset(number - chunk.first) : this.partialOffset;
  }

  /** Number of the line that holds a console byte; the first or last one for a byte outside. */
  lineAt(offset: number): number {
    if (this.partial && offset >= this.partialOffset) return this.next;
    const chunk = this.chunkAt((one) => one.offset(0) <= offset);
    if (!chunk) return this.first;
    let at = chunk.count - 1;
    while (at > 0 && chunk.offset(at) > offset) at--;
    return chunk.first + at;
  }

  /** Adds to `found` the matching lines of the chunk that holds line `from`; gives the line to go on with. */
  scan(matcher: Matcher, from: number, found: number[], end = this.next): number {
    const chunk = this.chunkOf(from);
    if (!chunk) return end;
    const to = Math.min(end, chunk.first + chunk.count);
    chunk.scan(matcher, from, to, (number) => found.push(number));
    return to;
  }

  /** Forgets what only searches need. */
  forgetPlain(): void {
    for (const chunk of this.chunks) chunk.forget();
  }

  /** Adds console text that stands for bytes `offset` up to `end`. */
  append(text: string, offset: number, end: number): void {
    if (!this.begun) this.restart(offset);
    let from = 0;
    if (this.headless) {
      const newline = text.indexOf("\n");
      if (newline >= 0) {
        from = newline + 1;
        // Counted from the end: the head may begin inside a character, which text cannot tell.
        this.startOffset = end - byteLength(text.slice(from));
        this.partialOffset = this.startOffset;
      }
      this.headless = false;
    }
    const lastNewline = text.lastIndexOf("\n");
    if (lastNewline < from) {
      this.partial = shortened(this.partial + text.slice(from));
      return;
    }
    const ascii = byteLength(text) === text.length;
    const complete = (this.partial + text.slice(from, lastNewline)).split("\n");
    let at = this.partialOffset;
    // The first line may have been shortened, so its bytes are counted from the text and not from the line.
    const head = text.indexOf("\n", from) + 1;
    const afterFirst = end - byteLength(text.slice(head));
    for (const [index, raw] of complete.entries()) {
      this.push(raw, at);
      at = index === 0 ? afterFirst : at + (ascii ? raw.length : byteLength(raw)) + 1;
    }
    this.partial = shortened(text.slice(lastNewline + 1));
    this.partialOffset = Math.min(at, end);
    while (this.count > MOST_LINES) this.dropOldest();
  }

  /** Adds the console's bytes from `offset` up to what is held. */
  prepend(bytes: Uint8Array, offset: number): void {
    const head = offset > 0 ? bytes.indexOf(0x0a) + 1 : 0;
    const skip = head < bytes.length ? head : 0; // all of it one long line: better shown in parts than never
    const text = new TextDecoder().decode(bytes.subarray(skip));
    const earlier = new LogStore();
    earlier.append(text, 0, bytes.length - skip);
    if (earlier.partial) earlier.append("\n", bytes.length - skip, bytes.length - skip);
    earlier.chunks.at(-1)?.seal();
    const shift = this.first - earlier.next;
    for (const chunk of earlier.chunks) chunk.shift(shift, offset + skip);
    this.chunks.unshift(...earlier.chunks);
    this.startOffset = offset + skip;
    if (this.startOffset === 0) this.zero = this.first;
  }

  /** Forgets all and goes on at a console byte. */
  restart(offset: number): void {
    this.begun = true;
    this.chunks = [];
    this.next = this.end;
    this.partial = "";
    this.startOffset = this.partialOffset = offset;
    this.style = PLAIN;
    this.headless = offset > 0;
    this.zero = offset > 0 ? null : this.next;
  }

  private push(raw: string, offset: number): void {
    let chunk = this.chunks.at(-1);
    if (!chunk || chunk.full) {
      chunk = new LogChunk(this.next);
      this.chunks.push(chunk);
    }
    const line = shown(raw);
    chunk.add(line, this.style, offset);
    this.style = styleAfter(line, this.style);
    this.next += 1;
  }

  private dropOldest(): void {
    this.chunks.shift();
    this.startOffset = this.chunks[0]?.offset(0) ?? this.partialOffset;
  }

  private chunkOf(number: number): LogChunk | undefined {
    return number < this.next ? this.chunkAt((one) => one.first <= number) : undefined;
  }

  /** The last chunk for which `before` holds; it holds for all up to some chunk and for none after. */
  private chunkAt(before: (chunk: LogChunk) => boolean): LogChunk | undefined {
    let low = 0;
    let high = this.chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const chunk = this.chunks[middle];
      if (chunk && before(chunk)) low = middle + 1;
      else high = middle;
    }
    return this.chunks[low - 1];
  }
}

function shown(raw: string): string {
  return trimColumn(cleanLine(raw));
}

/** A line in progress without what was overwritten, for progress bars that never end their line. */
function shortened(partial: string): string {
  const ended = partial.endsWith("\r")
    ? partial.lastIndexOf("\r", partial.length - 2)
    : partial.lastIndexOf("\r");
  return ended > 0 ? partial.slice(ended + 1) : partial;
}
