import { assetOfKernel, hearRelay, newCall, type RelayMessage } from "../carrier";
import type { WidgetModel } from "../context";
import type { Gateway, RequestOptions, StreamSocket } from "./gateway";
import { RequestError, refusal } from "./http";

const PATIENCE = 1500; // ms in which a kernel with nothing else to do has read a message
const GONE = "The way to the kernel is gone; run the cell again.";
const TELL_EVERY = 512 * 1024; // bytes after which the kernel is told that they have come

interface Call {
  readonly model: WidgetModel;
  /** Something that the reader waits for, and no mere sign of life. */
  readonly asked: boolean;
  hear(message: RelayMessage, buffer: DataView | undefined): void;
  lost(): void;
}

/**
 * To the server by way of the kernel, for pages that have no other: VS Code, Colab. The kernel reads what we say between
 * cells only; what it says comes at any time. All widgets of one kernel share this, over whichever of them lives.
 */
export class RelayGateway implements Gateway {
  private readonly models = new Set<WidgetModel>();
  private readonly calls = new Map<string, Call>();
  private readonly unread = new Map<string, { asked: boolean; late: boolean; timer: number }>();
  private readonly sockets = new Set<RelaySocket>();

  /** Uses `model` as a way to the kernel until `signal` aborts. */
  join(model: WidgetModel, signal: AbortSignal): void {
    this.models.add(model);
    hearRelay(model, (message, buffer) => this.hear(message, buffer), signal);
    signal.addEventListener("abort", () => this.leave(model), { once: true });
  }

  async request(path: string, options: RequestOptions = {}): Promise<Response> {
    const { method = "GET", headers = {}, body, signal } = options;
    signal?.throwIfAborted();
    const response = await new Promise<Response>((resolve, reject) => {
      const lost = () => reject(new RequestError(GONE, 0));
      const answer = new Answer(this, resolve, (sentence) => reject(new RequestError(sentence, 0)));
      const call = this.call({ relay: "request", method, path, headers, body }, true, answer, lost);
      answer.name = call;
      signal?.addEventListener("abort", () => {
        if (!this.calls.has(call)) return;
        this.say(call, { relay: "abort" });
        this.end(call);
        reject(signal.reason);
      });
    });
    if (!response.ok) throw new RequestError(await refusal(response), response.status);
    return response;
  }

  open(path: string): StreamSocket {
    const socket = new RelaySocket(this);
    this.sockets.add(socket);
    socket.name = this.call({ relay: "open", path }, false, socket, () => socket.finish(1006));
    return socket;
  }

  link(path: string): string {
    return `relay:${path}`;
  }

  /** The address of a script of our bundle. */
  async asset(name: string, signal: AbortSignal): Promise<string> {
    const model = this.alive();
    if (!model) throw new RequestError(GONE, 0);
    return assetOfKernel(model, name, signal);
  }

  /** Sees whether the kernel reads what it is told. */
  ping(): void {
    const call = newCall();
    const model = this.alive();
    if (!model) return;
    this.expect(call, false);
    model.send?.({ relay: "ping", call });
  }

  /** Says more in a call that is under way. */
  say(call: string, message: RelayMessage): void {
    this.calls.get(call)?.model.send?.({ ...message, call });
  }

  end(call: string): void {
    this.calls.delete(call);
    this.read(call);
  }

  forget(socket: RelaySocket): void {
    this.sockets.delete(socket);
  }

  get busy(): { busy: boolean; asked: boolean } {
    const late = [...this.unread.values()].filter((one) => one.late);
    return { busy: late.length > 0, asked: late.some((one) => one.asked) };
  }

  private alive(): WidgetModel | undefined {
    return this.models.values().next().value;
  }

  private call(
    message: RelayMessage,
    asked: boolean,
    { hear }: { hear(message: RelayMessage, buffer: DataView | undefined): void },
    lost: () => void,
  ): string {
    const name = newCall();
    const model = this.alive();
    if (!model) {
      queueMicrotask(lost);
      return name;
    }
    this.calls.set(name, { model, asked, hear, lost });
    this.expect(name, asked);
    model.send?.({ ...message, call: name });
    return name;
  }

  private expect(call: string, asked: boolean): void {
    const timer = window.setTimeout(() => {
      const one = this.unread.get(call);
      if (one) one.late = true;
      this.tellBusy();
    }, PATIENCE);
    this.unread.set(call, { asked, late: false, timer });
  }

  private read(call: string): void {
    const one = this.unread.get(call);
    if (!one) return;
    clearTimeout(one.timer);
    this.unread.delete(call);
    if (one.late) this.tellBusy();
  }

  private tellBusy(): void {
    const { busy, asked } = this.busy;
    for (const socket of this.sockets) socket.onbusy?.(busy, asked);
  }

