import { afterEach, expect, test, vi } from "vitest";
import bootstrap from "./bootstrap";
import type { WidgetModel } from "./context";

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
