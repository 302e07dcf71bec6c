import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type LayoutContext, renderLayout, sceneAddress } from "./index";
import type { Answer, Request, SceneAddress } from "./protocol";

const scene = new URL("./fixtures/gdstk.oas", import.meta.url).href;
const server = { base: "https://hub.example/user/al%40b/", token: "" };
// Machines may be busy; ms.
const PATIENCE = 15_000;
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

const replies = () => answers.filter((answer) => answer.type === "reply").length;
const drawn = () => answers.filter((answer) => answer.type === "drawn").length;

async function opened(): Promise<ShadowRoot> {
  const root = show();
  await vi.waitFor(() => expect(drawn()).toBeGreaterThan(0), PATIENCE);
  return root;
}

const press = (root: ShadowRoot, selector: string, text: string) =>
  [...root.querySelectorAll<HTMLButtonElement>(selector)].find(
    (each) => each.textContent === text,
  ) as HTMLButtonElement;

const type = (root: ShadowRoot, key: string) =>
  one(root, ".stage").dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

/** A model as anywidget has it. */
function modelOf(values: Record<string, unknown>) {
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
  await vi.waitFor(() => expect(drawn()).toBeGreaterThan(0), PATIENCE);
  expect(one(root, ".message").hidden).toBe(true);
  const names = [...root.querySelectorAll(".row .name")].map((name) => name.textContent);
  expect(names.slice(1)).toEqual(["metal 6", "metal 5", "metal 4", "metal 3", "metal 2", "metal 1"]);
  expect(names[0], "what the list has not comes on top").toBe("1/3");
  const checked = [...root.querySelectorAll<HTMLInputElement>(".row input")].map((box) => box.checked);
  expect(checked).toEqual([true, true, true, true, false, true, true]);
  expect(one(root, ".stage").getAttribute("aria-label")).toMatch(/^Layout of TOP, .* µm by .* µm\./);
  expect(one(root, ".filter"), "few layers need no filter").toBeNull();
});

it("shows its layers once there is room for them, unless a panel has been chosen before", async () => {
  const layers = (root: ShadowRoot) => root.querySelectorAll(".row .name").length;
  el.style.display = "none";
  const root = show();
  await vi.waitFor(() => expect(answers.some((answer) => answer.type === "opened")).toBe(true), PATIENCE);
  expect(layers(root)).toBe(0);
  el.style.display = "";
  await vi.waitFor(() => expect(layers(root)).toBe(7));

  control.abort();
  control = new AbortController();
  el.style.width = "500px";
  const narrow = await opened();
  expect(layers(narrow)).toBe(0);
  one(narrow, "[aria-label^='View']").click();
  el.style.width = "";
  await vi.waitFor(() => expect(one(narrow, ".layout").clientWidth).toBeGreaterThan(640));
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  expect(layers(narrow)).toBe(0);
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
  const { box, unit } = answers.find(({ type }) => type === "opened") as Answer & { type: "opened" };
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
  press(root, ".panel .button", "none").click();
  await vi.waitFor(() => expect(drawn()).toBeGreaterThan(before));
  const checked = () =>
    [...root.querySelectorAll<HTMLInputElement>(".row input")].filter((box) => box.checked);
  expect(checked()).toEqual([]);
  press(root, ".panel .button", "all").click();
  expect(checked().length).toBe(root.querySelectorAll(".row").length);
});

it("says one sentence when the layout is not there, or is damaged", async () => {
  address = { scene: new URL("./fixtures/expected.json", import.meta.url).href, layers: layersUrl(list) };
  const root = show();
  await vi.waitFor(
    () => expect(one(root, ".message").textContent).toMatch(/^The layout is damaged/),
    PATIENCE,
  );
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
  await vi.waitFor(() => expect(drawn()).toBeGreaterThan(0), PATIENCE);
});

it("leaves nothing behind", async () => {
  await opened();
  control.abort();
  expect(el.childElementCount).toBe(0);
});

it("says what is under a click, to people and to Python, and forgets it with Escape", async () => {
  const model = modelOf({ path: "chip.gds" });
  const root = show({ model });
  await vi.waitFor(() => expect(drawn()).toBeGreaterThan(0), PATIENCE);
  const { box, unit } = answers.find(({ type }) => type === "opened") as Answer & { type: "opened" };
  // Enter picks at the middle; somewhere on this lattice there is a shape.
  for (let i = 0; i < 256 && !root.querySelector(".card"); i++) {
    const x = box[0] + ((box[2] - box[0]) * ((i % 16) + 0.5)) / 16;
    const y = box[1] + ((box[3] - box[1]) * ((i >> 4) + 0.5)) / 16;
    model.set("view", { x: x / unit, y: y / unit, width: (box[2] - box[0]) / unit });
    const before = replies();
    type(root, "Enter");
    await vi.waitFor(() => expect(replies()).toBeGreaterThan(before), { timeout: 2000, interval: 2 });
  }
  const card = one(root, ".card");
  expect(card.textContent).toMatch(/size.*µm.*cell/);
  const { cell, path, box: picked } = model.values.selection as { cell: string; path: string; box: number[] };
  expect(path.endsWith(cell)).toBe(true);
  expect(picked).toHaveLength(4);
  type(root, "Escape");
  expect(root.querySelector(".card")).toBeNull();
  expect(model.values.selection).toEqual({});
});

