import type { Connection, StreamSink } from ".";
import type { StreamSocket } from "./gateway";
import { Heartbeat } from "./heartbeat";
import { LogCursor } from "./log-cursor";
import { type BuildMessage, isAlive, parseMessage } from "./messages";

const FIRST_DELAY = 500; // ms
const LONGEST_DELAY = 15_000; // ms
const SETTLED = 10_000; // ms after which a connection counts as good and the back-off starts anew
const ATTEMPTS_BEFORE_WORDS = 3;
const WAITS = "The kernel is busy with a cell. What you asked for is done when the cell has ended.";
const NOT_YET =
  "The kernel is busy; the build is shown once the running cell has ended. " +
  "If the kernel was restarted, run the cell of this view again.";

/** What the stream needs from the world; the tests give another. */
export interface StreamSource {
  /** Opens the stream to resume from an event and a console byte; a negative offset counts from the end. */
  open(after: number, offset: number): StreamSocket;
  /** Says why a connection was refused before it opened: a final sentence, or null to try again. */
  diagnose(): Promise<string | null>;
  readLog(from: number, to: number): Promise<Uint8Array>;
}

/** A sentence for the close codes after which trying again is of no use. */
function finalSentence(code: number, known: boolean): string | null {
  switch (code) {
    case 4404:
      return known
        ? "This build was deleted from the server."
        : "The server knows no build with this id; it may have been deleted.";
    case 4400:
      return "The server did not understand the request; reload the page to get matching versions.";
    case 4401:
    case 4403:
      return "You are not allowed to see this build; log in again or ask its owner.";
    default:
      return null;
  }
}

/** What a busy kernel means for the reader, where it carries the stream: what runs already goes on. */
function busyConnection(opened: boolean, asked: boolean): Connection {
  if (opened) return { state: "busy", sentence: asked ? WAITS : null };
  return { state: "waiting", sentence: NOT_YET };
}

/**
 * One build's stream over as many WebSockets as it takes. Resumes by event number and console byte, so that the
 * sink sees each exactly once. Retries with exponential back-off and full jitter, without an end, while the page
 * is visible; a hidden page waits until it is seen again.
 */
export class BuildStream {
  private socket: StreamSocket | null = null;
  private seq = 0;
  private attempts = 0;
  private openedAt = 0;
  private known = false;
  private greeted = false; // this connection has brought a whole build
  private ended = false; // the build has: a normal close is then the end
  private finished = false; // we have: nothing is to be tried again
  private retry: ReturnType<typeof setTimeout> | undefined;
  private readonly heartbeat = new Heartbeat(
    () => this.socket?.send(JSON.stringify({ type: "ping" })),
    () => this.lost(),
  );
  private readonly logs: LogCursor;

  constructor(
    private readonly source: StreamSource,
    private readonly sink: StreamSink,
    private readonly signal: AbortSignal,
  ) {
    this.logs = new LogCursor(
      (from, to) => source.readLog(from, to),
      sink,
      () => this.lost(),
      signal,
    );
    const nudge = () => this.nudge();
    window.addEventListener("online", nudge, { signal });
    document.addEventListener("visibilitychange", nudge, { signal });
    signal.addEventListener("abort", () => this.drop(), { once: true });
    if (!signal.aborted) this.connect();
  }

  private connect(): void {
    this.drop();
    this.tellTrying();
    this.greeted = false;
    const socket = this.source.open(this.seq, this.logs.resumeAt);
    this.socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.openedAt = Date.now();
      this.heartbeat.start();
      this.sink.onConnection({ state: "live", sentence: null });
    };
    socket.onbusy = (busy, asked) => {
      if (busy) this.sink.onConnection(busyConnection(opened, asked));
      else if (opened) this.sink.onConnection({ state: "live", sentence: null });
      else this.tellTrying();
    };
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = (event) => {
      if (opened) this.closed(event.code);
      else void this.refused(event.code);
    };
  }

  private receive(frame: unknown): void {
    this.heartbeat.heard();
    const message = parseMessage(frame);
    if (!message || message.type === "pong") return;
    if (message.type === "log") this.logs.receive(message.data);
    else if (this.isNew(message)) {
      this.known = true;
      this.sink.onMessage(message);
      if (message.type === "complete") {
        this.ended = true;
        this.logs.expect(message.data.log_size);
      } else if (message.type === "status") this.ended = !isAlive(message.data.state);
    }
  }

  /**
   * The whole build that opens a connection stands for every event up to its own `seq`. A later one may know more
   * than the event it came with, so the events after that still count.
   */
  private isNew(message: BuildMessage): boolean {
    const seq = message.seq ?? 0;
    const whole = message.type === "status" || message.type === "complete";
    const opening = whole && !this.greeted;
    this.greeted ||= whole;
    if (!opening && seq > 0 && (whole ? seq < this.seq : seq <= this.seq)) return false;
    this.seq = Math.max(this.seq, seq, opening ? (message.data.seq ?? 0) : 0);
    return true;
  }

  private closed(code: number): void {
    const sentence = finalSentence(code, this.known);
    if (sentence || (this.ended && code === 1000)) this.finish(sentence);
    else this.lost();
  }

  /** A handshake that failed says nothing of why; plain HTTP does. */
  private async refused(code: number): Promise<void> {
    const socket = this.socket;
    const sentence = finalSentence(code, this.known) ?? (await this.source.diagnose());
    if (this.signal.aborted || this.socket !== socket) return;
    if (sentence) this.finish(sentence);
    else this.lost();
  }

  private finish(sentence: string | null): void {
    this.finished = true;
    this.drop();
    this.sink.onConnection({ state: "closed", sentence });
  }

  private lost(): void {
    if (this.finished || this.signal.aborted) return;
    if (this.openedAt && Date.now() - this.openedAt > SETTLED) this.attempts = 0;
    this.openedAt = 0;
    this.drop();
    const delay = Math.random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** Math.min(this.attempts, 10));
    this.attempts += 1;
    this.tellTrying();
    if (!document.hidden) this.retry = setTimeout(() => this.connect(), delay);
  }

  /** The network or the reader came back: try at once, or see whether the connection is still there. */
  private nudge(): void {
    if (this.finished || document.hidden) return;
    if (!this.socket) this.connect();
    else if (this.socket.readyState === WebSocket.OPEN) this.heartbeat.beat();
  }

  private tellTrying(): void {
    const sentence =
      this.attempts < ATTEMPTS_BEFORE_WORDS ? null : "The Jupyter server does not answer; trying again.";
    this.sink.onConnection({ state: this.known ? "reconnecting" : "connecting", sentence });
  }

  private drop(): void {
    clearTimeout(this.retry);
    this.heartbeat.stop();
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    // A dead connection may take minutes to close: nobody is to wait for that, nor to hear of it.
    socket.onopen = socket.onmessage = socket.onclose = socket.onbusy = null;
    socket.close();
  }
}
