import type { Mark } from "./overlay";

// Pixels: of the small markers in one such square one is drawn.
const LATTICE = 4;
// More outlines than these hide each other; the rest are dots, too.
const OUTLINES = 4000;

/** Many markers with their boxes, so that a view finds in no time what it has of them. */
export class MarkField {
  /** x1, y1, x2, y2 of each, µm. */
  private readonly boxes: Float64Array;
  private spots = new Uint8Array(0);
  private readonly canvas = new OffscreenCanvas(1, 1);

  constructor(readonly marks: readonly Mark[]) {
    this.boxes = new Float64Array(4 * marks.length);
    const { boxes } = this;
    marks.forEach(({ points }, index) => {
      const at = 4 * index;
      boxes.fill(Number.POSITIVE_INFINITY, at, at + 2);
      boxes.fill(Number.NEGATIVE_INFINITY, at + 2, at + 4);
      for (let i = 0; i < points.length; i++) {
        const value = points[i] as number;
        const low = at + (i & 1);
        if (value < (boxes[low] as number)) boxes[low] = value;
        if (value > (boxes[low + 2] as number)) boxes[low + 2] = value;
      }
    });
  }

  /**
   * Draw those too small to see as dots, one for each spot, and give the others. `at` tells where a position is on the
   * canvas; `ratio` is its pixels per CSS pixel.
   */
  draw(
    context: CanvasRenderingContext2D,
    at: (x: number, y: number) => [number, number],
    ratio: number,
    colour: readonly [number, number, number],
  ): Mark[] {
    const { boxes, marks } = this;
    const { width, height } = context.canvas;
    const small = LATTICE * ratio;
    const [columns, rows] = [Math.ceil(width / small), Math.ceil(height / small)];
    if (this.spots.length !== columns * rows) this.spots = new Uint8Array(columns * rows);
    else this.spots.fill(0);
    const [left, upper] = at(0, 0);
    const scale = at(1, 0)[0] - left;
    const large: Mark[] = [];
    let dots = false;
    for (let i = 0; i < boxes.length; i += 4) {
      const x1 = left + scale * (boxes[i] as number);
      const x2 = left + scale * (boxes[i + 2] as number);
      const y1 = upper - scale * (boxes[i + 3] as number);
      const y2 = upper - scale * (boxes[i + 1] as number);
      if (x2 < 0 || y2 < 0 || x1 > width || y1 > height) continue;
      if ((x2 - x1 < small && y2 - y1 < small) || large.length >= OUTLINES) {
        const column = Math.floor((x1 + x2) / 2 / small);
        const row = Math.floor((y1 + y2) / 2 / small);
        if (column < 0 || row < 0 || column >= columns || row >= rows) continue;
        this.spots[row * columns + column] = 1;
        dots = true;
      } else large.push(marks[i / 4] as Mark);
    }
    if (dots) this.dots(context, columns, rows, small, colour);
    return large;
  }

  private dots(
    context: CanvasRenderingContext2D,
    columns: number,
    rows: number,
    small: number,
    [red, green, blue]: readonly [number, number, number],
  ): void {
    const { spots, canvas } = this;
    const image = new ImageData(columns, rows);
    const pixels = new Uint32Array(image.data.buffer);
    const ink = (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
    for (let i = 0; i < spots.length; i++) if (spots[i]) pixels[i] = ink;
    if (canvas.width !== columns || canvas.height !== rows) {
      canvas.width = columns;
      canvas.height = rows;
    }
    canvas.getContext("2d")?.putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(canvas, 0, 0, columns * small, rows * small);
  }
}
