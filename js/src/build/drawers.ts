import { element, setText } from "../dom";

const ORDER = ["metrics", "files", "settings"] as const;

export type DrawerName = (typeof ORDER)[number];

interface Drawer {
  readonly node: HTMLDetailsElement;
  readonly summary: HTMLElement;
  readonly inside: HTMLElement;
  fill: () => Node;
}

export interface Drawers {
  readonly element: HTMLElement;
  /** Gives a drawer its title and content; the content is made when the reader first opens it. */
  set(name: DrawerName, title: string, fill: () => Node): void;
}

/** Details that are there for who asks for them. */
export function createDrawers(): Drawers {
  const place = element("div", { class: "drawers" });
  const drawers = new Map<DrawerName, Drawer>();

  function make(name: DrawerName): Drawer {
    const summary = element("summary");
    const inside = element("div", { class: "inside" });
    const node = element("details", { class: `drawer ${name}` }, summary, inside);
    const drawer: Drawer = { node, summary, inside, fill: () => element("p") };
    node.addEventListener("toggle", () => {
      if (node.open && !inside.childElementCount) inside.replaceChildren(drawer.fill());
    });
    const before = ORDER.slice(ORDER.indexOf(name) + 1).map((other) => drawers.get(other)?.node);
    place.insertBefore(node, before.find(Boolean) ?? null);
    drawers.set(name, drawer);
    return drawer;
  }

  return {
    element: place,
    set(name, title, fill) {
      const drawer = drawers.get(name) ?? make(name);
      drawer.fill = fill;
      setText(drawer.summary, title);
    },
  };
}
