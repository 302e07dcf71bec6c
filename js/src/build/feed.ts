import { LogStore } from "../log/store";
import type { Build, BuildMessage, Connection, LogPiece, StreamSink, Transport } from "../transport";
import { applyMessage } from "./state";

const EARLIER = 1024 * 1024; // bytes of log fetched at a time when a reader asks for more

const NOT_UNDERSTOOD =
  "The server describes this build in a way that this page does not understand. " +
  "Update a6hub-jupyter where the server runs, and reload the page.";

/** What changed. */
export type FeedPart = "build" | "log" | "connection" | "notice";

/** All that is known of one build, kept up to date; any number of views may look at it. */
export class BuildFeed implements StreamSink {
  build: Build | null = null;
  connection: Connection = { state: "connecting", sentence: null };
  /** What the server last said of the stream itself. */
  notice: string | null = null;
  readonly log = new LogStore();
  private readonly listeners = new Set<(part: FeedPart) => void>();
  private skew = -Infinity;
  private expectedEnd: number | null = null; // ms, of the server's clock

  constructor(
    readonly transport: Transport,
    readonly buildId: string,
    private readonly signal: AbortSignal,
  ) {}

  /** Calls `listener` after each change until `signal` aborts. */
  listen(listener: (part: FeedPart) => void, signal: AbortSignal): void {
    this.listeners.add(listener);
    signal.addEventListener("abort", () => this.listeners.delete(listener), { once: true });
  }

  /** The server's present time in ms: a reader's clock may be minutes off, and times come from the server. */
  now(): number {
    return Date.now() + (Number.isFinite(this.skew) ? this.skew : 0);
  }

  /** Seconds to the end as the server expects it, below 0 where that time has passed; null where it does not. */
  secondsLeft(): number | null {
    if (this.expectedEnd === null || this.build?.state !== "running") return null;
    return (this.expectedEnd - this.now()) / 1000;
  }

  private expect(eta: unknown, sent: number): void {
    const from = Number.isFinite(sent) ? sent : this.now();
    this.expectedEnd = typeof eta === "number" ? from + eta * 1000 : null;
  }

  onMessage(message: BuildMessage): void {
    // Replayed events carry old times; the freshest message has the least of a delay in it.
    const sent = Date.parse(message.timestamp ?? "");
    if (Number.isFinite(sent)) this.skew = Math.max(this.skew, sent - Date.now());
    if (message.type === "error") {
      this.notice = message.data.message;
      this.changed("notice");
      return;
    }
    if (message.type === "status") {
      this.notice = null;
      // The state of a journal's event is of its time, but what is expected is of now.
      this.expect(message.data.eta_seconds, this.now());
    } else if (message.type === "progress" && "eta_seconds" in message.data)
      this.expect(message.data.eta_seconds, sent);
    this.build = applyMessage(this.build, message);
    if (!this.build) {
      this.notice = NOT_UNDERSTOOD;
      this.changed("notice");
    }
    this.changed("build");
  }

  onConnection(connection: Connection): void {
    this.connection = connection;
    this.changed("connection");
  }

  onLogSkipped(offset: number): void {
    this.log.restart(offset);
    this.changed("log");
  }

  onLog(piece: LogPiece): void {
    this.log.append(piece.text, piece.offset, piece.end);
    this.changed("log");
  }

  /** Fetches log before what is held, back to byte `to` or by one portion. */
  async loadEarlier(to = this.log.startOffset - EARLIER): Promise<void> {
    const end = this.log.startOffset;
    const from = Math.max(0, Math.min(to, end));
    const bytes = await this.transport.readLog(this.buildId, from, end, this.signal);
    // The log may have been started anew meanwhile.
    if (this.log.startOffset === end) this.log.prepend(bytes, from);
    this.changed("log");
  }

  private changed(part: FeedPart): void {
    for (const listener of this.listeners) listener(part);
  }
}
