import { element } from "../dom";
import type { Showing } from "./comparing";
import type { Options } from "./protocol";

export interface ViewActions {
  goto(x: number, y: number, width: number | undefined): void;
  options(options: Partial<Options>): void;
  /** Of two layouts: how they are shown. */
  compare(showing: Showing): void;
  reload(): void;
  savePicture(): void;
  /** The view as Python, for the clipboard. */
  copyView(): void;
  copyRulers(): void;
  clearRulers(): void;
}

const KEYS: readonly (readonly [string, string])[] = [
  ["Arrows, + −, f", "move, zoom, fit"],
  ["Shift and drag", "zoom to a box"],
  ["Click or Enter", "inspect; again: what is below"],
  ["r", "rulers"],
  ["Esc", "clear"],
  ["g, l, c, t, m", "view, layers, cells, nets, markers"],
  ["x, s", "two layouts: next, side by side"],
  ["n, p", "next, previous marker"],
];

const COMPARING: readonly (readonly [Showing, string])[] = [
  ["difference", "where they differ"],
  ["first", "the first layout"],
  ["second", "the second layout"],
  ["side by side", "side by side"],
];

/** Go to a place, what is drawn, and what one takes away. */
export function viewPanel(
  options: Pick<Options, "fills" | "labels" | "depth">,
  actions: ViewActions,
  compared: Showing | false,
): HTMLElement {
  const number = (name: string, label: string, required: boolean) =>
    element("input", {
      class: "number",
      inputmode: "decimal",
      name,
      placeholder: name,
      required,
      "aria-label": label,
    });
  const x = number("x", "x in µm", true);
  const y = number("y", "y in µm", true);
  const width = number("width", "Width of the view in µm", false);
  const go = element("button", { type: "submit", class: "button" }, "go");
  const form = element("form", { class: "goto", "aria-label": "Go to a place, in µm" }, x, y, width, go);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [px, py, size] = [x, y, width].map((field) => {
      const value = field.value.trim().replace(",", ".");
      const parsed = value ? Number(value) : undefined;
      const wrong = parsed !== undefined && !Number.isFinite(parsed);
      field.setCustomValidity(wrong ? "Give a number, in µm." : "");
      return wrong ? undefined : parsed;
    });
    if (form.reportValidity() && px !== undefined && py !== undefined) actions.goto(px, py, size);
  });
  for (const field of [x, y, width]) field.addEventListener("input", () => field.setCustomValidity(""));
  // JupyterLab keeps what Enter does in a form from happening.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target === go) return;
    event.preventDefault();
    event.stopPropagation();
    form.requestSubmit();
  });

  const option = (text: string, key: "fills" | "labels") => {
    const box = element("input", { type: "checkbox" });
    box.checked = options[key];
    box.addEventListener("change", () => actions.options({ [key]: box.checked }));
    return element("label", { class: "option" }, box, text);
  };
  const depth = element("select", {});
  for (const [value, text] of [
    [0, "all levels"],
    [1, "top cell alone"],
    [2, "2 levels"],
    [3, "3 levels"],
    [4, "4 levels"],
    [6, "6 levels"],
  ] as const)
    depth.append(element("option", { value, selected: value === options.depth }, text));
  depth.addEventListener("change", () => actions.options({ depth: Number(depth.value) }));
  const compare = element("select", {});
  for (const [value, text] of COMPARING)
    compare.append(element("option", { value, selected: value === compared }, text));
  compare.addEventListener("change", () => actions.compare(compare.value as Showing));
  const act = (text: string, title: string, run: () => void) => {
    const made = element("button", { type: "button", class: "button", title }, text);
    made.addEventListener("click", run);
    return made;
  };
  return element(
    "div",
    { class: "content view" },
    element("h3", {}, "Go to (µm)"),
    form,
    element("h3", {}, "Show"),
    option("Labels", "labels"),
    option("Fillings", "fills"),
    element("label", { class: "option" }, "Hierarchy ", depth),
    compared && element("label", { class: "option" }, "Compare ", compare),
    compared &&
      element(
        "p",
        { class: "told legend" },
        element("i", { class: "first" }),
        "only in the first ",
        element("i", { class: "second" }),
        "only in the second",
      ),
    element("h3", {}, "Rulers"),
    element(
      "div",
      { class: "acts" },
      act("copy as CSV", "Copy all rulers as comma-separated values, in µm", () => actions.copyRulers()),
      act("clear", "Remove all rulers (Esc)", () => actions.clearRulers()),
    ),
    element("h3", {}, "Layout"),
    element(
      "div",
      { class: "acts" },
      act("save picture", "Save what is shown as PNG", () => actions.savePicture()),
      act("copy view", "Copy the view as Python, to come back to it", () => actions.copyView()),
      act("reload", "Read the layout again, and keep the view", () => actions.reload()),
    ),
    element("h3", {}, "Keys"),
    element(
      "dl",
      { class: "keys" },
      ...KEYS.flatMap(([key, text]) => [element("dt", {}, key), element("dd", {}, text)]),
    ),
  );
}
