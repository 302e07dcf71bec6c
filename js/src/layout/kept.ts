import type { View } from "./collect";
import { BACKGROUND, type Picture } from "./picture";

/** A picture and the view that it shows. */
interface Shot {
  readonly canvas: OffscreenCanvas;
  readonly view: View;
  /** All of the layout is in it. */
  readonly overall: boolean;
}

/**
 * Pictures to go on with while a view is zoomed and a new one takes too long: the last one, and beneath it the last that
 * had all of the layout. They are copied when the first is asked for, since most are not.
 */
export class Kept {
  private last: { readonly picture: Picture; readonly view: View; readonly overall: boolean } | undefined;
  private copy: Shot | undefined;
  private overview: Shot | undefined;

  /** The picture that is shown now. */
  take(picture: Picture, view: View, overall: boolean): void {
    this.last = { picture, view, overall };
    if (this.copy?.overall) this.overview = this.copy;
    this.copy = undefined;
  }

  /** What is shown has changed: older pictures are wrong. */
  forget(): void {
    this.overview = undefined;
    if (this.copy) this.copy = { ...this.copy, overall: false };
    if (this.last) this.last = { ...this.last, overall: false };
  }

  /** Draw them where a view has them; false when there is none of this size. */
  draw(context: OffscreenCanvasRenderingContext2D, view: View, width: number, height: number): boolean {
    const { last, overview } = this;
    if (!last || last.picture.width !== width || last.picture.height !== height) return false;
    this.copy ??= { canvas: copied(last.picture), view: last.view, overall: last.overall };
    context.fillStyle = BACKGROUND;
    context.fillRect(0, 0, width, height);
    context.imageSmoothingEnabled = false;
    for (const shot of [overview, this.copy]) {
      if (!shot || shot.canvas.width !== width || shot.canvas.height !== height) continue;
      const grown = view.scale / shot.view.scale;
      const x = width / 2 + (shot.view.x - view.x) * view.scale;
      const y = height / 2 - (shot.view.y - view.y) * view.scale;
      const [w, h] = [width * grown, height * grown];
      context.drawImage(shot.canvas, x - w / 2, y - h / 2, w, h);
    }
    return true;
  }
}

function copied({ image, width, height }: Picture): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d", { alpha: false })?.putImageData(image, 0, 0);
  return canvas;
}
