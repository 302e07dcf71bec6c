import { Collector, type Field, type Seen, type View } from "./collect";
import { Box } from "./geometry";
import { drawLabels } from "./labels";
import { Picture, pixel, stipple } from "./picture";
import { Planes } from "./planes";
import type { LayerInfo } from "./protocol";
import { type Scene, spanBox } from "./scene";

// Shown in light and dark pages alike: the colours of the PDKs are made for it.
const BACKGROUND = "#0b0d10";

/** A layer of the scene as it is drawn. */
interface Paint {
  /** Index into the layout's layers. */
  readonly layer: number;
  readonly fill: number;
  readonly frame: number;
  readonly label: string;
  readonly stipple: LayerInfo["stipple"];
  visible: boolean;
}

export interface Frame {
  readonly simplified: boolean;
}

/** Draws a scene: one layer after the other from the bottom, each on bitmaps of its own. */
export class Renderer {
  private planes = new Planes(1, 1);
  private picture = new Picture(1, 1);
  private readonly paints: Paint[];
  private readonly corners = new Float64Array(8);
  private points = new Float64Array(256);

  constructor(
    private readonly scene: Scene,
    private readonly canvas: OffscreenCanvas,
    /** In drawing order, the lowest first; `index` is the layout's. */
    layers: readonly (LayerInfo & { readonly index: number })[],
  ) {
    this.paints = layers.map((layer) => ({
      layer: layer.index,
      fill: pixel(layer.fill),
      frame: pixel(layer.frame),
      label: paler(layer.frame),
      stipple: layer.stipple,
      visible: layer.visible,
    }));
  }

  show(visible: readonly boolean[]): void {
    this.paints.forEach((paint, index) => {
      paint.visible = visible[index] ?? paint.visible;
    });
  }

  /** Draw a view on `width` by `height` pixels; cells below `detail` pixels are covered by a pattern. */
  draw(view: View, width: number, height: number, ratio: number, detail: number): Frame {
    const context = this.canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("This browser cannot draw in a worker.");
    if (this.picture.width !== width || this.picture.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.planes = new Planes(width, height);
      this.picture = new Picture(width, height);
    }
    const found = new Collector(this.scene, width, height, detail);
    found.collect(view);
    this.picture.clear(pixel(BACKGROUND));
    const shiftX = Math.round(width / 2 - view.x * view.scale);
    const shiftY = Math.round(height / 2 - view.y * view.scale);
    this.paints.forEach((paint, rank) => {
      if (!paint.visible) return;
      this.planes.clear();
      for (const seen of found.seen) this.addSeen(seen, paint.layer, rank & 3);
      for (const field of found.fields) this.addField(field, paint.layer, rank & 3);
      const rows = stipple(paint.stipple, rank, ratio);
      this.picture.add(this.planes, paint.fill, paint.frame, rows, shiftX, shiftY);
    });
    context.putImageData(this.picture.image, 0, 0);
    const shown = this.paints.filter((paint) => paint.visible);
    drawLabels(context, this.scene, found.seen, shown, ratio);
    return { simplified: found.simplified };
  }

  private addSeen({ node, drawn, covered }: Seen, layer: number, phase: number): void {
    const box = node.layerBoxes[layer] as Box;
    if (box.empty) return;
    const density = node.density[layer] as number;
    for (let i = 0; i < covered.length; i += 6) {
      const around = transformBox(box, covered, i);
      this.planes.cover(around.x1, around.y1, around.x2, around.y2, density, phase);
    }
    if (!node.cell.shapes[layer]) return;
    for (let i = 0; i < drawn.length; i += 6) {
      this.addRects(node.rects[layer], drawn, i);
      this.addPolygons(node.cell.shapes[layer], drawn, i);
    }
  }

  private addField({ node, transform, grid }: Field, layer: number, phase: number): void {
    const box = node.layerBoxes[layer] as Box;
    if (box.empty) return;
    const one = transformBox(box, transform, 0);
    const all = spanBox(one, grid);
    const size = (each: Box) => Math.max(each.x2 - each.x1, 1e-6) * Math.max(each.y2 - each.y1, 1e-6);
    const share = Math.min(1, (grid.nx * grid.ny * size(one)) / size(all));
    this.planes.cover(all.x1, all.y1, all.x2, all.y2, share * (node.density[layer] as number), phase);
  }

