import { Collector, type Limits } from "./collect";
import { transformBox } from "./raster";
import type { Scene } from "./scene";

// Labels of sub-cells appear when the cell is this large; those of the top always. CSS pixels.
const CELL_SIZE = 140;
const LINE = 11;
// One label a slot of so many lines: the picture stays visible, and more labels come as one zooms in.
const SLOT_WIDTH = 7;
const SLOT_HEIGHT = 2.5;

/** Where the layout's origin is, and how large a database unit, pixels. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

/** Write the texts of the layout, where there is room; the rest appears as one zooms in. */
export function drawLabels(
  context: OffscreenCanvasRenderingContext2D,
  scene: Scene,
  limits: Limits,
  at: Place,
  layers: readonly { layer: number; label: string }[],
  ratio: number,
): void {
  const { width, height } = context.canvas;
  const taken = new Set<number>();
  const line = LINE * ratio;
  context.font = `${line}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 3 * ratio;
  context.strokeStyle = "rgb(0 0 0 / 75%)";
  const write = (text: string, x: number, y: number, colour: string) => {
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const row = Math.floor(y / (SLOT_HEIGHT * line)) * 4096;
    const first = Math.floor(x / (SLOT_WIDTH * line));
    if (taken.has(row + first)) return;
    const slots = Math.ceil(context.measureText(text).width / (SLOT_WIDTH * line));
    for (let slot = first; slot < first + slots; slot++) if (taken.has(row + slot)) return;
    for (let slot = first; slot < first + slots; slot++) taken.add(row + slot);
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
  };
  const found = new Collector(scene, [0, 0, width, height], CELL_SIZE * ratio, limits, true);
  found.collect(at.x, at.y, at.scale);
  for (const { node, a, b, c, d, drawn } of found.seen) {
    const large = Math.max(node.box.x2 - node.box.x1, node.box.y2 - node.box.y1);
    if (node !== scene.top && large * Math.hypot(a, c) < CELL_SIZE * ratio) continue;
    for (const { layer, label } of layers) {
      const texts = node.cell.shapes[layer]?.texts;
      if (!texts?.length) continue;
      for (let i = 0; i < drawn.length; i += 2) {
        const [x, y] = [drawn.at[i] as number, drawn.at[i + 1] as number];
        for (let k = 0; k < texts.length; k += 3) {
          const [tx, ty] = [texts[k] as number, texts[k + 1] as number];
          const text = scene.layout.strings[texts[k + 2] as number] ?? "";
          write(text, a * tx + b * ty + x, height - 1 - (c * tx + d * ty + y), label);
        }
      }
    }
  }
}

/** Draw the cells below the depth limit as boxes, with their names where there is room. */
export function drawOutlines(
  context: OffscreenCanvasRenderingContext2D,
  scene: Scene,
  limits: Limits,
  { x, y, scale }: Place,
  ratio: number,
): void {
  const { width, height } = context.canvas;
  const found = new Collector(scene, [0, 0, width, height], ratio, limits);
  found.collect(x, y, scale);
  context.strokeStyle = "#8b949e";
  context.fillStyle = "#c9d1d9";
  context.lineWidth = 1;
  context.font = `${LINE * ratio}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  context.textAlign = "center";
  context.beginPath();
  for (const { node, a, b, c, d, drawn } of found.outlines) {
    const name = context.measureText(node.cell.name).width;
    for (let i = 0; i < drawn.length; i += 2) {
      const at = [a, b, c, d, drawn.at[i] as number, drawn.at[i + 1] as number];
      const box = transformBox(node.box, at, 0);
      const [w, h] = [box.x2 - box.x1, box.y2 - box.y1];
      context.rect(Math.floor(box.x1) + 0.5, Math.floor(height - box.y2) + 0.5, Math.round(w), Math.round(h));
      if (name < w - 4 && h > LINE * ratio)
        context.fillText(node.cell.name, (box.x1 + box.x2) / 2, height - (box.y1 + box.y2) / 2);
    }
  }
  context.stroke();
  context.textAlign = "start";
}
