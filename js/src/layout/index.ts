import { layoutWorkerUrl } from "../assets";
import type { ServerAddress, WidgetModel } from "../context";
import { element } from "../dom";
import theme from "../theme.css?inline";
import { button } from "./button";
import type { View } from "./collect";
import { listen } from "./controls";
import { layerPanel } from "./panel";
import type { Opened, SceneAddress } from "./protocol";
import { Stage } from "./stage";
import sheet from "./style.css?inline";
import { fitView, lengthText, pan, scaleBar, toLayout, zoom } from "./viewport";

/** A layout: that of a build, or a file by its path below the server's root. */
export type LayoutSource = { readonly build: string } | { readonly path: string };

/** What a layout is shown with. `source` goes before `model`; the view is gone once `signal` aborts. */
export interface LayoutContext extends ServerAddress {
  readonly el: HTMLElement;
  readonly signal: AbortSignal;
  readonly model?: Pick<WidgetModel, "get">;
  readonly source?: LayoutSource;
}

const BAR_ROOM = 120;

/** Show a layout in `context.el`: drawn, with its layers beside it, or one sentence that says why not. */
export function renderLayout(context: LayoutContext): void {
  const host = document.createElement("div");
  // JupyterLab's shortcuts would take `f` and the arrows away.
  host.dataset.lmSuppressShortcuts = "true";
  const root = host.attachShadow({ mode: "open" });
  const styles = element("style", {}, theme, sheet);
  const layout = element("div", { class: "layout" });
  root.append(styles, layout);
  context.el.append(host);
  context.signal.addEventListener("abort", () => host.remove());
  const source = context.source ?? sourceOf(context.model);
  const view = new LayoutView(layout, context);
  if (!source) view.fail("There is no layout to show: give the id of a build, or the path of a layout file.");
  else if (!("transferControlToOffscreen" in HTMLCanvasElement.prototype))
    view.fail("This browser cannot draw layouts (it has no OffscreenCanvas). Use a current one.");
  else view.open(sceneAddress(context, source));
}

function sourceOf(model: LayoutContext["model"]): LayoutSource | undefined {
  const text = (name: string) => {
    const value = model?.get(name);
    return typeof value === "string" ? value : "";
  };
  if (text("build_id")) return { build: text("build_id") };
  return text("path") ? { path: text("path") } : undefined;
}

/** Where the server has the scene and the layers of a source. */
export function sceneAddress(server: ServerAddress, source: LayoutSource): SceneAddress {
  const api = `${server.base}api/a6hub/`;
  const url = (what: string) =>
    "build" in source
      ? `${api}builds/${encodeURIComponent(source.build)}/${what}`
      : `${api}layouts/${what}?path=${encodeURIComponent(source.path)}`;
  const headers: Record<string, string> = server.token ? { Authorization: `token ${server.token}` } : {};
  return { scene: url("scene"), layers: url("layers"), headers };
}

class LayoutView {
  private readonly stageElement = element("div", { class: "stage" });
  private readonly message = element(
    "div",
    { class: "overlay message", role: "status" },
    "Loading the layout…",
  );
  private readonly bar = element("div", { class: "overlay length" });
  private readonly place = element("div", { class: "overlay place" });
  private readonly note = element("div", { class: "overlay note" });
  private stage: Stage | undefined;
  private opened: Opened | undefined;
  private view: View | undefined;
  private pointer: { x: number; y: number } | undefined;

  constructor(
    private readonly root: HTMLElement,
    private readonly context: LayoutContext,
  ) {
    for (const each of [this.bar, this.place, this.note]) each.hidden = true;
    this.stageElement.append(this.message);
    root.append(this.stageElement);
  }

  open(address: SceneAddress): void {
    const { signal } = this.context;
    const canvas = element("canvas");
    this.stageElement.prepend(canvas);
    try {
      const events = {
        opened: (opened: Opened) => this.ready(opened, signal),
        failed: (message: string) => this.fail(message),
        drawn: ({ simplified }: { simplified: boolean }) => this.say(simplified),
        resized: () => this.look(this.view),
      };
      this.stage = new Stage(layoutWorkerUrl(this.context), canvas, address, events, signal);
    } catch {
      this.fail("The layout viewer could not be started in this page.");
    }
  }

