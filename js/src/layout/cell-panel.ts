import { element, setAttribute } from "../dom";
import { formatNumber } from "../format";
import type { CellInfo } from "./cells";
import { button } from "./signs";

/** Cells without a function of their own, as PDKs name them: fillers, decaps, taps, end caps. */
const FILLER = /(^|_)(fill|decap|tap|endcap|antenna)/i;

// A name that matches more cells than this is to be typed on; a cell with more children lists the first.
const LISTED = 300;

export interface CellActions {
  /** Show where the cell is placed, and go there. */
  find(cell: number): void;
  /** Leave these cells out of the picture. */
  hide(cells: readonly number[]): void;
}

/** The tree of cells, opened level by level, with search and counts. */
export function cellPanel(cells: readonly CellInfo[], top: number, actions: CellActions): HTMLElement {
  const hidden = new Set<number>();
  const fillers = cells.flatMap(({ name, count }, index) =>
    count > 0 && index !== top && FILLER.test(name) ? index : [],
  );
  const list = element("ul", { class: "list tree" });
  const search = element("input", {
    class: "filter",
    type: "search",
    placeholder: `search ${formatNumber(cells.length)} cells`,
    "aria-label": "Search cells by name",
  });
  const tell = () => {
    for (const eye of list.querySelectorAll<HTMLElement>("[data-cell]"))
      eye.setAttribute("aria-pressed", String(hidden.has(Number(eye.dataset.cell))));
    actions.hide([...hidden]);
  };
  const row = (index: number, count: number, level: number, flat: boolean): HTMLElement => {
    const { name, children, shapes } = cells[index] as CellInfo;
    const item = element("li");
    const line = element("div", { class: "row" });
    line.style.setProperty("--level", String(level));
    if (!flat && children.length) line.append(twisty(item, index, level));
    else if (!flat) line.append(element("span", { class: "twisty" }));
    const go = element("button", { type: "button", class: "name" }, name);
    go.title = `${name}: ${formatNumber(count)} placed, ${formatNumber(shapes)} shapes of its own. Click to find.`;
    go.addEventListener("click", () => actions.find(index));
    line.append(go, element("span", { class: "numbers" }, formatNumber(count)));
    if (index !== top) {
      const eye = button("eye", `Hide ${name}`, () => {
        if (!hidden.delete(index)) hidden.add(index);
        tell();
      });
      eye.classList.add("minor");
      eye.dataset.cell = String(index);
      eye.setAttribute("aria-pressed", String(hidden.has(index)));
      line.append(eye);
    }
    item.append(line);
    return item;
  };
  const rows = (found: readonly (readonly [number, number])[], level: number, flat: boolean) => {
    const made = found.slice(0, LISTED).map(([index, count]) => row(index, count, level, flat));
    if (found.length > LISTED)
      made.push(element("li", { class: "more" }, `and ${formatNumber(found.length - LISTED)} more: search`));
    return made;
  };
  const twisty = (item: HTMLElement, index: number, level: number): HTMLElement => {
    const { name, children } = cells[index] as CellInfo;
    const open = button("next", `Cells in ${name}`, () => toggle());
    open.classList.add("twisty");
    const toggle = () => {
      const opened = item.querySelector("ul");
      if (opened) opened.remove();
      else item.append(element("ul", {}, ...rows(children, level + 1, false)));
      setAttribute(open, "aria-expanded", opened ? "false" : "true");
    };
    open.setAttribute("aria-expanded", "false");
    return open;
  };
  const show = () => {
    const wanted = search.value.trim().toLowerCase();
    if (!wanted) {
      list.replaceChildren(row(top, 1, 0, false));
      list.querySelector<HTMLElement>(".twisty")?.click();
      return;
    }
    const found = cells.flatMap(({ name, count }, index) =>
      count > 0 && name.toLowerCase().includes(wanted) ? [[index, count] as const] : [],
    );
    list.replaceChildren(...rows(found, 0, true));
    if (!found.length) list.replaceChildren(element("li", { class: "more" }, "No cell has such a name."));
  };
  search.addEventListener("input", show);
  const panel = element("div", { class: "content" }, search);
  if (fillers.length) {
    const box = element("input", { type: "checkbox" });
    box.addEventListener("change", () => {
      for (const index of fillers) {
        if (box.checked) hidden.add(index);
        else hidden.delete(index);
      }
      tell();
    });
    const text = `Hide fillers, decaps and taps (${fillers.length})`;
    panel.append(element("label", { class: "option" }, box, text));
  }
  panel.append(list);
  show();
  return panel;
}
