import { expect, it } from "vitest";
import { NO_LIMITS } from "./collect";
import { fixture } from "./fixtures";
import { decodeOasis } from "./oasis/decode";
import { Renderer } from "./renderer";
import { buildScene } from "./scene";

const WIDTH = 333; // no multiple of 32: what leaves the last word of a row must not come back
const HEIGHT = 240;

async function rendererOf(name: string) {
  const layout = { ...decodeOasis(await fixture(name)), strings: [] };
  const scene = buildScene(layout, "TOP");
  const canvas = new OffscreenCanvas(1, 1);
  const layers = layout.layers.map((key, index) => ({
    ...{ ...key, index, name: "", fill: `#${(index + 2) * 111}${index}00`.slice(0, 7).padEnd(7, "0") },
    ...{ frame: "#ffffff", visible: true },
  }));
  const renderer = new Renderer(scene, canvas, layers);
  const pixels = () => {
    const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
    return new Uint32Array(context.getImageData(0, 0, WIDTH, HEIGHT).data.buffer);
  };
  return { renderer, pixels, scene, layers };
}

const different = (one: Uint32Array, other: Uint32Array) =>
  one.reduce((sum, value, index) => sum + (value === other[index] ? 0 : 1), 0);

it.each(["gdstk", "klayout", "records"])(
  "%s.oas: panned pictures are what a new drawing gives",
  async (name) => {
    const one = await rendererOf(name);
    const { x1, y1, x2, y2 } = one.scene.top.box;
    // A power of two, so that whole pixels are exact.
    const scale = 2 ** Math.floor(Math.log2(WIDTH / (x2 - x1)));
    let view = { x: Math.round((x1 + x2) / 2), y: Math.round((y1 + y2) / 2), scale };
    one.renderer.draw(view, WIDTH, HEIGHT, 1, 3);
    const start = one.pixels();
    expect(new Set(start).size, "there is something to see").toBeGreaterThan(1);
    for (const [dx, dy] of [
      [1, 0],
      [-33, 2],
      [64, -31],
      [-5, -7],
      [100, 100],
      [-127, -64],
    ] as const) {
      view = { x: view.x - dx / scale, y: view.y - dy / scale, scale };
      one.renderer.draw(view, WIDTH, HEIGHT, 1, 3);
      const other = await rendererOf(name);
      other.renderer.draw(view, WIDTH, HEIGHT, 1, 3);
      // A slanted line that is cut where the strip begins may take another pixel there.
      const slanted = name === "klayout" ? 8 : 0;
      expect(different(one.pixels(), other.pixels()), `${dx}, ${dy}`).toBeLessThanOrEqual(slanted);
    }
  },
);

it("layers hidden and shown again are drawn as they were, also after a pan", async () => {
  const { renderer, pixels, scene, layers } = await rendererOf("klayout");
  const { x1, y1, x2, y2 } = scene.top.box;
  const scale = WIDTH / (x2 - x1);
  const view = { x: (x1 + x2) / 2, y: (y1 + y2) / 2, scale };
  renderer.draw(view, WIDTH, HEIGHT, 1, 3);
  const before = pixels();
  renderer.show(layers.map((_layer, index) => index === 0));
  renderer.draw(view, WIDTH, HEIGHT, 1, 3);
  expect(different(before, pixels())).toBeGreaterThan(0);
  renderer.draw({ ...view, x: view.x + 10 / scale }, WIDTH, HEIGHT, 1, 3);
  renderer.show(layers.map(() => true));
  renderer.draw(view, WIDTH, HEIGHT, 1, 3);
  expect(different(before, pixels())).toBe(0);
});

it("a layer more or less is what a new drawing gives", async () => {
  const { renderer, pixels, scene, layers } = await rendererOf("klayout");
  const { x1, y1, x2, y2 } = scene.top.box;
  const view = { x: (x1 + x2) / 2, y: (y1 + y2) / 2, scale: (2 * WIDTH) / (x2 - x1) };
  renderer.draw(view, WIDTH, HEIGHT, 1, 3);
  const all = pixels();
  for (const hidden of [0, 1, 2, 1, 0]) {
    const visible = layers.map((_layer, index) => index !== hidden);
    renderer.show(visible);
    renderer.draw(view, WIDTH, HEIGHT, 1, 3);
    expect(different(all, pixels()), `without layer ${hidden}`).toBeGreaterThan(0);
    const other = await rendererOf("klayout");
    other.renderer.show(visible);
    other.renderer.draw(view, WIDTH, HEIGHT, 1, 3);
    expect(different(other.pixels(), pixels()), `without layer ${hidden}`).toBe(0);
  }
});

