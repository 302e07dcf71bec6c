import { element } from "../dom";
import type { Stage } from "./stage";

// A browser needs the address of a file for a moment after it was told to save it; ms.
const KEPT = 10_000;

/** Save what is shown, with what lies over it, as `name`.png. */
export async function savePicture(stage: Stage, over: HTMLCanvasElement, name: string): Promise<void> {
  const picture = await stage.ask({ type: "picture" });
  const canvas = element("canvas", { width: picture.width, height: picture.height });
  const context = canvas.getContext("2d");
  context?.drawImage(picture, 0, 0);
  context?.drawImage(over, 0, 0);
  picture.close();
  canvas.toBlob((blob) => {
    if (!blob) return;
    const url = URL.createObjectURL(blob);
    element("a", { href: url, download: `${name}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(url), KEPT);
  });
}
