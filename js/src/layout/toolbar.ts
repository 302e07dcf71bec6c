import { element } from "../dom";
import type { Camera } from "./camera";
import type { Opened } from "./protocol";
import type { Side } from "./side";
import { button } from "./signs";
import { lengthText } from "./viewport";

/** What the layout is, and how large; it is told again when the layout is read again. */
export class Caption {
  readonly element = element("span", { class: "caption" });

  tell({ top, box: [x1, y1, x2, y2], unit }: Opened): void {
    const size = `${lengthText((x2 - x1) / unit)} × ${lengthText((y2 - y1) / unit)}`;
    this.element.replaceChildren(
      element("strong", { title: top }, top),
      element("span", { class: "numbers" }, size),
    );
  }
}

type Panel = "layers" | "cells" | "nets" | "markers";

/** The row above the picture; `more` are buttons of its own kind, left out when false. */
export function toolbar(
  caption: Caption,
  camera: Camera,
  side: Side,
  panels: readonly Panel[],
  more: readonly (HTMLElement | false)[],
): HTMLElement {
  const title = (name: Panel) =>
    `${name[0]?.toUpperCase()}${name.slice(1)} (${name === "nets" ? "t" : name[0]})`;
  return element(
    "div",
    { class: "tools", role: "toolbar", "aria-label": "Layout tools" },
    caption.element,
    button("plus", "Zoom in (+)", () => camera.zoomBy(1.6)),
    button("minus", "Zoom out (−)", () => camera.zoomBy(1 / 1.6)),
    button("fit", "Fit the whole layout (f)", () => camera.look(undefined)),
    ...more,
    ...panels.map((name) => side.button(name, title(name))),
    side.button("settings", "View: go to, labels, picture, keys (g)"),
  );
}
