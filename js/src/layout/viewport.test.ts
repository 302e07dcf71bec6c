import { expect, it } from "vitest";
import { fitView, lengthText, pan, scaleBar, toLayout, zoom } from "./viewport";

const extent = [0, 0, 10000, 5000] as const;
const room = { width: 800, height: 600 };

it("fits the whole layout", () => {
  const view = fitView(extent, room);
  expect([view.x, view.y]).toEqual([5000, 2500]);
  expect(view.scale * 10000).toBeGreaterThan(700);
  expect(view.scale * 10000).toBeLessThan(800);
});

it("zooms at the cursor: what is there stays there", () => {
  const view = fitView(extent, room);
  const before = toLayout(view, room, 300, 350);
  const after = toLayout(zoom(view, extent, room, 3, 300, 350), room, 300, 350);
  expect(after[0]).toBeCloseTo(before[0], 6);
  expect(after[1]).toBeCloseTo(before[1], 6);
});

it("stops zooming at both ends, and panning at the layout's edge", () => {
  let view = fitView(extent, room);
  for (let i = 0; i < 100; i++) view = zoom(view, extent, room, 2, 400, 300);
  expect(view.scale).toBe(64);
  for (let i = 0; i < 100; i++) view = zoom(view, extent, room, 0.5, 400, 300);
  expect(view.scale).toBeCloseTo(fitView(extent, room).scale / 10, 9);
  expect(pan(view, extent, 1e6, 0).x).toBe(0);
});

it("drags the picture along with the pointer", () => {
  const view = zoom(fitView(extent, room), extent, room, 4, 400, 300);
  const moved = pan(view, extent, 40, -20);
  expect(moved.x).toBeCloseTo(view.x - 40 / view.scale, 9);
  const [before, after] = [toLayout(view, room, 400, 300), toLayout(moved, room, 440, 280)];
  expect(after[0]).toBeCloseTo(before[0], 6);
  expect(after[1]).toBeCloseTo(before[1], 6);
});

it("has a scale bar of a round length that fits", () => {
  for (const pixelsPerMicron of [0.003, 0.7, 12, 950]) {
    const { microns, pixels } = scaleBar(pixelsPerMicron, 120);
    expect(pixels).toBeLessThanOrEqual(120);
    expect(pixels).toBeGreaterThan(40);
    expect(String(microns.toPrecision(3))).toMatch(/^[125]0*\.?0*$|^0\.0*[125]0*$|e/);
  }
});

it.each([
  [0.02, "20 nm"],
  [0.5, "0.5 µm"],
  [50, "50 µm"],
  [2000, "2 mm"],
])("writes %f µm as %s", (microns, text) => {
  expect(lengthText(microns)).toBe(text);
});
