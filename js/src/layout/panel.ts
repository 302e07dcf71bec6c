import { element } from "../dom";
import { button } from "./button";
import type { LayerInfo } from "./protocol";

// With fewer layers than this a filter is in the way.
const FILTER_FROM = 13;

/** The list of layers, the uppermost first, with what is shown; `changed` gets one flag per layer, in draw order. */
export function layerPanel(layers: readonly LayerInfo[], changed: (visible: boolean[]) => void): HTMLElement {
  const boxes = layers.map((layer) => {
    const box = element("input", { type: "checkbox" });
    box.checked = layer.visible;
    box.addEventListener("change", tell);
    return box;
  });
  function tell() {
    changed(boxes.map((box) => box.checked));
  }
  const rows = layers.map((layer, index) => {
    const swatch = element("span", { class: "swatch" });
    swatch.style.setProperty("--fill", layer.fill);
    swatch.style.setProperty("--frame", layer.frame);
    const numbers = `${layer.layer}/${layer.datatype}`;
    const name = element("span", { class: "name" }, layer.name);
    const row = element("label", { class: "row" }, boxes[index] as HTMLInputElement, swatch, name);
    if (layer.name !== numbers) row.append(element("span", { class: "numbers" }, numbers));
    row.title = layer.name === numbers ? numbers : `${layer.name} (${numbers})`;
    return row;
  });
  const set = (checked: boolean) => () => {
    // What the filter hides stays as it is: "none" after a search means none of these.
    for (const [index, box] of boxes.entries()) if (!rows[index]?.hidden) box.checked = checked;
    tell();
  };
  const title = element("span", { class: "title" }, `Layers (${layers.length})`);
  const head = element("div", { class: "head" }, title);
  head.append(button("all", "Show all listed layers", set(true)));
  head.append(button("none", "Hide all listed layers", set(false)));
  const panel = element("div", { class: "panel", role: "group", "aria-label": "Layers" }, head);
  if (layers.length >= FILTER_FROM) panel.append(filterField(layers, rows));
  panel.append(element("div", { class: "list" }, ...[...rows].reverse()));
  return panel;
}

function filterField(layers: readonly LayerInfo[], rows: readonly HTMLElement[]): HTMLElement {
  const field = element("input", {
    class: "filter",
    type: "search",
    placeholder: "filter",
    "aria-label": "Filter layers by name or number",
  });
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    layers.forEach((layer, index) => {
      const text = `${layer.name} ${layer.layer}/${layer.datatype}`.toLowerCase();
      (rows[index] as HTMLElement).hidden = !text.includes(wanted);
    });
  });
  return field;
}
