import { element, setText } from "../dom";
import { formatNumber } from "../format";
import type { Category, Marker, Markers } from "./markers";
import { button } from "./signs";

export interface MarkerActions {
  /** Show these on the layout. */
  list(markers: readonly Marker[]): void;
  /** Go to this one. */
  go(marker: Marker): void;
}

export interface MarkerPanel {
  readonly element: HTMLElement;
  /** To the next marker (1) or the one before (-1). */
  step(by: number): void;
}

/** Markers by category: choose one, go from marker to marker, and see which have been seen. */
export function markerPanel(markers: Markers, actions: MarkerActions): MarkerPanel {
  const { categories, lists } = markers;
  const seen = new Set<Marker>();
  let chosen = -1;
  let at = -1;
  const current = element("p", { class: "current", "aria-live": "polite" });
  const previous = button("previous", "Previous marker (p)", () => step(-1));
  const next = button("next", "Next marker (n)", () => step(1));
  const walker = element("div", { class: "walker" }, previous, current, next);
  const text = element("p", { class: "told" });
  const shown = () => (chosen < 0 ? lists.flat() : (lists[chosen] ?? []));
  let list: readonly Marker[] = [];

  const rows = [{ name: "All", description: "All markers", report: "" }, ...categories].map(
    (category, index) => {
      const row = element("button", { type: "button", class: "row category" });
      row.title = [category.description, category.report].filter(Boolean).join("\n");
      row.addEventListener("click", () => choose(index - 1));
      return { row, category };
    },
  );
  const count = (index: number) =>
    index < 0 ? categories.reduce((sum, each) => sum + each.count, 0) : (categories[index] as Category).count;
  const update = () => {
    const visited = categories.map(() => 0);
    for (const marker of seen) visited[marker.category] = (visited[marker.category] as number) + 1;
    for (const [index, { row, category }] of rows.entries()) {
      const done = index === 0 ? seen.size : (visited[index - 1] as number);
      const numbers = done
        ? `${formatNumber(done)} of ${formatNumber(count(index - 1))} seen`
        : formatNumber(count(index - 1));
      row.replaceChildren(
        element("span", { class: "name" }, category.name),
        element("span", { class: "numbers" }, numbers),
      );
      row.setAttribute("aria-pressed", String(index - 1 === chosen));
      row.classList.toggle("done", index > 0 && done > 0 && done === lists[index - 1]?.length);
    }
    previous.disabled = next.disabled = !list.length;
    const marker = list[at];
    setText(
      current,
      marker
        ? `${formatNumber(at + 1)} of ${formatNumber(list.length)}`
        : `${formatNumber(list.length)} markers`,
    );
    const category = marker && categories[marker.category];
    setText(
      text,
      category ? [category.description || category.name, marker.text].filter(Boolean).join(": ") : "",
    );
  };
  const choose = (index: number) => {
    chosen = index;
    at = -1;
    list = shown();
    actions.list(list);
    update();
  };
  const step = (by: number) => {
    if (!list.length) return;
    at = at < 0 ? (by > 0 ? 0 : list.length - 1) : (at + by + list.length) % list.length;
    const marker = list[at] as Marker;
    seen.add(marker);
    actions.go(marker);
    update();
  };
  const panel = element("div", { class: "content" });
  if (markers.note) panel.append(element("p", { class: "told" }, markers.note));
  if (lists.some((each) => each.length)) {
    panel.append(element("div", { class: "list" }, ...rows.map(({ row }) => row)), text, walker);
    choose(-1);
  } else panel.append(element("p", { class: "told" }, "No markers: nothing was found."));
  return { element: panel, step };
}