  private addRects(chunked: Scene["nodes"][number]["rects"][number], t: readonly number[], at: number): void {
    if (!chunked) return;
    const [a, b, c, d, x, y] = [t[at], t[at + 1], t[at + 2], t[at + 3], t[at + 4], t[at + 5]] as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const upright = b === 0 && c === 0;
    const { rects, chunks } = chunked;
    if (!upright && (a !== 0 || d !== 0)) {
      this.addTilted(rects, [a, b, c, d, x, y]);
      return;
    }
    // Upright or turned by a quarter: x depends on one coordinate only, y on the other.
    const [sx, sy] = upright ? [a, d] : [b, c];
    const [forX, forY] = upright ? [0, 1] : [1, 0];
    const { planes } = this;
    const { width, height } = planes;
    const many = chunks.length > 6;
    for (let k = 0; k < chunks.length; k += 6) {
      if (many) {
        const px1 = sx * (chunks[k + 2 + forX] as number) + x;
        const px2 = sx * (chunks[k + 4 + forX] as number) + x;
        const py1 = sy * (chunks[k + 2 + forY] as number) + y;
        const py2 = sy * (chunks[k + 4 + forY] as number) + y;
        if ((px1 < 0 && px2 < 0) || (py1 < 0 && py2 < 0)) continue;
        if ((px1 > width && px2 > width) || (py1 > height && py2 > height)) continue;
      }
      const end = 4 * (chunks[k + 1] as number);
      for (let i = 4 * (chunks[k] as number); i < end; i += 4) {
        const px1 = sx * (rects[i + forX] as number) + x;
        const px2 = sx * (rects[i + 2 + forX] as number) + x;
        const py1 = sy * (rects[i + forY] as number) + y;
        const py2 = sy * (rects[i + 2 + forY] as number) + y;
        if (px1 <= px2) {
          if (py1 <= py2) planes.rect(px1, py1, px2, py2);
          else planes.rect(px1, py2, px2, py1);
        } else if (py1 <= py2) planes.rect(px2, py1, px1, py2);
        else planes.rect(px2, py2, px1, py1);
      }
    }
  }

  private addTilted(
    rects: Int32Array,
    [a, b, c, d, x, y]: readonly [number, number, number, number, number, number],
  ) {
    const { corners } = this;
    for (let i = 0; i < rects.length; i += 4) {
      for (let k = 0; k < 4; k++) {
        const px = rects[i + (k === 1 || k === 2 ? 2 : 0)] as number;
        const py = rects[i + (k >= 2 ? 3 : 1)] as number;
        corners[2 * k] = a * px + b * py + x;
        corners[2 * k + 1] = c * px + d * py + y;
      }
      this.planes.polygon(corners, 4);
    }
  }

  private addPolygons(
    shapes: Scene["layout"]["cells"][number]["shapes"][number],
    t: readonly number[],
    at: number,
  ) {
    if (!shapes || shapes.starts.length < 2) return;
    const [a, b, c, d, x, y] = [t[at], t[at + 1], t[at + 2], t[at + 3], t[at + 4], t[at + 5]] as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const { points, starts } = shapes;
    for (let p = 0; p + 1 < starts.length; p++) {
      const start = starts[p] as number;
      const count = (starts[p + 1] as number) - start;
      if (this.points.length < 2 * count) this.points = new Float64Array(4 * count);
      for (let i = 0; i < count; i++) {
        const px = points[2 * (start + i)] as number;
        const py = points[2 * (start + i) + 1] as number;
        this.points[2 * i] = a * px + b * py + x;
        this.points[2 * i + 1] = c * px + d * py + y;
      }
      this.planes.polygon(this.points, count);
    }
  }
}

/** Half way to white, for text on a dark ground. */
function paler(colour: string): string {
  const part = (at: number) => Math.round((Number.parseInt(colour.slice(at, at + 2), 16) + 255) / 2);
  return `rgb(${part(1)} ${part(3)} ${part(5)})`;
}

/** The upright box around a transformed one. */
function transformBox(box: Box, t: readonly number[], at: number): Box {
  const [a, b, c, d] = [t[at], t[at + 1], t[at + 2], t[at + 3]] as [number, number, number, number];
  const [middleX, middleY] = [(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2];
  const [halfX, halfY] = [(box.x2 - box.x1) / 2, (box.y2 - box.y1) / 2];
  const x = a * middleX + b * middleY + (t[at + 4] as number);
  const y = c * middleX + d * middleY + (t[at + 5] as number);
  const reachX = Math.abs(a) * halfX + Math.abs(b) * halfY;
  const reachY = Math.abs(c) * halfX + Math.abs(d) * halfY;
  return new Box(x - reachX, y - reachY, x + reachX, y + reachY);
}
