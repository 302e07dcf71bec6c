import { element, setText } from "../dom";
import { formatNumber } from "../format";
import type { InstanceInfo, Net, NetInfo, NetSource } from "./nets";

export interface NetActions {
  /** Show a net, the rest dimmed; undefined is none. */
  highlight(name: string | undefined): void;
  /** Go to an instance. */
  go(instance: InstanceInfo): void;
}

export interface NetPanel {
  readonly element: HTMLElement;
  /** This net is highlighted now, or a sentence says why not. */
  shown(net: Net | string | undefined): void;
}

const LISTED = 100;
const PINS = 200;
const TYPING = 150; // ms

/** Nets and instances to search in, and what the highlighted net joins. */
export function netPanel(source: NetSource, actions: NetActions): NetPanel {
  const list = element("ul", { class: "list tree" });
  const detail = element("div", { class: "detail" });
  detail.hidden = true;
  const told = element("p", { class: "told", role: "status" });
  const search = element("input", {
    class: "filter",
    type: "search",
    placeholder: "search nets and instances",
    "aria-label": "Search nets and instances by name",
  });
  let current: string | undefined;
  let asked = 0;
  let typing: ReturnType<typeof setTimeout> | undefined;

  const row = (name: string, numbers: string, title: string, act: () => void) => {
    const made = element(
      "button",
      { type: "button", class: "row category", title },
      element("span", { class: "name" }, name),
      element("span", { class: "numbers" }, numbers),
    );
    made.addEventListener("click", act);
    return made;
  };
  const netRow = ({ name, use, pins }: NetInfo) => {
    const kind = use === "SIGNAL" ? "" : `${use.toLowerCase()} `;
    const count = pins ? `${formatNumber(pins)} ${pins === 1 ? "pin" : "pins"}` : "";
    const made = row(name, kind + count, `Highlight ${name}; again: none`, () =>
      actions.highlight(current === name ? undefined : name),
    );
    made.dataset.net = name;
    made.setAttribute("aria-pressed", String(name === current));
    return element("li", {}, made);
  };
  const head = (text: string, shown: number, all: number) =>
    element(
      "li",
      { class: "more" },
      all > shown ? `${text}: ${formatNumber(shown)} of ${formatNumber(all)}` : text,
    );

  const show = async () => {
    const number = ++asked;
    try {
      const found = await source.search(search.value.trim(), LISTED);
      if (number !== asked) return;
      list.replaceChildren(
        ...(found.nets.length ? [head("Nets", found.nets.length, found.net_count)] : []),
        ...found.nets.map(netRow),
        ...(found.instances.length ? [head("Instances", found.instances.length, found.instance_count)] : []),
        ...found.instances.map((each) =>
          element(
            "li",
            {},
            row(each.name, each.cell, `Go to ${each.name} (${each.cell})`, () => actions.go(each)),
          ),
        ),
      );
      const none = !found.nets.length && !found.instances.length;
      setText(told, none ? "No net and no instance has such a name." : (found.note ?? ""));
    } catch (error) {
      if (number === asked) setText(told, error instanceof Error ? error.message : String(error));
    }
    told.hidden = !told.textContent;
  };
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => void show(), TYPING);
  });

  const shown = (net: Net | string | undefined) => {
    current = typeof net === "object" ? net.name : undefined;
    for (const each of list.querySelectorAll<HTMLElement>("[data-net]"))
      each.setAttribute("aria-pressed", String(each.dataset.net === current));
    detail.hidden = !net;
    if (typeof net === "string") detail.replaceChildren(element("p", { class: "told", role: "alert" }, net));
    else if (net) detail.replaceChildren(...facts(net, () => actions.highlight(undefined)));
  };
  void show();
  return { element: element("div", { class: "content" }, search, told, list, detail), shown };
}

/** What a net joins. */
function facts(net: Net, clear: () => void): HTMLElement[] {
  const shapes = net.layers.reduce((sum, { boxes }) => sum + boxes.length / 4, 0);
  const stop = element("button", { type: "button", class: "button", title: "No highlight (Esc)" }, "clear");
  stop.addEventListener("click", clear);
  const pins = net.pins.slice(0, PINS).map(({ instance, name, cell }) => {
    const own = instance === "PIN";
    return element(
      "li",
      { class: "row" },
      element("span", { class: "name" }, own ? `${name}` : `${instance} ${name}`),
      element("span", { class: "numbers" }, own ? "port" : (cell ?? "")),
    );
  });
  if (net.pin_count > pins.length)
    pins.push(element("li", { class: "more" }, `and ${formatNumber(net.pin_count - pins.length)} more pins`));
  return [
    element(
      "div",
      { class: "head" },
      element("strong", { class: "name", title: net.name }, net.name),
      element("span", { class: "numbers" }, `${net.use.toLowerCase()}, ${formatNumber(shapes)} shapes`),
      stop,
    ),
    ...(net.note ? [element("p", { class: "told" }, net.note)] : []),
    element("ul", { class: "pins", "aria-label": "Pins of the net" }, ...pins),
  ];
}