  private hear(message: RelayMessage, buffer: DataView | undefined): void {
    if (message.relay === "alive") {
      for (const socket of this.sockets) socket.alive();
      return;
    }
    const call = message.call ?? "";
    this.read(call);
    if (message.relay !== "taken") this.calls.get(call)?.hear(message, buffer);
  }

  private leave(model: WidgetModel): void {
    this.models.delete(model);
    for (const [name, call] of this.calls) {
      if (call.model !== model) continue;
      model.send?.({ relay: "abort", call: name });
      this.end(name);
      call.lost();
    }
  }
}

/** Tells the kernel, now and then, how much of a call has come. */
class Receipt {
  private received = 0;
  private told = 0;

  /** Whether it is time to tell, once so many bytes more have come. */
  take(bytes: number): number | null {
    this.received += bytes;
    if (this.received - this.told < TELL_EVERY) return null;
    this.told = this.received;
    return this.received;
  }
}

/** An answer as it comes in. */
class Answer {
  name = "";
  private readonly parts: DataView<ArrayBuffer>[] = [];
  private readonly receipt = new Receipt();
  private head: RelayMessage | null = null;

  constructor(
    private readonly gateway: RelayGateway,
    private readonly resolve: (response: Response) => void,
    private readonly fail: (sentence: string) => void,
  ) {}

  readonly hear = (message: RelayMessage, buffer: DataView | undefined): void => {
    if (message.relay === "head") this.head = message;
    else if (message.relay === "data" && buffer) {
      this.parts.push(buffer as DataView<ArrayBuffer>);
      const bytes = this.receipt.take(buffer.byteLength);
      if (bytes !== null) this.gateway.say(this.name, { relay: "ack", bytes });
    } else {
      this.gateway.end(this.name);
      if (message.relay === "end" && this.head) this.resolve(this.response(this.head));
      else this.fail(String(message.message ?? "The kernel did not carry the answer."));
    }
  };

  private response({ status, reason, headers }: RelayMessage): Response {
    const kept = new Headers(headers as Record<string, string>);
    let body: Blob | ReadableStream = new Blob(this.parts);
    if (kept.get("Content-Encoding") === "gzip" && body.size > 0)
      body = body.stream().pipeThrough(new DecompressionStream("gzip"));
    const empty = status === 204 || status === 304;
    return new Response(empty ? null : body, {
      status: Number(status),
      statusText: String(reason ?? ""),
      headers: kept,
    });
  }
}

/** A stream that the kernel holds for us. */
class RelaySocket implements StreamSocket {
  name = "";
  readyState: number = WebSocket.CONNECTING;
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onbusy: ((busy: boolean, asked: boolean) => void) | null = null;
  private readonly receipt = new Receipt();
  private readonly decoder = new TextDecoder();

  constructor(private readonly gateway: RelayGateway) {}

  readonly hear = (message: RelayMessage, buffer: DataView | undefined): void => {
    if (message.relay === "opened") {
      this.readyState = WebSocket.OPEN;
      this.onopen?.(new Event("open"));
      const { busy, asked } = this.gateway.busy;
      if (busy) this.onbusy?.(busy, asked);
    } else if (message.relay === "frame" && buffer) {
      const bytes = this.receipt.take(buffer.byteLength);
      if (bytes !== null) this.gateway.say(this.name, { relay: "ack", bytes });
      this.onmessage?.(new MessageEvent("message", { data: this.decoder.decode(buffer) }));
    } else if (message.relay === "closed" || message.relay === "failed")
      this.finish(Number(message.code ?? 1006));
  };

  /** The kernel lives, and with it the stream. */
  alive(): void {
    if (this.readyState === WebSocket.OPEN)
      this.onmessage?.(new MessageEvent("message", { data: '{"type":"pong","data":{}}' }));
  }

  /** All that a reader of a stream says is whether it is still there: here, that is for the kernel to tell. */
  send(): void {
    this.gateway.ping();
  }

  close(): void {
    if (this.readyState === WebSocket.CLOSED) return;
    this.gateway.say(this.name, { relay: "abort" });
    this.finish(1000);
  }

  finish(code: number): void {
    this.readyState = WebSocket.CLOSED;
    this.gateway.end(this.name);
    this.gateway.forget(this);
    this.onclose?.(new CloseEvent("close", { code }));
  }
}

const gateways = new Map<string, RelayGateway>();

/** The gateway of a widget's kernel; the widget becomes a part of it until `signal` aborts. */
export function relayOf(model: WidgetModel, signal: AbortSignal): RelayGateway {
  const kernel = String(model.get("_kernel") ?? "");
  const gateway = gateways.get(kernel) ?? new RelayGateway();
  gateways.set(kernel, gateway);
  gateway.join(model, signal);
  return gateway;
}
