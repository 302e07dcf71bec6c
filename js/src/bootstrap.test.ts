import { afterEach, describe, expect, test, vi } from "vitest";
import bootstrap from "./bootstrap";
import type { WidgetModel } from "./context";
import { until } from "./until";

function modelOf(traits: Record<string, unknown>): WidgetModel {
  return { get: (name) => traits[name], on: () => {}, off: () => {} };
}

function pageConfig(config: object): void {
  const script = document.createElement("script");
  script.id = "jupyter-config-data";
  script.type = "application/json";
  script.textContent = JSON.stringify(config);
  document.head.append(script);
}

/** A main.js as an address: what the bootstrap appends to the base becomes a comment. */
const recorderBase = (calls: string) =>
  `data:text/javascript,export const renderBuild=c=>globalThis.${calls}.push(["build",c]);` +
  `export const renderLayout=c=>globalThis.${calls}.push(["layout",c]);//`;

afterEach(() => {
  document.getElementById("jupyter-config-data")?.remove();
  vi.restoreAllMocks();
});

test("without page config it shows the fall-back and one sentence, as text", async () => {
  const el = document.createElement("div");
  await bootstrap.render({ el, model: modelOf({ _view: "build", _fallback: "Build of <b>counter</b>." }) });
  expect(el.textContent).toMatch(
    /^Build of <b>counter<\/b>\.\nTo see it live, open the notebook in JupyterLab/,
  );
  expect(el.querySelector("b")).toBeNull();
});

test("page config that is no JSON counts as none", async () => {
  pageConfig({});
  const script = document.getElementById("jupyter-config-data");
  if (script) script.textContent = "{";
  const el = document.createElement("div");
  await bootstrap.render({ el, model: modelOf({}) });
  expect(el.textContent).toContain("To see it live");
});

test("when the code does not load it says so", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  pageConfig({ baseUrl: "/nowhere/", token: "" });
  const el = document.createElement("div");
  await bootstrap.render({ el, model: modelOf({ _view: "build" }) });
  expect(el.textContent).toContain("did not load from the Jupyter server");
});

test("it hands the server's address to the view that the model names, and ends it", async () => {
  const calls: [string, { base: string; token: string; signal: AbortSignal }][] = [];
  Object.assign(globalThis, { bootstrapCalls: calls });
  pageConfig({ baseUrl: recorderBase("bootstrapCalls"), token: "secret" });
  const el = document.createElement("div");
  const end = await bootstrap.render({ el, model: modelOf({ _view: "layout" }) });
  await bootstrap.render({ el, model: modelOf({ _view: "build" }) });
  expect(calls.map(([view]) => view)).toEqual(["layout", "build"]);
  expect(calls[0]?.[1].token).toBe("secret");
  end();
  expect(calls.map(([, context]) => context.signal.aborted)).toEqual([true, false]);
});

test("a widget that was closed while the code loaded draws nothing", async () => {
  const calls: unknown[] = [];
  Object.assign(globalThis, { closedCalls: calls });
  pageConfig({ baseUrl: recorderBase("closedCalls") });
  const closed = new AbortController();
  const pending = bootstrap.render({
    el: document.createElement("div"),
    model: modelOf({}),
    signal: closed.signal,
  });
  closed.abort();
  await pending;
  expect(calls).toEqual([]);
});

describe("through the kernel", () => {
  /** A kernel that has the code, and hands it out when it is let. */
  function kernelWith(code: string, name: string) {
    const sent: { relay: string; call: string; name: string }[] = [];
    const model = (): WidgetModel => {
      const heard = new Set<(message?: unknown, buffers?: readonly DataView[]) => void>();
      return {
        get: (trait) => ({ _kernel: name, _view: "build", _fallback: "A build." })[trait],
        on: (_event, hear) => heard.add(hear),
        off: (_event, hear) => heard.delete(hear),
        send: (message) => {
          sent.push(message as (typeof sent)[number]);
          answers.push(async () => {
            const packed = new Blob([code]).stream().pipeThrough(new CompressionStream("gzip"));
            const bytes = new DataView(await new Response(packed).arrayBuffer());
            for (const hear of [...heard]) hear({ relay: "asset", call: sent.at(-1)?.call }, [bytes]);
          });
        },
      };
    };
    const answers: (() => Promise<void>)[] = [];
    return { sent, model, answers };
  }

  test("the code is fetched once for all widgets of a page", async () => {
    const calls: { relayed: boolean }[] = [];
    Object.assign(globalThis, { kernelCalls: calls });
    const kernel = kernelWith("export const renderBuild = c => globalThis.kernelCalls.push(c);", "once");
    const elements = [document.createElement("div"), document.createElement("div")];
    for (const el of elements) await bootstrap.render({ el, model: kernel.model() });
    expect(kernel.sent.map(({ relay, name }) => [relay, name])).toEqual([["asset", "main.js"]]);
    await kernel.answers[0]?.();
    await until(() => expect(calls).toHaveLength(2));
    expect(calls[0]?.relayed).toBe(true);
  });

  test("a busy kernel is told of, and when the first widget goes the next one asks", async () => {
    const calls: unknown[] = [];
    Object.assign(globalThis, { busyCalls: calls });
    const kernel = kernelWith("export const renderBuild = c => globalThis.busyCalls.push(c);", "busy");
    const [first, second] = [document.createElement("div"), document.createElement("div")];
    const end = await bootstrap.render({ el: first, model: kernel.model() });
    await bootstrap.render({ el: second, model: kernel.model() });
    await until(() => expect(second.textContent).toContain("A build.\nWaiting for the kernel"));
    end();
    await until(() => expect(kernel.sent).toHaveLength(2));
    await kernel.answers[1]?.();
    await until(() => expect(calls).toHaveLength(1));
  });
});
