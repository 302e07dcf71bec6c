import { element } from "../dom";
import { button, type SignName } from "./signs";

type Content = HTMLElement | Promise<HTMLElement>;
/** Title, and how the panel is made; it is made when it is first shown, and kept. */
export type Panels = Readonly<
  Record<"layers" | "cells" | "nets" | "markers" | "settings", readonly [string, () => Content]>
>;
type Name = keyof Panels;

/** The space beside the picture: one panel at a time, or none. */
export class Side {
  readonly element = element("section", { class: "panel" });
  private readonly made = new Map<Name, HTMLElement>();
  private readonly buttons = new Map<Name, HTMLButtonElement>();
  private shown: Name | undefined;
  private touched = false;

  constructor(private readonly panels: Panels) {
    this.element.hidden = true;
  }

  /** Whether a panel has been shown or hidden so far. */
  get used(): boolean {
    return this.touched;
  }

  /** A button that shows and hides a panel. */
  button(name: Name & SignName, title: string): HTMLButtonElement {
    const made = button(name, title, () => this.toggle(name));
    made.setAttribute("aria-expanded", "false");
    this.buttons.set(name, made);
    return made;
  }

  /** Show a panel, or hide it when it is shown; `focus` its first field. */
  toggle(name: Name, focus = false): void {
    this.touched = true;
    this.shown = this.shown === name ? undefined : name;
    for (const [each, made] of this.buttons) made.setAttribute("aria-expanded", String(each === this.shown));
    this.show();
    if (focus && this.shown) this.element.querySelector("input")?.focus();
  }

  /** Make panels anew (default: all), as what they are about has changed. */
  renew(name?: Name): void {
    if (name) this.made.delete(name);
    else this.made.clear();
    if (this.shown && (!name || name === this.shown)) this.show();
  }

  private show(): void {
    const name = this.shown;
    this.element.hidden = !name;
    if (!name) return;
    const [title, make] = this.panels[name];
    let content = this.made.get(name);
    if (!content) {
      const slot = element("div", { class: "slot" });
      content = slot;
      this.made.set(name, slot);
      const panel = make();
      if (panel instanceof HTMLElement) slot.append(panel);
      else panel.then((late) => slot.replaceChildren(late));
    }
    this.element.setAttribute("aria-label", title);
    const close = button("close", `Close ${title}`, () => this.toggle(name));
    const head = element("div", { class: "title" }, element("h2", {}, title), close);
    this.element.replaceChildren(head, content);
  }
}
