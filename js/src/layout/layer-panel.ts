import { element } from "../dom";
import type { LayerInfo } from "./protocol";
import { button } from "./signs";

// With fewer layers than this a filter is in the way.
const FILTER_FROM = 13;

/** The name of a layer wherever one is kept: `68/20`. */
export const keyOf = ({ layer, datatype }: Pick<LayerInfo, "layer" | "datatype">) => `${layer}/${datatype}`;

/** Sets of layers that one wants to see alone, by what PDKs call them; only those that a layout has are offered. */
const PRESETS: readonly { name: string; matches: RegExp }[] = [
  { name: "Metals", matches: /^(met|metal|m|topmetal|li|ap)[\d_]*(\b|\.|$)|^(via|mcon|topvia)\d*(\b|\.|$)/i },
  {
    name: "Devices",
    matches:
      /^(poly|poly2|gatpoly|diff|comp|activ|tap|nwell|pwell|npc|licon1?|cont(act)?|nsdm|psdm|[np]sd|[np]plus)/i,
  },
];

/** The list of layers, the uppermost first, with what is shown; `changed` gets one flag per layer, in draw order. */
export function layerPanel(
  layers: readonly LayerInfo[],
  visible: readonly boolean[],
  changed: (visible: boolean[]) => void,
): HTMLElement {
  const shown = [...visible];
  let before: boolean[] | undefined;
  const boxes = layers.map((_layer, index) => {
    const box = element("input", { type: "checkbox" });
    box.addEventListener("change", () => set((at) => (at === index ? box.checked : (shown[at] as boolean))));
    return box;
  });
  const update = () => {
    for (const [index, box] of boxes.entries()) box.checked = shown[index] as boolean;
  };
  const set = (wanted: (index: number) => boolean) => {
    before = undefined;
    for (const index of shown.keys()) shown[index] = wanted(index);
    update();
    changed([...shown]);
  };
  const solo = (index: number) => {
    const alone = shown.every((each, at) => each === (at === index));
    // The second click brings back what was shown before the first.
    const kept = before ?? [...shown];
    if (alone) set((at) => kept[at] as boolean);
    else {
      set((at) => at === index);
      before = kept;
    }
  };
  const rows = layers.map((layer, index) => {
    const numbers = keyOf(layer);
    const swatch = element("span", { class: "swatch" });
    swatch.style.setProperty("--fill", layer.fill);
    swatch.style.setProperty("--frame", layer.frame);
    const name = element("span", { class: "name" }, layer.name);
    const label = element("label", { class: "label" }, boxes[index] as HTMLInputElement, swatch, name);
    if (layer.name !== numbers) label.append(element("span", { class: "numbers" }, numbers));
    label.title = layer.name === numbers ? numbers : `${layer.name} (${numbers})`;
    const alone = button({ text: "solo" }, `Show ${layer.name} alone; again: as before`, () => solo(index));
    alone.classList.add("minor");
    return element("div", { class: "row" }, label, alone);
  });
  // What the filter hides stays as it is: "none" after a search means none of these.
  const listed = (checked: boolean) => () =>
    set((index) => (rows[index]?.hidden ? (shown[index] as boolean) : checked));
  const head = element("div", { class: "head" });
  for (const { name, matches } of PRESETS) {
    const found = layers.map((layer) => matches.test(layer.name));
    if (found.some(Boolean) && !found.every(Boolean))
      head.append(
        button({ text: name.toLowerCase() }, `Show ${name.toLowerCase()} alone`, () =>
          set((index) => found[index] as boolean),
        ),
      );
  }
  head.append(button({ text: "all" }, "Show all listed layers", listed(true)));
  head.append(button({ text: "none" }, "Hide all listed layers", listed(false)));
  const panel = element("div", { class: "content" }, head);
  if (layers.length >= FILTER_FROM) panel.append(filterField(layers, rows));
  panel.append(element("div", { class: "list" }, ...[...rows].reverse()));
  update();
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
      const text = `${layer.name} ${keyOf(layer)}`.toLowerCase();
      (rows[index] as HTMLElement).hidden = !text.includes(wanted);
    });
  });
  return field;
}
