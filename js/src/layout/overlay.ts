import type { View } from "./collect";
import { MarkField } from "./mark-field";
import type { Measure } from "./rulers";
import { lengthText, type Room, toScreen } from "./viewport";

/** A marker as it is drawn, µm: a box (x1, y1, x2, y2), the corners of a polygon, or those of an open line. */
export interface Mark {
  readonly kind: "box" | "polygon" | "line";
  readonly points: readonly number[];
}

/** Boxes of a highlighted net on one layer: x1, y1, x2, y2, … in µm. */
export interface Lit {
  readonly colour: string;
  readonly boxes: readonly number[];
}

/** What lies over the picture; positions in µm. */
export interface Drawing {
  /** What is highlighted, the lowest layer first; all else is dimmed. */
  readonly lit: readonly Lit[] | undefined;
  readonly measures: readonly Measure[];
  /** Where a ruler would snap to. */
  readonly snap: { x: number; y: number } | undefined;
  /** The picked shape. */
  readonly picked: readonly number[] | undefined;
  /** Placements of a cell: x1, y1, x2, y2, … */
  readonly placed: ArrayLike<number> | undefined;
  readonly marks: readonly Mark[];
  readonly mark: Mark | undefined;
  /** What the markers lie on has colours of its own, pink and green: they are white. */
  readonly differences: boolean;
  /** The rubber band of the zoom box, CSS pixels. */
  readonly band: readonly [number, number, number, number] | undefined;
  /** The middle, where keys act. */
  readonly cross: boolean;
}

export const NOTHING: Drawing = {
  lit: undefined,
  ...{ measures: [], snap: undefined, picked: undefined, placed: undefined },
  ...{ marks: [], mark: undefined, differences: false, band: undefined, cross: false },
};

const RULER = "#ffd866";
const PICKED = "#ffffff";
const PLACED = "#79c0ff";
const ERRORS = { line: "#ff3b30", fill: "rgb(255 59 48 / 35%)", rgb: [0xff, 0x3b, 0x30] } as const;
const DIFFERENCES = { line: "#ffffff", fill: "rgb(255 255 255 / 20%)", rgb: [0xff, 0xff, 0xff] } as const;
const HALO = "rgb(0 0 0 / 75%)";
const DIM = "rgb(11 13 16 / 72%)";

/** A canvas over the picture, drawn by the page: few things, that follow each view at once. */
export class Overlay {
  private readonly context: CanvasRenderingContext2D | null;
  private ratio = 1;
  private ink: typeof ERRORS | typeof DIFFERENCES = ERRORS;
  private field: MarkField | undefined;
  private at: (x: number, y: number) => [number, number] = (x, y) => [x, y];

  constructor(readonly canvas: HTMLCanvasElement) {
    this.context = canvas.getContext("2d");
  }

  /** Draw it all; `unit` is database units per µm. */
  draw(drawing: Drawing, view: View, room: Room, ratio: number, unit: number): void {
    const { canvas, context } = this;
    if (!context) return;
    if (canvas.width !== room.width || canvas.height !== room.height) {
      canvas.width = room.width;
      canvas.height = room.height;
    } else context.clearRect(0, 0, room.width, room.height);
    this.ratio = ratio;
    this.ink = drawing.differences ? DIFFERENCES : ERRORS;
    this.at = (x, y) => toScreen(view, room, x * unit, y * unit);
    context.font = `${11 * ratio}px system-ui, sans-serif`;
    context.lineJoin = "round";
    if (drawing.lit) this.lit(context, drawing.lit, room);
    if (drawing.placed) this.boxes(context, drawing.placed, PLACED);
    this.marks(context, drawing.marks);
    if (drawing.mark) this.mark(context, drawing.mark);
    if (drawing.picked) this.outline(context, drawing.picked, PICKED);
    for (const measure of drawing.measures) this.measure(context, measure);
    if (drawing.snap) this.dot(context, ...this.at(drawing.snap.x, drawing.snap.y));
    if (drawing.band) this.band(context, drawing.band);
    if (drawing.cross) this.cross(context, room);
  }

