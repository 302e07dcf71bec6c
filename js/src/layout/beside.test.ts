import { expect, it } from "vitest";
import { until } from "../until";
import type { SceneAddress } from "./protocol";
import { address, answers, drawn, layersUrl, list, modelOf, one, scene, serve, show, type } from "./showing";

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
  serve({
    markers: `data:application/json,${JSON.stringify({ categories, markers })}`,
  });
  const source = { build: "b1" };
  const saved = { address: { ...address, headers: {} } as SceneAddress, worker: "" };
  const root = show({ source, saved });
  await until(() => expect(drawn()).toBeGreaterThan(0));
  type(root, "m");
  await until(() => expect(root.querySelectorAll(".category")).toHaveLength(3));
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
  serve({
    other: { scene, layers: layersUrl(list) },
    markers: `data:application/json,${JSON.stringify(markers)}`,
  });
  const saved = { address: { ...address, headers: {} } as SceneAddress, worker: "" };
  const root = show({ model: modelOf({ path: "one.gds", other: "two.gds" }), saved });
  await until(() => expect(root.querySelector(".tools")).not.toBeNull());
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
  await until(() => expect(inks()).toContain("255,255,255"));
  expect(inks()).not.toContain("255,59,48");
  type(root, "x");
  await until(() => expect(inks()).toContain("255,59,48"));
});

it("shows two layouts side by side: the same view of both, and each is pointed at", async () => {
  const frames = () => answers.filter((answer) => answer.type === "drawn");
  serve({ other: { scene, layers: layersUrl(list) } });
  const model = modelOf({ path: "a/one.gds", other: "b/two.gds", comparing: "side by side", view: {} });
  const root = show({ model });
  await until(() => expect(root.querySelectorAll("canvas").length).toBe(4));
  expect([...root.querySelectorAll(".pane-name")].map((each) => each.textContent)).toEqual([
    "one.gds",
    "two.gds",
  ]);
  const twin = one(root, ".twin");
  await until(() => expect(one(twin.getRootNode() as ShadowRoot, ".twin .message").hidden).toBe(true));
  expect(Math.abs(twin.clientWidth - one(root, ".stage").clientWidth)).toBeLessThan(3);
  answers.length = 0;
  const { left, top } = twin.getBoundingClientRect();
  twin.dispatchEvent(
    new WheelEvent("wheel", { deltaY: -400, clientX: left + 20, clientY: top + 20, cancelable: true }),
  );
  // Both workers come to the view in full detail, and it is one view.
  await until(() => expect(frames().filter((frame) => !frame.moving).length).toBeGreaterThan(1));
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
