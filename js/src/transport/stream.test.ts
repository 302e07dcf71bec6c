import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Connection, StreamSink } from ".";
import type { Build, BuildMessage } from "./messages";
import { BuildStream, type StreamSource } from "./stream";

class FakeSocket {
  static readonly all: FakeSocket[] = [];
  readyState: number = WebSocket.CONNECTING;
  sent: string[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  static get last(): FakeSocket {
    return FakeSocket.all.at(-1) as FakeSocket;
  }

  open(): this {
    this.readyState = WebSocket.OPEN;
    this.onopen?.();
    return this;
  }

  say(message: object | string): void {
    this.onmessage?.({ data: typeof message === "string" ? message : JSON.stringify(message) });
  }

  drop(code = 1006): void {
    this.readyState = WebSocket.CLOSED;
    this.onclose?.({ code });
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.readyState = WebSocket.CLOSED;
  }
}

const CONSOLE = Array.from({ length: 200 }, (_, index) => `line ${index} µm\n`).join("");
const BYTES = new TextEncoder().encode(CONSOLE);
const log = (offset: number, end: number) => ({
  type: "log",
  data: { offset, end, text: new TextDecoder().decode(BYTES.subarray(offset, end)) },
});
const status = (seq: number, state = "running") => ({ type: "status", seq, data: { id: "b", state, seq } });
const step = (seq: number) => ({ type: "step", seq, data: { id: `step-${seq}` } });

let end: AbortController;
let messages: BuildMessage[];
let text: string;
let skips: number[];
let connections: Connection[];
let diagnosis: string | null;
let readLog: ReturnType<typeof vi.fn<StreamSource["readLog"]>>;

const seqs = () => messages.filter((one) => one.type === "step").map((one) => one.seq);
const connection = () => connections.at(-1);

function begin(): FakeSocket {
  const sink: StreamSink = {
    onMessage: (message) => messages.push(message),
    onLog: (piece) => {
      text += piece.text;
    },
    onLogSkipped: (offset) => skips.push(offset),
    onConnection: (state) => connections.push(state),
  };
  const source: StreamSource = {
    open: (after, offset) =>
      new FakeSocket(`ws:stream?after=${after}&offset=${offset}`) as unknown as WebSocket,
    diagnose: async () => diagnosis,
    readLog,
  };
  new BuildStream(source, sink, end.signal);
  return FakeSocket.last;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.999);
  FakeSocket.all.length = 0;
  end = new AbortController();
  messages = [];
  text = "";
  skips = [];
  connections = [];
  diagnosis = null;
  readLog = vi.fn(async (from: number, to: number) => BYTES.slice(from, to));
});