  /** Fill what is highlighted in its colours, a pixel at least, over all else dimmed. */
  private lit(context: CanvasRenderingContext2D, lit: readonly Lit[], { width, height }: Room): void {
    context.fillStyle = DIM;
    context.fillRect(0, 0, width, height);
    const least = 1.5 * this.ratio;
    for (const { colour, boxes } of lit) {
      context.fillStyle = colour;
      context.strokeStyle = "rgb(255 255 255 / 85%)";
      context.lineWidth = this.ratio;
      for (let i = 0; i < boxes.length; i += 4) {
        const [x1, y2] = this.at(boxes[i] as number, boxes[i + 1] as number);
        const [x2, y1] = this.at(boxes[i + 2] as number, boxes[i + 3] as number);
        if (x2 < 0 || y2 < 0 || x1 > width || y1 > height) continue;
        const [w, h] = [Math.max(x2 - x1, least), Math.max(y2 - y1, least)];
        context.fillRect(x1, y1, w, h);
        if (w > 4 * least && h > 4 * least) context.strokeRect(x1, y1, w, h);
      }
    }
  }

  private boxes(context: CanvasRenderingContext2D, boxes: ArrayLike<number>, colour: string): void {
    context.beginPath();
    for (let i = 0; i < boxes.length; i += 4) {
      const [x1, y1] = this.at(boxes[i] as number, boxes[i + 1] as number);
      const [x2, y2] = this.at(boxes[i + 2] as number, boxes[i + 3] as number);
      context.rect(x1, y2, Math.max(x2 - x1, this.ratio), Math.max(y1 - y2, this.ratio));
    }
    context.lineWidth = 1.5 * this.ratio;
    context.strokeStyle = colour;
    context.stroke();
    context.fillStyle = "rgb(121 192 255 / 20%)";
    context.fill();
  }

  /** All markers: outlines, and those too small to see as dots. */
  private marks(context: CanvasRenderingContext2D, marks: readonly Mark[]): void {
    if (!marks.length) return;
    if (this.field?.marks !== marks) this.field = new MarkField(marks);
    const large = this.field.draw(context, this.at, this.ratio, this.ink.rgb);
    // One path of thousands of boxes takes ten times as long as the boxes one by one.
    const boxes = large.filter(({ kind }) => kind === "box").map((mark) => this.around(mark));
    for (const [colour, width] of [
      [HALO, 4],
      [this.ink.line, 1.5],
    ] as const) {
      context.strokeStyle = colour;
      context.lineWidth = width * this.ratio;
      for (const [x1, y1, x2, y2] of boxes) context.strokeRect(x1, y1, x2 - x1, y2 - y1);
    }
    context.beginPath();
    for (const mark of large) if (mark.kind !== "box") this.path(context, mark);
    this.halo(context, this.ink.line, 1.5);
  }

  private mark(context: CanvasRenderingContext2D, mark: Mark): void {
    const [x1, y1, x2, y2] = this.around(mark);
    context.beginPath();
    this.path(context, mark);
    context.fillStyle = this.ink.fill;
    if (mark.kind !== "line") context.fill();
    this.halo(context, this.ink.line, 2.5);
    // A ring that is seen however small the marker is.
    context.beginPath();
    const radius = Math.max(Math.hypot(x2 - x1, y2 - y1) / 2 + 6 * this.ratio, 14 * this.ratio);
    context.arc((x1 + x2) / 2, (y1 + y2) / 2, radius, 0, 2 * Math.PI);
    this.halo(context, this.ink.line, 1.5);
  }

  private around({ points }: Mark): [number, number, number, number] {
    const [x, y] = this.at(points[0] as number, points[1] as number);
    let [x1, y1, x2, y2] = [x, y, x, y];
    for (let i = 2; i < points.length; i += 2) {
      const [px, py] = this.at(points[i] as number, points[i + 1] as number);
      [x1, y1] = [Math.min(x1, px), Math.min(y1, py)];
      [x2, y2] = [Math.max(x2, px), Math.max(y2, py)];
    }
    return [x1, y1, x2, y2];
  }