it("keeps the view and the layers shown the same as Python's, in both directions", async () => {
  const model = modelOf({ path: "chip.gds", view: { x: 10, y: 5, width: 20, hidden: ["1/0", "2/0"] } });
  const root = show({ model });
  await vi.waitFor(() => expect(drawn()).toBeGreaterThan(0), PATIENCE);
  const hidden = () =>
    [...root.querySelectorAll<HTMLInputElement>(".row input")].filter((input) => !input.checked).length;
  await vi.waitFor(() => expect(hidden()).toBe(2));
  const view = () => model.values.view as { x: number; y: number; width: number; hidden: string[] };
  await vi.waitFor(() => expect(view().width).toBeCloseTo(20, 2));
  model.set("view", { x: 12, y: 6, width: 10 });
  await vi.waitFor(() => expect(view()).toMatchObject({ x: 12, y: 6, hidden: ["1/0", "2/0"] }), 2000);
  press(root, ".panel .button", "all").click();
  await vi.waitFor(() => expect(view().hidden).toEqual([]), 2000);
});

it("goes to a place in µm, and says when that is no number", async () => {
  const root = await opened();
  type(root, "g");
  const [x, y, width] = [...root.querySelectorAll<HTMLInputElement>(".number")] as HTMLInputElement[];
  await vi.waitFor(() => expect(root.activeElement).toBe(x));
  Object.assign(x as HTMLInputElement, { value: "3" });
  Object.assign(y as HTMLInputElement, { value: "2,5" });
  Object.assign(width as HTMLInputElement, { value: "4" });
  press(root, ".goto .button", "go").click();
  expect(one(root, ".place").textContent).toBe("3.000, 2.500 µm");
  Object.assign(x as HTMLInputElement, { value: "three" });
  press(root, ".goto .button", "go").click();
  expect((x as HTMLInputElement).validationMessage).toBe("Give a number, in µm.");
});

it("shows one layer alone, and all as before", async () => {
  const root = await opened();
  const checked = () =>
    [...root.querySelectorAll<HTMLInputElement>(".row input")].filter((input) => input.checked).length;
  const before = checked();
  press(root, ".minor", "solo").click();
  expect(checked()).toBe(1);
  press(root, ".minor", "solo").click();
  expect(checked()).toBe(before);
});

it("lists the cells, finds and hides them", async () => {
  const root = await opened();
  type(root, "c");
  await vi.waitFor(() => expect(root.querySelectorAll(".tree .row").length).toBeGreaterThan(1));
  const top = one(root, ".tree .twisty");
  expect(top.getAttribute("aria-expanded")).toBe("true");
  const search = one<HTMLInputElement>(root, ".panel .filter");
  search.value = "no such cell";
  search.dispatchEvent(new Event("input"));
  expect(one(root, ".tree").textContent).toBe("No cell has such a name.");
  search.value = "";
  search.dispatchEvent(new Event("input"));
  const before = drawn();
  const eye = one(root, ".tree [data-cell]");
  eye.click();
  expect(eye.getAttribute("aria-pressed")).toBe("true");
  await vi.waitFor(() => expect(drawn()).toBeGreaterThan(before));
});

it("goes through thousands of markers by category, and knows which have been seen", async () => {
  const markers = Array.from({ length: 5000 }, (_each, index) => [
    index % 2,
    0,
    [index / 100, 0, index / 100 + 0.1, 1],
  ]);
  const categories = ["width", "space"].map((name) => ({
    name,
    description: "",
    report: "drc",
    count: 2500,
  }));
  address = {
    ...address,
    markers: `data:application/json,${JSON.stringify({ categories, markers })}`,
  };
  const source = { build: "b1" };
  const saved = { address: { ...address, headers: {} } as SceneAddress, worker: "" };
  const root = show({ source, saved });
  await vi.waitFor(() => expect(drawn()).toBeGreaterThan(0), PATIENCE);
  type(root, "m");
  await vi.waitFor(() => expect(root.querySelectorAll(".category")).toHaveLength(3));
  for (let i = 0; i < 100; i++) type(root, "n");
  expect(one(root, ".current").textContent).toBe("100 of 5\u202f000");
  (root.querySelectorAll<HTMLElement>(".category")[2] as HTMLElement).click();
  type(root, "p");
  expect(one(root, ".current").textContent).toBe("2\u202f500 of 2\u202f500");
  expect(root.querySelectorAll(".category .numbers")[2]?.textContent).toBe("1 of 2\u202f500 seen");
});