  /** Say one sentence in the place of the picture. */
  fail(message: string): void {
    this.message.textContent = message;
    this.message.classList.add("problem");
    this.message.setAttribute("role", "alert");
    this.message.hidden = false;
  }

  private ready(opened: Opened, signal: AbortSignal): void {
    this.opened = opened;
    this.message.hidden = true;
    const { stageElement: stage } = this;
    const [x1, y1, x2, y2] = opened.box;
    const size = `${lengthText((x2 - x1) / opened.unit)} by ${lengthText((y2 - y1) / opened.unit)}`;
    stage.tabIndex = 0;
    stage.setAttribute("role", "application");
    const help = "Arrow keys move, plus and minus zoom, f fits.";
    stage.setAttribute("aria-label", `Layout of ${opened.top}, ${size}. ${help}`);
    const panel = layerPanel(opened.layers, (visible) => this.stage?.show(visible));
    const list = button("layers", "Show or hide the list of layers", () => {
      panel.hidden = !panel.hidden;
      list.setAttribute("aria-expanded", String(!panel.hidden));
    });
    list.setAttribute("aria-expanded", "true");
    const tools = element(
      "div",
      { class: "tools" },
      button("+", "Zoom in", () => this.zoomBy(1.6)),
      button("−", "Zoom out", () => this.zoomBy(1 / 1.6)),
      button("fit", "Fit the whole layout", () => this.look(undefined)),
      list,
    );
    // What happens on the buttons is not for the picture below them.
    for (const type of ["pointerdown", "dblclick", "keydown"])
      tools.addEventListener(type, (event) => event.stopPropagation());
    stage.append(this.bar, this.place, this.note, tools);
    this.root.append(panel);
    const moves = {
      pan: (dx: number, dy: number) => this.panBy(dx, dy),
      zoom: (factor: number, x?: number, y?: number) => this.zoomBy(factor, x, y),
      fit: () => this.look(undefined),
      hover: (position: { x: number; y: number } | undefined) => this.hover(position),
    };
    listen(stage, moves, signal);
    this.look(undefined);
  }

  /** Show a view; undefined is all. */
  private look(view: View | undefined): void {
    const { stage, opened } = this;
    if (!stage || !opened || stage.room.width <= 1) return;
    this.view = view ?? fitView(opened.box, stage.room);
    stage.look(this.view);
    const { microns, pixels } = scaleBar((this.view.scale * opened.unit) / stage.ratio, BAR_ROOM);
    this.bar.textContent = lengthText(microns);
    this.bar.style.setProperty("--length", `${pixels}px`);
    this.bar.hidden = false;
    this.hover(this.pointer);
  }

  private panBy(dx: number, dy: number): void {
    if (!this.view || !this.stage || !this.opened) return;
    const { ratio } = this.stage;
    this.look(pan(this.view, this.opened.box, dx * ratio, dy * ratio));
  }

  private zoomBy(factor: number, x?: number, y?: number): void {
    if (!this.view || !this.stage || !this.opened) return;
    const { room, ratio } = this.stage;
    const px = x === undefined ? room.width / 2 : x * ratio;
    const py = y === undefined ? room.height / 2 : y * ratio;
    this.look(zoom(this.view, this.opened.box, room, factor, px, py));
  }

  private hover(position: { x: number; y: number } | undefined): void {
    this.pointer = position;
    const { view, stage, opened } = this;
    this.place.hidden = !position;
    if (!position || !view || !stage || !opened) return;
    const [x, y] = toLayout(view, stage.room, position.x * stage.ratio, position.y * stage.ratio);
    const text = (value: number) => (value / opened.unit).toFixed(3);
    this.place.textContent = `${text(x)}, ${text(y)} µm`;
  }

  private say(simplified: boolean): void {
    const notes = [this.opened?.note, simplified ? "Simplified: zoom in to see every cell." : undefined];
    this.note.textContent = notes.filter(Boolean).join(" ");
    this.note.hidden = !this.note.textContent;
  }
}
