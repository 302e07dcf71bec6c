import { expect, it } from "vitest";
import { until } from "../until";
import { sceneAddress } from "./index";
import type { Answer } from "./protocol";
import {
  answers,
  control,
  drawn,
  el,
  layersUrl,
  list,
  modelOf,
  one,
  opened,
  press,
  replies,
  serve,
  server,
  show,
  type,
} from "./showing";

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
  await until(() => expect(drawn()).toBeGreaterThan(0));
  expect(one(root, ".message").hidden).toBe(true);
  const names = [...root.querySelectorAll(".row .name")].map((name) => name.textContent);
  expect(names.slice(1)).toEqual(["metal 6", "metal 5", "metal 4", "metal 3", "metal 2", "metal 1"]);
  expect(names[0], "what the list has not comes on top").toBe("1/3");
  const checked = [...root.querySelectorAll<HTMLInputElement>(".row input")].map((box) => box.checked);
  expect(checked).toEqual([true, true, true, true, false, true, true]);
  expect(one(root, ".stage").getAttribute("aria-label")).toMatch(/^Layout of TOP, .* µm by .* µm\./);
  expect(one(root, ".filter"), "few layers need no filter").toBeNull();
});

it("shows its layers once it is shown itself", async () => {
  el.style.display = "none";
  const root = show();
  await until(() => expect(root.querySelector(".tools")).not.toBeNull());
  expect(root.querySelectorAll(".row .name").length).toBe(0);
  el.style.display = "";
  await until(() => expect(root.querySelectorAll(".row .name").length).toBe(7));
});

it("shows its layers once there is room for them, unless a panel has been chosen before", async () => {
  el.style.width = "500px";
  const [unused, used] = [await opened(), await opened()];
  const layers = (root: ShadowRoot) => root.querySelectorAll(".row .name").length;
  expect([layers(unused), layers(used)]).toEqual([0, 0]);
  one(used, "[aria-label^='View']").click();
  el.style.width = "";
  await until(() => expect(layers(unused)).toBe(7));
  expect(one(used, ".layout").clientWidth).toBeGreaterThan(640);
  expect(layers(used)).toBe(0);
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
  serve({ layers: layersUrl(many) });
  const root = await opened();
  const before = drawn();
  press(root, ".panel .button", "none").click();
  await until(() => expect(drawn()).toBeGreaterThan(before));
  const checked = () =>
    [...root.querySelectorAll<HTMLInputElement>(".row input")].filter((box) => box.checked);
  expect(checked()).toEqual([]);
  press(root, ".panel .button", "all").click();
  expect(checked().length).toBe(root.querySelectorAll(".row").length);
});

it("says one sentence when the layout is not there, or is damaged", async () => {
  serve({ scene: new URL("./fixtures/expected.json", import.meta.url).href });
  const root = show();
  await until(() => expect(one(root, ".message").textContent).toMatch(/^The layout is damaged/));
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
  await until(() => expect(drawn()).toBeGreaterThan(0));
});

it("leaves nothing behind", async () => {
  await opened();
  control.abort();
  expect(el.childElementCount).toBe(0);
});

it("says what is under a click, to people and to Python, and forgets it with Escape", async () => {
  const model = modelOf({ path: "chip.gds" });
  const root = show({ model });
  await until(() => expect(drawn()).toBeGreaterThan(0));
  const { box, unit } = answers.find(({ type }) => type === "opened") as Answer & { type: "opened" };
  // Enter picks at the middle; somewhere on this lattice there is a shape.
  for (let i = 0; i < 256 && !root.querySelector(".card"); i++) {
    const x = box[0] + ((box[2] - box[0]) * ((i % 16) + 0.5)) / 16;
    const y = box[1] + ((box[3] - box[1]) * ((i >> 4) + 0.5)) / 16;
    model.set("view", { x: x / unit, y: y / unit, width: (box[2] - box[0]) / unit });
    const before = replies();
    type(root, "Enter");
    await until(() => expect(replies()).toBeGreaterThan(before), 2);
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
  await until(() => expect(drawn()).toBeGreaterThan(0));
  const hidden = () =>
    [...root.querySelectorAll<HTMLInputElement>(".row input")].filter((input) => !input.checked).length;
  await until(() => expect(hidden()).toBe(2));
  const view = () => model.values.view as { x: number; y: number; width: number; hidden: string[] };
  await until(() => expect(view().width).toBeCloseTo(20, 2));
  model.set("view", { x: 12, y: 6, width: 10 });
  await until(() => expect(view()).toMatchObject({ x: 12, y: 6, hidden: ["1/0", "2/0"] }));
  press(root, ".panel .button", "all").click();
  await until(() => expect(view().hidden).toEqual([]));
});

it("goes to a place in µm, and says when that is no number", async () => {
  const root = await opened();
  type(root, "g");
  const [x, y, width] = [...root.querySelectorAll<HTMLInputElement>(".number")] as HTMLInputElement[];
  await until(() => expect(root.activeElement).toBe(x));
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
  await until(() => expect(root.querySelectorAll(".tree .row").length).toBeGreaterThan(1));
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
  await until(() => expect(drawn()).toBeGreaterThan(before));
});

it("reads the layout again and keeps the view", async () => {
  const model = modelOf({ path: "chip.gds", view: { x: 10, y: 5, width: 20 }, _reloads: 0 });
  const root = show({ model });
  await until(() => expect(drawn()).toBeGreaterThan(0));
  const bar = one(root, ".length").textContent;
  const opens = () => answers.filter((answer) => answer.type === "opened").length;
  model.set("_reloads", 1);
  await until(() => expect(opens()).toBe(2));
  await until(() => expect(one(root, ".length").textContent).toBe(bar));
  expect(root.querySelectorAll(".tools")).toHaveLength(1);
  model.set("path", "other.gds");
  await until(() => expect(opens()).toBe(3));
  expect(root.querySelectorAll(".layout")).toHaveLength(1);
});