it("a drawing that was given up leaves nothing that is taken for a picture", async () => {
  const { renderer, pixels, scene } = await rendererOf("klayout");
  const { x1, y1, x2, y2 } = scene.top.box;
  const view = { x: (x1 + x2) / 2, y: (y1 + y2) / 2, scale: WIDTH / (x2 - x1) };
  renderer.draw(view, WIDTH, HEIGHT, 1, 3);
  const before = pixels();
  const steps = renderer.render({ ...view, scale: 3 * view.scale }, WIDTH, HEIGHT, 1, 3);
  for (let i = 0; i < 3; i++) expect(steps.next().done).toBe(false);
  expect(different(before, pixels()), "the picture stays until the next is complete").toBe(0);
  renderer.draw(view, WIDTH, HEIGHT, 1, 3);
  expect(different(before, pixels())).toBe(0);
});

it("zooming shows the last picture, scaled, and beneath it the last one that had all", async () => {
  const { renderer, pixels, scene } = await rendererOf("klayout");
  const { x1, y1, x2, y2 } = scene.top.box;
  const all = { x: (x1 + x2) / 2, y: (y1 + y2) / 2, scale: (0.9 * WIDTH) / (x2 - x1) };
  expect(renderer.preview(all, WIDTH, HEIGHT), "there is no picture yet").toBe(false);
  renderer.draw(all, WIDTH, HEIGHT, 1, 2);
  const before = pixels();
  expect(renderer.preview({ ...all, scale: 2 * all.scale }, WIDTH, HEIGHT)).toBe(true);
  const zoomed = pixels();
  let same = 0;
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++) {
      const [px, py] = [WIDTH / 2 + (x + 0.5 - WIDTH / 2) / 2, HEIGHT / 2 + (y + 0.5 - HEIGHT / 2) / 2];
      if (zoomed[y * WIDTH + x] === before[Math.floor(py) * WIDTH + Math.floor(px)]) same++;
    }
  // Of an odd width each middle of two pixels may go either way.
  expect(same / zoomed.length).toBeGreaterThan(0.98);
  // In a corner, and out again: what the last picture has not is taken from the one before.
  const corner = { x: x1, y: y1, scale: 4 * all.scale };
  renderer.draw(corner, WIDTH, HEIGHT, 1, 2);
  renderer.preview(all, WIDTH, HEIGHT);
  expect(different(before, pixels())).toBeLessThan(before.length / 16);
  // Hidden layers would be in the old one.
  renderer.show(scene.layout.layers.map(() => false));
  renderer.draw(corner, WIDTH, HEIGHT, 1, 2);
  renderer.preview(all, WIDTH, HEIGHT);
  expect(new Set(pixels()).size).toBe(1);
});

it("leaves out fillings, cells and levels when asked to", async () => {
  const { renderer, pixels, scene } = await rendererOf("klayout");
  const { x1, y1, x2, y2 } = scene.top.box;
  const view = { x: (x1 + x2) / 2, y: (y1 + y2) / 2, scale: WIDTH / (x2 - x1) };
  const draw = () => {
    renderer.draw(view, WIDTH, HEIGHT, 1, 1);
    return pixels();
  };
  const all = draw();
  renderer.look({ fills: false, labels: false, limits: NO_LIMITS });
  expect(different(all, draw())).toBeGreaterThan(0);
  renderer.look({ fills: true, labels: false, limits: { depth: 1, hidden: new Set() } });
  expect(different(all, draw())).toBeGreaterThan(0);
  const hidden = new Set(scene.nodes.filter((node) => node !== scene.top));
  renderer.look({ fills: true, labels: false, limits: { depth: Number.POSITIVE_INFINITY, hidden } });
  expect(different(all, draw())).toBeGreaterThan(0);
  renderer.look({ fills: true, labels: true, limits: NO_LIMITS });
  expect(different(all, draw())).toBe(0);
});
