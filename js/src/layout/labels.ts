import type { Seen } from "./collect";
import type { Scene } from "./scene";

// Labels of sub-cells appear when the cell is this large; those of the top always. CSS pixels.
const CELL_SIZE = 140;
const LINE = 11;
// One label a slot of so many lines: the picture stays visible, and more labels come as one zooms in.
const SLOT_WIDTH = 7;
const SLOT_HEIGHT = 2.5;

/** Write the texts of the layout, where there is room; the rest appears as one zooms in. */
export function drawLabels(
  context: OffscreenCanvasRenderingContext2D,
  scene: Scene,
  seen: readonly Seen[],
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
  for (const { node, drawn } of seen) {
    const large = Math.max(node.box.x2 - node.box.x1, node.box.y2 - node.box.y1);
    for (const { layer, label } of layers) {
      const texts = node.cell.shapes[layer]?.texts;
      if (!texts?.length) continue;
      for (let i = 0; i < drawn.length; i += 6) {
        const [a, b, c, d, x, y] = drawn.slice(i, i + 6) as [number, number, number, number, number, number];
        if (node !== scene.top && large * Math.hypot(a, c) < CELL_SIZE * ratio) continue;
        for (let k = 0; k < texts.length; k += 3) {
          const [tx, ty] = [texts[k] as number, texts[k + 1] as number];
          const text = scene.layout.strings[texts[k + 2] as number] ?? "";
          write(text, a * tx + b * ty + x, height - 1 - (c * tx + d * ty + y), label);
        }
      }
    }
  }
}
