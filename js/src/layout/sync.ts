import type { Selection } from "./inspector";

/** What of an anywidget model the layout uses; a fixed one (a build's own view) only answers `get`. */
export interface LayoutModel {
  get(name: string): unknown;
  on?(event: string, callback: () => void): void;
  off?(event: string, callback: () => void): void;
  set?(name: string, value: unknown): void;
  save_changes?(): void;
}

/** A view as Python and links have it: the middle and the width in µm, and the layers not shown, as `68/20`. */
export interface ViewState {
  readonly x?: number;
  readonly y?: number;
  readonly width?: number;
  readonly hidden?: readonly string[];
}

// A view that has not changed for so long is told to Python; ms.
const REST = 300;

/** Keeps the widget's traits and the view the same, in both directions. */
export class Sync {
  private told = "";
  private net = "";
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly model: LayoutModel | undefined,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener("abort", () => clearTimeout(this.timer));
  }

  /** The view that Python wants; undefined is none in particular. */
  get view(): ViewState | undefined {
    const value = this.model?.get("view");
    if (typeof value !== "object" || value === null) return undefined;
    const { x, y, width, hidden } = value as Record<string, unknown>;
    const number = (each: unknown) => (typeof each === "number" && Number.isFinite(each) ? each : undefined);
    const list = Array.isArray(hidden) ? hidden.filter((each) => typeof each === "string") : undefined;
    const [px, py, size] = [number(x), number(y), number(width)];
    return {
      ...(px !== undefined && py !== undefined && { x: px, y: py }),
      ...(size !== undefined && size > 0 && { width: size }),
      ...(list && { hidden: list }),
    };
  }

  text(name: string): string {
    const value = this.model?.get(name);
    return typeof value === "string" ? value : "";
  }

  /** Call when Python changes a trait, but not when we do. */
  follow(name: string, changed: () => void): void {
    const { model, signal } = this;
    const heard = () => {
      if (name === "net") {
        const net = this.text("net");
        if (net === this.net) return;
        this.net = net;
      }
      if (name !== "view" || JSON.stringify(model?.get("view")) !== this.told) changed();
    };
    model?.on?.(`change:${name}`, heard);
    signal.addEventListener("abort", () => model?.off?.(`change:${name}`, heard), { once: true });
  }

  tellView(view: Required<ViewState>): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.told = JSON.stringify(view);
      this.set("view", view);
    }, REST);
  }

  tellNet(net: string): void {
    this.net = net;
    this.set("net", net);
  }

  tellComparing(comparing: string): void {
    this.set("comparing", comparing);
  }

  tellSelection(selection: Selection | undefined): void {
    this.set("selection", selection ?? {});
  }

  private set(name: string, value: unknown): void {
    if (!this.model?.set || this.signal.aborted) return;
    this.model.set(name, value);
    this.model.save_changes?.();
  }
}