  private path(context: CanvasRenderingContext2D, mark: Mark): void {
    const { points, kind } = mark;
    if (kind === "box") {
      const [x1, y1, x2, y2] = this.around(mark);
      context.rect(x1, y1, x2 - x1, y2 - y1);
      return;
    }
    context.moveTo(...this.at(points[0] as number, points[1] as number));
    for (let i = 2; i < points.length; i += 2)
      context.lineTo(...this.at(points[i] as number, points[i + 1] as number));
    if (kind === "polygon") context.closePath();
  }

  private outline(context: CanvasRenderingContext2D, points: readonly number[], colour: string): void {
    context.beginPath();
    this.path(context, { kind: "polygon", points });
    this.halo(context, colour, 2);
  }

  /** Stroke in a colour, on black, so that it is seen on any layer. */
  private halo(context: CanvasRenderingContext2D, colour: string, width: number): void {
    context.strokeStyle = HALO;
    context.lineWidth = (width + 2.5) * this.ratio;
    context.stroke();
    context.strokeStyle = colour;
    context.lineWidth = width * this.ratio;
    context.stroke();
  }

  private measure(context: CanvasRenderingContext2D, { from, to }: Measure): void {
    const [x1, y1] = this.at(from.x, from.y);
    const [x2, y2] = this.at(to.x, to.y);
    const length = Math.hypot(x2 - x1, y2 - y1) || 1;
    // Ticks across the ends.
    const [nx, ny] = [(-(y2 - y1) / length) * 5 * this.ratio, ((x2 - x1) / length) * 5 * this.ratio];
    context.beginPath();
    context.moveTo(x1 - nx, y1 - ny);
    context.lineTo(x1 + nx, y1 + ny);
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.moveTo(x2 - nx, y2 - ny);
    context.lineTo(x2 + nx, y2 + ny);
    this.halo(context, RULER, 1.5);
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const straight = dx === 0 || dy === 0;
    // A tenth of a nanometre is below any grid.
    const text = (microns: number) => lengthText(Number(Math.abs(microns).toFixed(4)));
    const parts = [text(Math.hypot(dx, dy))];
    if (!straight) parts.push(`(${text(dx)}, ${text(dy)})`);
    this.text(context, parts.join(" "), (x1 + x2) / 2, (y1 + y2) / 2);
  }

  private text(context: CanvasRenderingContext2D, text: string, x: number, y: number): void {
    const pad = 4 * this.ratio;
    const width = context.measureText(text).width;
    const line = 11 * this.ratio;
    const left = x + pad * 2;
    const top = y - line / 2 - pad;
    context.fillStyle = "rgb(11 13 16 / 88%)";
    context.fillRect(left - pad, top, width + 2 * pad, line + 2 * pad);
    context.fillStyle = RULER;
    context.textBaseline = "middle";
    context.fillText(text, left, y);
  }

  private dot(context: CanvasRenderingContext2D, x: number, y: number): void {
    context.beginPath();
    context.arc(x, y, 5 * this.ratio, 0, 2 * Math.PI);
    this.halo(context, RULER, 1.5);
  }

  private band(context: CanvasRenderingContext2D, band: readonly [number, number, number, number]): void {
    const [x1, y1, x2, y2] = band.map((value) => value * this.ratio) as [number, number, number, number];
    context.beginPath();
    context.rect(Math.min(x1, x2), Math.min(y1, y2), Math.abs(x2 - x1), Math.abs(y2 - y1));
    context.fillStyle = "rgb(255 255 255 / 12%)";
    context.fill();
    this.halo(context, PICKED, 1);
  }

  private cross(context: CanvasRenderingContext2D, { width, height }: Room): void {
    const [x, y, arm] = [width / 2, height / 2, 8 * this.ratio];
    context.beginPath();
    context.moveTo(x - arm, y);
    context.lineTo(x + arm, y);
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
    this.halo(context, PICKED, 1);
  }
}
