import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DirectGateway } from "./gateway";
import { ServerTransport } from "./server";

const server = { base: "https://hub.test/user/al%40b/", token: "secret" };
const transport = new ServerTransport(new DirectGateway(server));
const open = { base: server.base, token: "" };
const answers = vi.fn<typeof fetch>();

function lastCall(): { url: string; init: RequestInit; headers: Record<string, string> } {
  const [url, init = {}] = answers.mock.lastCall ?? ["", {}];
  return { url: String(url), init, headers: init.headers as Record<string, string> };
}

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });

beforeEach(() => {
  answers.mockReset();
  vi.stubGlobal("fetch", answers);
});

afterEach(() => {
  vi.unstubAllGlobals();
  // biome-ignore lint/suspicious/noDocumentCookie: the XSRF cookie is what is being tested.
  document.cookie = "_xsrf=; max-age=0";
});

test("the token of the page goes with each request, and the XSRF cookie with a POST", async () => {
  // biome-ignore lint/suspicious/noDocumentCookie: the XSRF cookie is what is being tested.
  document.cookie = "_xsrf=2|abc|def";
  answers.mockImplementation(async () => json({ artifacts: [] }));
  await transport.cancel("b 1");
  expect(lastCall().url).toBe("https://hub.test/user/al%40b/api/a6hub/builds/b%201/cancel");
  expect(lastCall().init.method).toBe("POST");
  expect(lastCall().headers).toEqual({ Authorization: "token secret", "X-XSRFToken": "2|abc|def" });
  await new ServerTransport(new DirectGateway(open)).artifacts("b");
  expect(lastCall().headers).toEqual({});
});

test("addresses quote what they hold", () => {
  expect(transport.artifactUrl("b", "final/gds/a b#1.gds")).toBe(
    "https://hub.test/user/al%40b/api/a6hub/builds/b/artifacts/final/gds/a%20b%231.gds",
  );
});

test("a piece of log is asked for by its bytes", async () => {
  answers.mockResolvedValueOnce(new Response("cdef", { status: 206 }));
  expect(await transport.readLog("b", 2, 6)).toEqual(new TextEncoder().encode("cdef"));
  expect(lastCall().headers.Range).toBe("bytes=2-5");
});

test("of a file only its beginning is asked for, and of an empty one nothing", async () => {
  const artifact = { path: "60-lvs/lvs.rpt", size: 1000, modified: "" };
  answers.mockResolvedValueOnce(new Response("abcdefgh"));
  expect(await transport.readArtifact("b", artifact, 4)).toEqual(new TextEncoder().encode("abcd"));
  expect(lastCall().url).toMatch(/builds\/b\/artifacts\/60-lvs\/lvs\.rpt$/);
  expect(lastCall().headers.Range).toBe("bytes=0-3");
  expect(await transport.readArtifact("b", { ...artifact, size: 0 }, 4)).toHaveLength(0);
  expect(answers).toHaveBeenCalledTimes(1);
});

test.each(["retry", "resume"] as const)("%s gives the id of the build that it starts", async (how) => {
  answers.mockResolvedValueOnce(json({ id: "b2", state: "queued" }, 201));
  expect(await transport[how]("b")).toBe("b2");
  expect(lastCall().url).toMatch(new RegExp(`builds/b/${how}$`));
  expect(lastCall().init).toMatchObject({ method: "POST", body: "{}" });
});

test("a proxy that ignores Range changes nothing", async () => {
  answers.mockResolvedValueOnce(new Response("abcdefgh"));
  expect(await transport.readLog("b", 2, 6)).toEqual(new TextEncoder().encode("cdef"));
});

test("a refusal is the server's sentence and its remedy", async () => {
  answers.mockResolvedValueOnce(json({ message: "The build has ended.", remedy: "Start a new one." }, 409));
  await expect(transport.cancel("b")).rejects.toThrow("The build has ended. Start a new one.");
});

test("an error page of a proxy becomes a sentence", async () => {
  answers.mockResolvedValueOnce(new Response("<html>", { status: 502, statusText: "Bad Gateway" }));
  await expect(transport.cancel("b")).rejects.toThrow("The server answered 502 Bad Gateway.");
});

test("no answer becomes a sentence", async () => {
  answers.mockRejectedValueOnce(new TypeError("Failed to fetch"));
  await expect(transport.cancel("b")).rejects.toThrow("The Jupyter server does not answer.");
});

test.each([
  ["https://hub.test/", "secret", "wss://hub.test/api/a6hub/builds/b/stream?offset=-262144&token=secret"],
  ["http://hub.test/", "", "ws://hub.test/api/a6hub/builds/b/stream?offset=-262144"],
])("the stream of %s with the token %j", (base, token, url) => {
  const opened: string[] = [];
  class Socket {
    constructor(address: string) {
      opened.push(address);
    }
    close(): void {}
  }
  vi.stubGlobal("WebSocket", Socket);
  const end = new AbortController();
  const sink = { onMessage() {}, onLog() {}, onLogSkipped() {}, onConnection() {} };
  new ServerTransport(new DirectGateway({ base, token })).stream("b", sink, end.signal);
  end.abort();
  expect(opened).toEqual([url]);
});
