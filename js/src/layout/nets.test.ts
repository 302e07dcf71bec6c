import { expect, it, vi } from "vitest";
import { Highlight } from "./highlight";
import { type Net, netOf, type PlaceInfo } from "./nets";

const layer = (name: string) => ({
  ...{ layer: 68, datatype: 20, name, visible: true },
  ...{ fill: "#112233", frame: "#112233" },
});
const place: PlaceInfo = {
  nets: [
    { name: "clk", use: "CLOCK", layer: "met1" },
    { name: "q[0]", use: "SIGNAL", layer: "met2" },
  ],
  instances: [],
};
const net: Net = {
  ...{ name: "clk", use: "CLOCK", pin_count: 2, note: null },
  pins: [{ instance: "PIN", name: "clk", cell: null }],
  layers: [
    { name: "met2", boxes: [0, 0, 1, 1] },
    { name: "met1", boxes: [2, 2, 3, 4, 5, 5, 6, 6] },
    { name: "via9", boxes: [1, 1, 2, 2] },
  ],
};

it("names the net of a shape by its layer, and keeps quiet where that is not certain", () => {
  expect(netOf(place, layer("met1.drawing"))).toBe("clk");
  expect(netOf(place, layer("MET2.pin"))).toBe("q[0]");
  expect(netOf(place, layer("poly.drawing"))).toBeUndefined();
  expect(netOf(place, layer("68/20")), "two nets, and no name to choose by").toBeUndefined();
  expect(netOf({ ...place, nets: place.nets.slice(0, 1) }, layer("68/20"))).toBe("clk");
});

it("draws a net in the colours of its layers, the lowest first, and says why when it cannot", async () => {
  const events = { draw: vi.fn(), see: vi.fn(), go: vi.fn(), told: vi.fn() };
  const ask = vi.fn(async (url: string) => {
    if (url.includes("gone")) throw new Error("The design has no net 'gone'.");
    return url.includes("nets?")
      ? Response.json({ nets: [], net_count: 0, instances: [], instance_count: 0, note: null })
      : Response.json(net);
  });
  const layers = [layer("met1.drawing"), { ...layer("met2.drawing"), fill: "#abcdef" }];
  const highlight = new Highlight("builds/b1/", ask, () => layers, events);
  const panel = highlight.element();
  await highlight.light("clk", false);
  expect(ask).toHaveBeenLastCalledWith("builds/b1/net?name=clk");
  expect(events.draw).toHaveBeenLastCalledWith([
    { colour: "#ffd866", boxes: [1, 1, 2, 2] },
    { colour: "#112233", boxes: [2, 2, 3, 4, 5, 5, 6, 6] },
    { colour: "#abcdef", boxes: [0, 0, 1, 1] },
  ]);
  expect(events.see).toHaveBeenLastCalledWith([0, 0, 6, 6]);
  expect(events.told, "Python said it").not.toHaveBeenCalled();
  expect(panel.querySelector(".detail")?.textContent).toContain("clock, 4 shapes");
  await highlight.light("gone", true);
  expect(events.told).toHaveBeenLastCalledWith("gone");
  expect(events.draw).toHaveBeenLastCalledWith(undefined);
  expect(panel.querySelector("[role=alert]")?.textContent).toBe("The design has no net 'gone'.");
});

it("has no nets where there is no DEF", async () => {
  const events = { draw: vi.fn(), see: vi.fn(), go: vi.fn(), told: vi.fn() };
  const highlight = new Highlight(undefined, vi.fn(), () => [], events);
  expect(highlight.possible).toBe(false);
  expect(await highlight.at(0, 0)).toBeUndefined();
});
