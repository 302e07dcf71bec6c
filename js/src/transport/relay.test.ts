import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { RelayMessage } from "../carrier";
import type { WidgetModel } from "../context";
import type { StreamSocket } from "./gateway";
import type { RequestError } from "./http";
import { RelayGateway, relayOf } from "./relay";

type Heard = (message?: unknown, buffers?: readonly DataView[]) => void;

/** A widget's model with a kernel that the test plays. */
class Kernel implements WidgetModel {
  readonly sent: RelayMessage[] = [];
  readonly heard = new Set<Heard>();

  constructor(private readonly name = "k") {}

  get(): unknown {
    return this.name;
  }

  on(_event: string, heard: Heard): void {
    this.heard.add(heard);
  }

  off(_event: string, heard: Heard): void {
    this.heard.delete(heard);
  }

  send(message: unknown): void {
    this.sent.push(message as RelayMessage);
  }

  get last(): RelayMessage {
    return this.sent.at(-1) as RelayMessage;
  }

  say(relay: string, more: object = {}, text?: string | Uint8Array): void {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    const buffers = bytes ? [new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)] : [];
    for (const heard of [...this.heard]) heard({ relay, ...more }, buffers);
  }
}

let kernel: Kernel;
let gateway: RelayGateway;
let end: AbortController;

beforeEach(() => {
  vi.useFakeTimers();
  kernel = new Kernel();
  gateway = new RelayGateway();
  end = new AbortController();
  gateway.join(kernel, end.signal);
});

afterEach(() => {
  end.abort();
  vi.useRealTimers();
});

const answer = (status: number, body: string, headers = {}) => {
  const { call } = kernel.last;
  kernel.say("taken", { call });
  kernel.say("head", { call, status, reason: "", headers });
  kernel.say("data", { call }, body.slice(0, 5));
  kernel.say("data", { call }, body.slice(5));
  kernel.say("end", { call });
};

test("a request and its answer are whole, whatever pieces they come in", async () => {
  const asked = gateway.request("builds/b/log", { headers: { Range: "bytes=0-9" } });
  expect(kernel.last).toMatchObject({ relay: "request", method: "GET", path: "builds/b/log" });
  expect(kernel.last.headers).toEqual({ Range: "bytes=0-9" });
  answer(206, "0123456789");
  const response = await asked;
  expect([response.status, await response.text()]).toEqual([206, "0123456789"]);
});

test("a refusal is the server's sentence, and a failure the kernel's", async () => {
  const refused = gateway.request("builds/b/cancel", { method: "POST" });
  answer(409, '{"message": "It has ended.", "remedy": "Build again."}');
  await expect(refused).rejects.toMatchObject({ message: "It has ended. Build again.", status: 409 });
  const failed = gateway.request("builds/b");
  kernel.say("failed", { call: kernel.last.call, message: "No Jupyter server was found." });
  await expect(failed).rejects.toMatchObject({ message: "No Jupyter server was found.", status: 0 });
});

test("what came packed is unpacked", async () => {
  vi.useRealTimers();
  const packed = await new Response(
    new Blob(["a layout"]).stream().pipeThrough(new CompressionStream("gzip")),
  ).arrayBuffer();
  const asked = gateway.request("builds/b/scene");
  const { call } = kernel.last;
  kernel.say("head", { call, status: 200, headers: { "content-encoding": "gzip" } });
  kernel.say("data", { call }, new Uint8Array(packed));
  kernel.say("end", { call });
  expect(await (await asked).text()).toBe("a layout");
});

test("the kernel is told what has come, now and then", () => {
  gateway.request("builds/b/scene").catch(() => {});
  const { call } = kernel.last;
  kernel.say("head", { call, status: 200, headers: {} });
  for (let i = 0; i < 5; i++) kernel.say("data", { call }, new Uint8Array(256 * 1024));
  expect(kernel.sent.filter(({ relay }) => relay === "ack").map(({ bytes }) => bytes)).toEqual([
    512 * 1024,
    1024 * 1024,
  ]);
});

test("what is no longer wanted is given up, there too", async () => {
  const abort = new AbortController();
  const asked = gateway.request("builds/b", { signal: abort.signal });
  const { call } = kernel.last;
  abort.abort();
  await expect(asked).rejects.toThrow();
  expect(kernel.last).toEqual({ relay: "abort", call });
});

function open(): { socket: StreamSocket; said: string[]; states: string[] } {
  const socket = gateway.open("builds/b/stream?offset=0");
  const said: string[] = [];
  const states: string[] = [];
  socket.onopen = () => states.push("open");
  socket.onmessage = ({ data }) => said.push(data);
  socket.onclose = ({ code }) => states.push(`closed ${code}`);
  socket.onbusy = (busy, asked) => states.push(busy ? `busy${asked ? ", asked" : ""}` : "free");
  return { socket, said, states };
}

test("a stream opens, speaks, shows that it lives, and closes", () => {
  const { said, states } = open();
  const { call } = kernel.last;
  kernel.say("opened", { call });
  kernel.say("frame", { call }, '{"type":"status"}');
  kernel.say("alive");
  kernel.say("frame", { call: "another" }, "not for us");
  kernel.say("closed", { call, code: 4404 });
  kernel.say("frame", { call }, "too late");
  expect(states).toEqual(["open", "closed 4404"]);
  expect(said).toEqual(['{"type":"status"}', '{"type":"pong","data":{}}']);
});

test("a kernel that does not read is busy, until it does", async () => {
  const { socket, states } = open();
  await vi.advanceTimersByTimeAsync(1400);
  expect(states).toEqual([]);
  await vi.advanceTimersByTimeAsync(200);
  expect(states).toEqual(["busy"]);
  kernel.say("taken", { call: kernel.last.call });
  kernel.say("opened", { call: kernel.last.call });
  expect(states).toEqual(["busy", "free", "open"]);
  socket.send("ping");
  kernel.say("taken", { call: kernel.last.call });
  const asked = gateway.request("builds/b/cancel", { method: "POST" });
  await vi.advanceTimersByTimeAsync(1600);
  expect(states.at(-1)).toBe("busy, asked");
  answer(202, "{}     ");
  await asked;
  expect(states.at(-1)).toBe("free");
});

test("when a widget goes, its streams close and the next takes over", async () => {
  const other = new Kernel();
  gateway.join(other, new AbortController().signal);
  const { states } = open();
  const waiting = gateway.request("builds/b");
  end.abort();
  expect(states).toEqual(["closed 1006"]);
  await expect(waiting).rejects.toSatisfy((reason: RequestError) =>
    /run the cell again/.test(reason.message),
  );
  expect(kernel.heard.size).toBe(0);
  gateway.open("builds/b/stream");
  expect(other.last.relay).toBe("open");
});

test("without any widget a request fails in a sentence, and a stream closes", async () => {
  end.abort();
  await expect(gateway.request("builds/b")).rejects.toThrow("run the cell again");
  const { states } = open();
  await vi.advanceTimersByTimeAsync(0);
  expect(states).toEqual(["closed 1006"]);
});

test("the widgets of a kernel share one way, those of another have their own", () => {
  const until = new AbortController().signal;
  const one = relayOf(new Kernel("a"), until);
  expect(relayOf(new Kernel("a"), until)).toBe(one);
  expect(relayOf(new Kernel("b"), until)).not.toBe(one);
});
