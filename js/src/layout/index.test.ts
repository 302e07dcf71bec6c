import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type LayoutContext, renderLayout, sceneAddress } from "./index";
import type { Answer, Request, SceneAddress } from "./protocol";

const scene = new URL("./fixtures/gdstk.oas", import.meta.url).href;
const server = { base: "https://hub.example/user/al%40b/", token: "" };
const RealWorker = window.Worker;

const list = [1, 2, 3, 4, 5, 6].map((layer) => ({
  ...{ layer, datatype: 0, name: `metal ${layer}`, visible: layer !== 3 },
  ...{ fill: `#${layer}0${layer}080`, frame: "#ffffff" },
}));
const layersUrl = (layers: unknown) =>
  `data:application/json,${encodeURIComponent(JSON.stringify({ layers, top: "TOP" }))}`;

let address: Partial<SceneAddress>;
let answers: Answer[];
let control: AbortController;
let el: HTMLElement;

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

function show(more: Partial<LayoutContext> = { source: { build: "b1" } }): ShadowRoot {
  renderLayout({ el, ...server, signal: control.signal, ...more });
  return el.firstElementChild?.shadowRoot as ShadowRoot;
}

const drawn = () => answers.filter((answer) => answer.type === "drawn").length;

async function opened(): Promise<ShadowRoot> {
  const root = show();
  await vi.waitFor(() => expect(drawn()).toBeGreaterThan(0), 4000);
  return root;
}

const one = <E extends HTMLElement>(root: ShadowRoot, selector: string) => root.querySelector(selector) as E;

it("asks for the layout of a build or of a file", () => {
  expect(sceneAddress(server, { build: "20261123-a b" }).scene).toBe(
    "https://hub.example/user/al%40b/api/a6hub/builds/20261123-a%20b/scene",
  );
  const file = sceneAddress({ ...server, token: "t" }, { path: "my chips/ü&.gds" });
  expect(file.layers).toBe(
    "https://hub.example/user/al%40b/api/a6hub/layouts/layers?path=my%20chips%2F%C3%BC%26.gds",
  );
  expect(file.headers).toEqual({ Authorization: "token t" });
});

it("says that it is loading, then shows the layout and its layers, the uppermost first", async () => {
  const root = show();
  expect(one(root, ".message").textContent).toBe("Loading the layout…");
  await vi.waitFor(() => expect(drawn()).toBeGreaterThan(0), 4000);
  expect(one(root, ".message").hidden).toBe(true);
  const names = [...root.querySelectorAll(".row .name")].map((name) => name.textContent);
  expect(names.slice(1)).toEqual(["metal 6", "metal 5", "metal 4", "metal 3", "metal 2", "metal 1"]);
  expect(names[0], "what the list has not comes on top").toBe("1/3");
  const checked = [...root.querySelectorAll<HTMLInputElement>(".row input")].map((box) => box.checked);
  expect(checked).toEqual([true, true, true, true, false, true, true]);
  expect(one(root, ".stage").getAttribute("aria-label")).toMatch(/^Layout of TOP, .* µm by .* µm\./);
  expect(one(root, ".filter"), "few layers need no filter").toBeNull();
});

it("zooms, moves and fits with keys, and keeps them from the page", async () => {
  const root = await opened();
  const stage = one(root, ".stage");
  const bar = one(root, ".length");
  const atFit = bar.textContent;
  const press = (key: string) =>
    stage.dispatchEvent(
      new KeyboardEvent("keydown", { key, bubbles: true, composed: true, cancelable: true }),
    );
  let leaked = 0;
  el.addEventListener("keydown", () => leaked++);
  for (let i = 0; i < 8; i++) press("+");
  expect(bar.textContent).not.toBe(atFit);
  press("ArrowLeft");
  press("f");
  expect(bar.textContent).toBe(atFit);
  expect(leaked).toBe(0);
  press("q");
  expect(leaked, "other keys are the page's").toBe(1);
});

it("shows where the pointer is, in µm", async () => {
  const root = await opened();
  const stage = one(root, ".stage");
  const { left, top, width, height } = stage.getBoundingClientRect();
  const init = { clientX: left + width / 2, clientY: top + height / 2 };
  stage.dispatchEvent(new PointerEvent("pointermove", init));
  const { box, unit } = answers[0] as Answer & { type: "opened" };
  const [x, y] = (one(root, ".place").textContent ?? "").split(", ").map(Number.parseFloat) as [
    number,
    number,
  ];
  expect(Math.abs(x - (box[0] + box[2]) / 2 / unit)).toBeLessThan(3);
  expect(Math.abs(y - (box[1] + box[3]) / 2 / unit)).toBeLessThan(3);
  stage.dispatchEvent(new PointerEvent("pointerleave"));
  expect(one(root, ".place").hidden).toBe(true);
});

it("hides and shows layers, of a filtered list only those listed", async () => {
  const many = Array.from({ length: 14 }, (_, index) => ({
    ...list[index % 6],
    datatype: index < 6 ? 0 : index,
  }));
  address = { scene, layers: layersUrl(many) };
  const root = await opened();
  const before = drawn();
  one<HTMLButtonElement>(root, ".head .button:last-child").click();
  await vi.waitFor(() => expect(drawn()).toBeGreaterThan(before));
  const checked = () =>
    [...root.querySelectorAll<HTMLInputElement>(".row input")].filter((box) => box.checked);
  expect(checked()).toEqual([]);
  one<HTMLButtonElement>(root, ".head .button").click();
  expect(checked().length).toBe(root.querySelectorAll(".row").length);
});

it("says one sentence when the layout is not there, or is damaged", async () => {
  address = { scene: new URL("./fixtures/expected.json", import.meta.url).href, layers: layersUrl(list) };
  const root = show();
  await vi.waitFor(() => expect(one(root, ".message").textContent).toMatch(/^The layout is damaged/), 4000);
  expect(one(root, ".message").getAttribute("role")).toBe("alert");
  expect(root.querySelector(".panel")).toBeNull();
});

it("says so when there is nothing to show", () => {
  const model = { get: () => "" };
  const root = show({ model });
  expect(one(root, ".message").textContent).toMatch(/^There is no layout to show/);
});

it("takes the source from the widget's model", async () => {
  const model = { get: (name: string) => (name === "path" ? "chip.gds" : "") };
  show({ model });
  await vi.waitFor(() => expect(drawn()).toBeGreaterThan(0), 4000);
});

it("leaves nothing behind", async () => {
  await opened();
  control.abort();
  expect(el.childElementCount).toBe(0);
});
