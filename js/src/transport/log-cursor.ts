import type { StreamSink } from ".";
import type { LogPiece } from "./messages";

/** Bytes of the console's end that a new reader gets. */
export const FIRST_TAIL = 256 * 1024;
/** A gap up to this many bytes is fetched; a greater one is left for the reader to ask for. */
const LARGEST_GAP = 1024 * 1024;

/** Puts the pieces of a console in order: no byte twice, none left out unless the sink is told. */
export class LogCursor {
  private delivered = -1;
  private waiting: LogPiece[] | null = null;
  private expected = 0;

  constructor(
    private readonly readLog: (from: number, to: number) => Promise<Uint8Array>,
    private readonly sink: StreamSink,
    private readonly failed: () => void,
    private readonly signal: AbortSignal,
  ) {}

  /** Where a new connection is to go on; negative before the first byte: that many before the end. */
  get resumeAt(): number {
    return this.delivered < 0 ? -FIRST_TAIL : this.delivered;
  }

  receive(piece: LogPiece): void {
    if (this.waiting) {
      this.waiting.push(piece);
      return;
    }
    if (this.delivered < 0) this.delivered = piece.offset;
    if (piece.end <= this.delivered) return;
    if (piece.offset === this.delivered) this.deliver(piece);
    else if (piece.offset < this.delivered) this.deliverRest(piece);
    else if (piece.offset - this.delivered <= LARGEST_GAP) void this.fill(piece.offset, [piece]);
    else {
      this.sink.onLogSkipped(piece.offset);
      this.deliver(piece);
    }
  }

  /** The console is complete with `size` bytes; fetches what did not come. */
  expect(size: number): void {
    this.expected = size;
    if (this.waiting || this.delivered >= size) return;
    const from = Math.max(0, size - FIRST_TAIL);
    if (this.delivered < 0) this.delivered = from;
    else if (size - this.delivered > LARGEST_GAP) {
      this.sink.onLogSkipped(from);
      this.delivered = from;
    }
    if (this.delivered < size) void this.fill(size, []);
  }

  private deliver(piece: LogPiece): void {
    this.delivered = piece.end;
    this.sink.onLog(piece);
  }

  private deliverRest(piece: LogPiece): void {
    const bytes = new TextEncoder().encode(piece.text);
    // Bytes that were no UTF-8 came as replacement characters, which are longer: then only the server can cut.
    if (bytes.length !== piece.end - piece.offset) {
      void this.fill(piece.end, []);
      return;
    }
    const text = new TextDecoder().decode(bytes.subarray(this.delivered - piece.offset));
    this.deliver({ offset: this.delivered, end: piece.end, text });
  }

  private async fill(to: number, then: LogPiece[]): Promise<void> {
    this.waiting = then;
    const from = this.delivered;
    try {
      const bytes = await this.readLog(from, to);
      if (this.signal.aborted) return;
      const pieces = this.waiting;
      this.waiting = null;
      this.deliver({ offset: from, end: to, text: new TextDecoder().decode(bytes) });
      for (const piece of pieces) this.receive(piece);
      if (this.expected) this.expect(this.expected);
    } catch {
      this.waiting = null;
      this.failed(); // the next connection resumes where we are and brings these bytes again
    }
  }
}
