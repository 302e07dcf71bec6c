import { element } from "../dom";
import type { Stage } from "./stage";

// A browser needs the address of a file for a moment after it was told to save it; ms.
const KEPT = 10_000;

export interface Pane {
  readonly stage: Stage;
  /** What lies over the picture. */
  readonly over: HTMLCanvasElement;
}

/** Save what is shown, side by side where there is more than one, as `name`.png. */
export async function savePicture(panes: readonly Pane[], name: string): Promise<void> {
  const pictures = await Promise.all(panes.map(({ stage }) => stage.ask({ type: "picture" })));
  const width = pictures.reduce((sum, picture) => sum + picture.width, 0);
  const height = Math.max(...pictures.map((picture) => picture.height));
  const canvas = element("canvas", { width, height });
  const context = canvas.getContext("2d");
  let left = 0;
  pictures.forEach((picture, index) => {
    context?.drawImage(picture, left, 0);
    context?.drawImage((panes[index] as Pane).over, left, 0);
    left += picture.width;
    picture.close();
  });
  canvas.toBlob((blob) => {
    if (!blob) return;
    const url = URL.createObjectURL(blob);
    element("a", { href: url, download: `${name}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(url), KEPT);
  });
}
