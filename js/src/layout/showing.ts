import { afterEach, beforeEach, expect, vi } from "vitest";
import { until } from "../until";
import { type LayoutContext, renderLayout } from "./index";
import type { Answer, Request, SceneAddress } from "./protocol";

/** What tests of the whole viewer share: an element with a view in it, the real worker, and what that answered. */

export const scene = new URL("./fixtures/gdstk.oas", import.meta.url).href;
export const server = { base: "https://hub.example/user/al%40b/", token: "" };
const RealWorker = window.Worker;

export const list = [1, 2, 3, 4, 5, 6].map((layer) => ({
  ...{ layer, datatype: 0, name: `metal ${layer}`, visible: layer !== 3 },
  ...{ fill: `#${layer}0${layer}080`, frame: "#ffffff" },
}));
export const layersUrl = (layers: unknown) =>
  `data:application/json,${encodeURIComponent(JSON.stringify({ layers, top: "TOP" }))}`;

export let address: Partial<SceneAddress>;
export let answers: Answer[];
export let control: AbortController;
export let el: HTMLElement;

beforeEach(() => {
  address = { scene, layers: layersUrl(list) };
  answers = [];
  control = new AbortController();
  el = document.createElement("div");
  document.body.replaceChildren(el);
  // The real worker, from source, asking for the fixtures.
  vi.stubGlobal(
    "Worker",
    class {
      constructor() {
        const worker = new RealWorker(new URL("./worker.ts", import.meta.url), { type: "module" });
        worker.addEventListener("message", ({ data }) => answers.push(data));
        const post = worker.postMessage.bind(worker);
        worker.postMessage = (request: Request, transfer?: unknown) => {
          const sent =
            request.type === "open" ? { ...request, address: { ...request.address, ...address } } : request;
          post(sent, (transfer ?? []) as Transferable[]);
        };
        // biome-ignore lint/correctness/noConstructorReturn: it stands in for the browser's own class
        return worker;
      }
    },
  );
});

afterEach(() => {
  control.abort();
  vi.unstubAllGlobals();
});

/** Have layouts read from these addresses, not from where the server would have them. */
export function serve(given: Partial<SceneAddress>): void {
  address = { ...address, ...given };
}

/** A view of a layout beside those that are shown already. */
export function show(more: Partial<LayoutContext> = { source: { build: "b1" } }): ShadowRoot {
  renderLayout({ el, ...server, signal: control.signal, ...more });
  return el.lastElementChild?.shadowRoot as ShadowRoot;
}

export const replies = () => answers.filter((answer) => answer.type === "reply").length;
export const drawn = () => answers.filter((answer) => answer.type === "drawn").length;

/** A view, once its layout has been drawn. */
export async function opened(): Promise<ShadowRoot> {
  const before = drawn();
  const root = show();
  await until(() => expect(root.querySelector(".tools")).not.toBeNull());
  await until(() => expect(drawn()).toBeGreaterThan(before));
  return root;
}

export const press = (root: ShadowRoot, selector: string, text: string) =>
  [...root.querySelectorAll<HTMLButtonElement>(selector)].find(
    (each) => each.textContent === text,
  ) as HTMLButtonElement;

export const type = (root: ShadowRoot, key: string) =>
  one(root, ".stage").dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

/** A model as anywidget has it. */
export function modelOf(values: Record<string, unknown>) {
  const heard = new Map<string, Set<() => void>>();
  return {
    values,
    get: (name: string) => values[name],
    set: (name: string, value: unknown) => {
      values[name] = value;
      for (const call of heard.get(`change:${name}`) ?? []) call();
    },
    save_changes: () => undefined,
    on: (event: string, call: () => void) => heard.set(event, (heard.get(event) ?? new Set()).add(call)),
    off: (event: string, call: () => void) => heard.get(event)?.delete(call),
  };
}

export const one = <E extends HTMLElement>(root: ShadowRoot, selector: string) =>
  root.querySelector(selector) as E;