it("marks differences in white, since red is near the colours they have", async () => {
  const markers = {
    categories: [{ name: "1/0", report: "differences", count: 1 }],
    markers: [[0, 0, [0, 0, 9, 9]]],
  };
  address = {
    ...address,
    other: { scene, layers: layersUrl(list) },
    markers: `data:application/json,${JSON.stringify(markers)}`,
  };
  const saved = { address: { ...address, headers: {} } as SceneAddress, worker: "" };
  const root = show({ model: modelOf({ path: "one.gds", other: "two.gds" }), saved });
  await vi.waitFor(() => expect(root.querySelector(".tools")).not.toBeNull(), PATIENCE);
  type(root, "m");
  const over = root.querySelector(".over") as HTMLCanvasElement;
  const context = over.getContext("2d") as CanvasRenderingContext2D;
  const inks = () => {
    const { data } = context.getImageData(0, 0, over.width, over.height);
    const bright = new Set<string>();
    for (let i = 0; i < data.length; i += 4)
      if (data[i] === 255 && data[i + 3] === 255) bright.add(data.subarray(i, i + 3).join());
    return [...bright];
  };
  await vi.waitFor(() => expect(inks()).toContain("255,255,255"), PATIENCE);
  expect(inks()).not.toContain("255,59,48");
  type(root, "x");
  await vi.waitFor(() => expect(inks()).toContain("255,59,48"), PATIENCE);
});

it("reads the layout again and keeps the view", async () => {
  const model = modelOf({ path: "chip.gds", view: { x: 10, y: 5, width: 20 }, _reloads: 0 });
  const root = show({ model });
  await vi.waitFor(() => expect(drawn()).toBeGreaterThan(0), PATIENCE);
  const bar = one(root, ".length").textContent;
  const opens = () => answers.filter((answer) => answer.type === "opened").length;
  model.set("_reloads", 1);
  await vi.waitFor(() => expect(opens()).toBe(2), PATIENCE);
  await vi.waitFor(() => expect(one(root, ".length").textContent).toBe(bar));
  expect(root.querySelectorAll(".tools")).toHaveLength(1);
  model.set("path", "other.gds");
  await vi.waitFor(() => expect(opens()).toBe(3), PATIENCE);
  expect(root.querySelectorAll(".layout")).toHaveLength(1);
});

it("shows two layouts side by side: the same view of both, and each is pointed at", async () => {
  const frames = () => answers.filter((answer) => answer.type === "drawn");
  address = { ...address, other: { scene: scene, layers: layersUrl(list) } };
  const model = modelOf({ path: "a/one.gds", other: "b/two.gds", comparing: "side by side", view: {} });
  const root = show({ model });
  await vi.waitFor(() => expect(root.querySelectorAll("canvas").length).toBe(4), PATIENCE);
  expect([...root.querySelectorAll(".pane-name")].map((each) => each.textContent)).toEqual([
    "one.gds",
    "two.gds",
  ]);
  const twin = one(root, ".twin");
  await vi.waitFor(
    () => expect(one(twin.getRootNode() as ShadowRoot, ".twin .message").hidden).toBe(true),
    PATIENCE,
  );
  expect(Math.abs(twin.clientWidth - one(root, ".stage").clientWidth)).toBeLessThan(3);
  answers.length = 0;
  const { left, top } = twin.getBoundingClientRect();
  twin.dispatchEvent(
    new WheelEvent("wheel", { deltaY: -400, clientX: left + 20, clientY: top + 20, cancelable: true }),
  );
  // Both workers come to the view in full detail, and it is one view.
  await vi.waitFor(
    () => expect(frames().filter((frame) => !frame.moving).length).toBeGreaterThan(1),
    PATIENCE,
  );
  const views = frames().flatMap((frame) => (frame.moving ? [] : [JSON.stringify(frame.view)]));
  expect(new Set(views).size).toBe(1);
  type(root, "s");
  expect(root.querySelector(".twin")).toBeNull();
  expect(model.values.comparing).toBe("difference");
  type(root, "x");
  expect(model.values.comparing).toBe("first");
  model.set("comparing", "side by side");
  expect(root.querySelectorAll(".twin").length).toBe(1);
});
