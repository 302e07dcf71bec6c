import { element } from "../dom";
import { formatNumber } from "../format";
import { boxOf } from "./geometry";
import { keyOf } from "./layer-panel";
import type { Hit } from "./probe";
import type { LayerInfo } from "./protocol";
import { button } from "./signs";
import { lengthText } from "./viewport";

/** A picked shape as Python sees it; positions in µm. */
export interface Selection {
  readonly layer: number;
  readonly datatype: number;
  readonly name: string;
  readonly cell: string;
  /** The cells from the top down, divided by slashes. */
  readonly path: string;
  readonly box: readonly [number, number, number, number];
  /** The net that it belongs to and the instance that it is in, where a DEF tells; "" where not. */
  readonly net: string;
  readonly instance: string;
}

export function selectionOf(hit: Hit, layers: readonly LayerInfo[], unit: number): Selection {
  const { layer, datatype, name } = layers[hit.rank] as LayerInfo;
  const { x1, y1, x2, y2 } = boxOf(hit.points);
  const micron = (value: number) => Number((value / unit).toFixed(6));
  return {
    ...{ layer, datatype, name, cell: hit.path.at(-1) ?? "", path: hit.path.join("/") },
    box: [micron(x1), micron(y1), micron(x2), micron(y2)],
    ...{ net: "", instance: "" },
  };
}

/** A card that says what has been picked; `of` tells which of how many shapes at the place it is. */
export function inspector(
  picked: Selection,
  layer: LayerInfo,
  of: readonly [number, number],
  close: () => void,
  highlight: (net: string) => void,
): HTMLElement {
  const [x1, y1, x2, y2] = picked.box;
  const swatch = element("span", { class: "swatch" });
  swatch.style.setProperty("--fill", layer.fill);
  swatch.style.setProperty("--frame", layer.frame);
  const numbers = picked.name === keyOf(picked) ? "" : keyOf(picked);
  const [at, all] = of;
  const more = all > 1 ? `${at + 1} of ${formatNumber(all)} here: click again for the next` : "";
  const fact = (name: string, value: string) => [element("dt", {}, name), element("dd", {}, value)];
  const place = (value: number) => String(Number(value.toFixed(3)));
  return element(
    "div",
    { class: "card", role: "region", "aria-label": "Picked shape" },
    element(
      "div",
      { class: "head" },
      swatch,
      element("strong", { class: "name" }, picked.name),
      element("span", { class: "numbers" }, numbers),
      button("close", "Close (Esc)", close),
    ),
    element(
      "dl",
      {},
      ...fact("size", `${lengthText(x2 - x1)} × ${lengthText(y2 - y1)}`),
      ...fact("box", `${place(x1)}, ${place(y1)} to ${place(x2)}, ${place(y2)} µm`),
      ...(picked.net ? [element("dt", {}, "net"), element("dd", {}, netButton(picked.net, highlight))] : []),
      ...(picked.instance ? fact("instance", picked.instance) : []),
      ...fact("cell", picked.cell),
      ...(picked.path === picked.cell ? [] : fact("path", picked.path.split("/").join(" › "))),
    ),
    more && element("p", { class: "numbers" }, more),
  );
}

function netButton(net: string, highlight: (net: string) => void): HTMLElement {
  const made = element("button", { type: "button", class: "link", title: `Highlight the net ${net}` }, net);
  made.addEventListener("click", () => highlight(net));
  return made;
}