afterEach(() => {
  end.abort();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("exactly once", () => {
  test("a new reader asks for everything and the end of the log", () => {
    expect(begin().url).toBe("ws:stream?after=0&offset=-262144");
    expect(connection()?.state).toBe("connecting");
  });

  test("a whole build stands for the events up to it", () => {
    const socket = begin().open();
    socket.say(status(3));
    for (const seq of [1, 2, 3, 4]) socket.say(step(seq));
    expect(seqs()).toEqual([4]);
  });

  test("replayed states of the past do not undo the present one", () => {
    const socket = begin().open();
    socket.say({ ...status(6), seq: 0 });
    socket.say({ ...status(6, "starting"), seq: 2 });
    socket.say({ type: "metric", seq: 6, data: {} });
    expect(messages).toHaveLength(1);
  });

  test("a state that comes with a build ahead of its event hides no later event", () => {
    const socket = begin().open();
    socket.say(status(2));
    socket.say({ ...status(5, "starting"), seq: 3 });
    for (const seq of [4, 5]) socket.say(step(seq));
    socket.say({ ...status(5), seq: 5 });
    expect(messages.map((one) => one.seq)).toEqual([2, 3, 4, 5, 5]);
  });

  test("after a drop it resumes where it was, and what comes twice counts once", async () => {
    const first = begin().open();
    first.say(status(0));
    first.say(step(1));
    first.say(log(0, 700));
    first.say(step(2));
    first.drop();
    expect(connection()?.state).toBe("reconnecting");
    await vi.advanceTimersByTimeAsync(500);
    const second = FakeSocket.last;
    expect(second.url).toBe("ws:stream?after=2&offset=700");
    second.open();
    for (const seq of [1, 2, 3, 3, 4, 2]) second.say(step(seq));
    second.say(log(0, 700));
    second.say(log(350, 1001)); // overlaps, and cuts into no character
    second.say(log(1001, BYTES.length));
    expect(seqs()).toEqual([1, 2, 3, 4]);
    expect(text).toBe(CONSOLE);
    expect(readLog).not.toHaveBeenCalled();
  });

  test("frames of a connection that was given up are not heard", async () => {
    const first = begin().open();
    first.say(status(0));
    first.drop();
    await vi.advanceTimersByTimeAsync(500);
    first.say(step(1));
    expect(seqs()).toEqual([]);
  });

  test("a gap in the log is fetched, and what came meanwhile follows it", async () => {
    const socket = begin().open();
    socket.say(log(0, 300));
    socket.say(log(600, 900));
    socket.say(log(900, BYTES.length));
    expect(text.length).toBeLessThan(310);
    await vi.advanceTimersByTimeAsync(0);
    expect(readLog.mock.calls).toEqual([[300, 600]]);
    expect(text).toBe(CONSOLE);
  });

  test("an overlap that cannot be cut in text is fetched in bytes", async () => {
    const socket = begin().open();
    socket.say(log(0, 300));
    socket.say({ type: "log", data: { offset: 200, end: 400, text: "\ufffd no longer the bytes" } });
    socket.say(log(400, BYTES.length));
    await vi.advanceTimersByTimeAsync(0);
    expect(readLog.mock.calls).toEqual([[300, 400]]);
    expect(text).toBe(CONSOLE);
  });

  test("when a gap cannot be fetched, the next connection begins at the gap", async () => {
    readLog.mockRejectedValueOnce(new Error("gone"));
    const socket = begin().open();
    socket.say(log(0, 300));
    socket.say(log(600, 900));
    await vi.advanceTimersByTimeAsync(500);
    expect(FakeSocket.last.url).toContain("offset=300");
    FakeSocket.last.open().say(log(300, BYTES.length));
    expect(text).toBe(CONSOLE);
  });

  test("a gap too great to fetch is told of", () => {
    const socket = begin().open();
    socket.say(log(0, 300));
    socket.say({ type: "log", data: { offset: 9_000_000, end: 9_000_003, text: "end" } });
    expect(skips).toEqual([9_000_000]);
    expect(text.endsWith("end")).toBe(true);
  });

  test("what of the log was still missing at the end is fetched", async () => {
    const socket = begin().open();
    socket.say(log(0, 300));
    const whole = { id: "b", state: "succeeded", seq: 9, log_size: BYTES.length } as Build;
    socket.say({ type: "complete", seq: 9, data: whole });
    socket.drop(1000);
    await vi.advanceTimersByTimeAsync(0);
    expect(text).toBe(CONSOLE);
    expect(connection()).toEqual({ state: "closed", sentence: null });
  });
});

describe("reconnecting", () => {
  test("delays grow to 15 s with full jitter, without an end", async () => {
    begin();
    const delays: number[] = [];
    for (let attempt = 0; attempt < 40; attempt++) {
      FakeSocket.last.drop();
      const dropped = Date.now();
      await vi.advanceTimersToNextTimerAsync();
      delays.push(Date.now() - dropped);
    }
    expect(delays.slice(0, 6)).toEqual([499, 999, 1998, 3996, 7992, 14_985]);
    expect(delays.at(-1)).toBe(14_985);
    expect(connection()?.sentence).toBe("The Jupyter server does not answer; trying again.");
    vi.mocked(Math.random).mockReturnValue(0.01);
    FakeSocket.last.drop();
    await vi.advanceTimersByTimeAsync(200);
    expect(FakeSocket.all).toHaveLength(42);
  });

  test("a connection that held starts the back-off anew, one that did not does not", async () => {
    begin().open().drop();
    await vi.advanceTimersByTimeAsync(500);
    FakeSocket.last.open().drop();
    await vi.advanceTimersByTimeAsync(600);
    expect(FakeSocket.all).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(400);
    FakeSocket.last.open();
    await vi.advanceTimersByTimeAsync(11_000);
    FakeSocket.last.drop();
    await vi.advanceTimersByTimeAsync(500);
    expect(FakeSocket.all).toHaveLength(4);
  });

  test("when the network is back it does not wait", async () => {
    begin();
    for (let attempt = 0; attempt < 8; attempt++) {
      FakeSocket.last.drop();
      await vi.advanceTimersByTimeAsync(attempt < 7 ? 15_000 : 0);
    }
    const count = FakeSocket.all.length;
    window.dispatchEvent(new Event("online"));
    expect(FakeSocket.all).toHaveLength(count + 1);
  });

  test("a hidden page waits until it is seen", async () => {
    const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    begin().open().drop();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(FakeSocket.all).toHaveLength(1);
    hidden.mockReturnValue(false);
    document.dispatchEvent(new Event("visibilitychange"));
    expect(FakeSocket.all).toHaveLength(2);
  });

  test("a connection that is dead without having closed is found by its silence", async () => {
    const socket = begin().open();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(socket.sent).toEqual(['{"type":"ping"}']);
    socket.say({ type: "pong", data: {} });
    await vi.advanceTimersByTimeAsync(29_000);
    expect(connection()?.state).toBe("live");
    await vi.advanceTimersByTimeAsync(1_500);
    expect(FakeSocket.all).toHaveLength(2);
  });
});

describe("the end", () => {
  test.each([
    [4404, /knows no build/],
    [4400, /did not understand/],
    [4401, /not allowed/],
    [4403, /not allowed/],
  ])("close code %i is final and says why", async (code, sentence) => {
    begin().open().drop(code);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connection()?.state).toBe("closed");
    expect(connection()?.sentence).toMatch(sentence);
    expect(FakeSocket.all).toHaveLength(1);
    window.dispatchEvent(new Event("online"));
    expect(FakeSocket.all).toHaveLength(1);
  });

  test("a build that was there and is gone was deleted", () => {
    const socket = begin().open();
    socket.say(status(1));
    socket.drop(4404);
    expect(connection()?.sentence).toMatch(/deleted/);
  });

  test("a refused handshake is final when plain HTTP says so", async () => {
    diagnosis = "You are not allowed to see this build.";
    begin().drop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connection()).toEqual({ state: "closed", sentence: diagnosis });
    expect(FakeSocket.all).toHaveLength(1);
  });

  test("a normal close amid a build is the server going away", async () => {
    const socket = begin().open();
    socket.say(status(1));
    socket.drop(1000);
    await vi.advanceTimersByTimeAsync(500);
    expect(FakeSocket.all).toHaveLength(2);
  });

  test("once nobody listens, nothing is left", async () => {
    const socket = begin().open();
    end.abort();
    expect(socket.readyState).toBe(WebSocket.CLOSED);
    window.dispatchEvent(new Event("online"));
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(FakeSocket.all).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("what it does not know it ignores", () => {
  const socket = begin().open();
  for (const frame of ["no json", '{"type":"novelty","data":{}}', '{"type":"step"}', "null", "[]"])
    socket.say(frame);
  socket.say(step(1));
  expect(messages).toHaveLength(1);
});
