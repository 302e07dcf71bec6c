import { element } from "../dom";
import { Camera } from "./camera";
import { cellPanel } from "./cell-panel";
import { Comparison, type Panes } from "./comparison";
import { listen, type Moves } from "./controls";
import { Highlight } from "./highlight";
import { keyOf, layerPanel } from "./layer-panel";
import { type MarkerPanel, markerPanel } from "./marker-panel";
import { loadMarkers } from "./markers";
import { type Drawing, type Mark, NOTHING, type Overlay } from "./overlay";
import { savePicture } from "./picture-file";
import { Pointing } from "./pointing";
import type { Opened, Options, SceneAddress } from "./protocol";
import { Side } from "./side";
import { button } from "./signs";
import type { Stage } from "./stage";
import type { Sync, ViewState } from "./sync";
import { Caption, toolbar } from "./toolbar";
import { type ViewActions, viewPanel } from "./view-panel";
import { type Extent, lengthText, scaleBar } from "./viewport";

const BAR_ROOM = 120;
const PLACED = 5000; // placements of a cell that are shown
const WIDE = 640; // CSS pixels: with less the list of layers waits to be asked for

export interface Parts extends Panes {
  readonly root: HTMLElement;
  /** The tools, and the picture below them: they cover nothing of it. */
  readonly work: HTMLElement;
  readonly bar: HTMLElement;
  readonly place: HTMLElement;
  readonly over: Overlay;
  readonly ask: (url: string) => Promise<Response>;
}

/** A layout that has been opened: its tools and panels, what lies over the picture, and what keys do. */
export class Shown {
  readonly camera: Camera;
  private readonly pointing: Pointing;
  private readonly side: Side;
  private readonly ruler = button("ruler", "Ruler (r): click two places", () =>
    this.pointing.measure(!this.pointing.rulers.active),
  );
  private readonly caption = new Caption();
  private visible: boolean[];
  private readonly highlight: Highlight;
  private options: Options = { fills: true, labels: true, depth: 0, hidden: [], comparing: "first" };
  private drawing: Drawing = NOTHING;
  private pointer: { x: number; y: number } | undefined;
  private marks: MarkerPanel | undefined;
  private readonly comparison: Comparison;

  constructor(
    private readonly parts: Parts,
    private readonly stage: Stage,
    opened: Opened,
    private readonly address: SceneAddress,
    private readonly sync: Sync,
    private readonly signal: AbortSignal,
  ) {
    this.visible = opened.layers.map((layer) => layer.visible);
    this.caption.tell(opened);
    this.camera = new Camera(stage, opened, () => this.moved());
    this.highlight = new Highlight(address.nets, parts.ask, () => this.camera.opened.layers, {
      draw: (lit) => this.draw({ lit }),
      see: (box) => this.camera.see(box),
      go: (box) => {
        this.camera.see(box);
        this.draw({ placed: box });
      },
      told: (name) => sync.tellNet(name),
    });
    this.pointing = new Pointing(stage, this.camera, {
      at: (x, y) => this.highlight.at(x, y),
      highlight: (net) => void this.highlight.light(net, true),
      draw: (change) => this.draw(change),
      selected: (selection) => sync.tellSelection(selection),
      measuring: (active) => {
        parts.frame.classList.toggle("measuring", active);
        this.ruler.setAttribute("aria-pressed", String(active));
      },
    });
    this.side = new Side({
      layers: ["Layers", () => this.layers()],
      cells: ["Cells", () => this.cells()],
      nets: ["Nets", () => this.highlight.element()],
      markers: ["Markers", () => this.markers()],
      settings: [
        "View",
        () => viewPanel(this.options, this.actions, this.camera.opened.compared && this.comparison.showing),
      ],
    });
    this.comparison = new Comparison(parts, address, sync, {
      compared: () => this.camera.opened.compared,
      moves: (pane) => this.moves(pane),
      ready: (twin) => {
        twin.options(this.options);
        twin.stage.show(this.visible);
        if (this.camera.view) twin.look(this.camera.view);
        this.draw({});
      },
      alone: () => {
        this.pointing.stage = this.stage;
      },
      shows: (showing) => {
        this.actions.options({ comparing: showing === "side by side" ? "first" : showing });
        this.draw({ differences: showing === "difference" });
        this.side.renew("settings");
      },
    });
    this.ruler.setAttribute("aria-pressed", "false");
    const { frame } = parts;
    // What happens on the cards is not for the picture below them.
    for (const type of ["pointerdown", "pointerup", "keydown", "wheel"])
      this.pointing.cards.addEventListener(type, (event) => event.stopPropagation());
    frame.tabIndex = 0;
    frame.setAttribute("role", "application");
    frame.append(this.pointing.cards);
    parts.work.prepend(this.tools());
    parts.root.append(this.side.element);
    this.listen(signal);
  }

  start(): void {
    this.restore(this.sync.view ?? {});
    this.showLayersWithRoom();
    this.sync.follow("view", () => this.restore(this.sync.view ?? {}));
    const light = () => void this.highlight.light(this.sync.text("net"), false);
    if (this.sync.text("net")) light();
    this.sync.follow("net", light);
    this.comparison.start();
    this.sync.follow("_reloads", () => this.actions.reload());
  }

  /** Show the list of layers once there is room beside the picture: a page may have none yet when it is opened. */
  private showLayersWithRoom(): void {
    const { root } = this.parts;
    const measured = new ResizeObserver(() => this.side.used || show());
    const show = () => {
      if (root.clientWidth < WIDE) return;
      measured.disconnect();
      this.side.toggle("layers");
    };
    measured.observe(root);
    this.signal.addEventListener("abort", () => measured.disconnect(), { once: true });
    show();
  }

  /** The layout has been read again: what is shown of it stays. */
  reopened(opened: Opened): void {
    this.caption.tell(opened);
    const before = this.state;
    const known = new Set(this.camera.opened.layers.map(keyOf));
    this.camera.opened = opened;
    const hidden = opened.layers.filter((layer) => !known.has(keyOf(layer)) && !layer.visible).map(keyOf);
    this.options = { ...this.options, hidden: [] };
    this.pointing.clear();
    this.draw({ placed: undefined });
    this.side.renew();
    this.actions.options({});
    this.comparison.twin?.stage.open(this.address);
    this.restore({ ...before, hidden: [...before.hidden, ...hidden] });
  }

  private tools(): HTMLElement {
    const panels = (["layers", "cells", "nets", "markers"] as const).filter(
      (name) => (name !== "nets" || this.highlight.possible) && (name !== "markers" || this.address.markers),
    );
    const more = [this.ruler, this.camera.opened.compared && this.comparison.button];
    return toolbar(this.caption, this.camera, this.side, panels, more);
  }

  private listen(signal: AbortSignal): void {
    listen(this.parts.frame, this.moves(this.stage), signal);
    signal.addEventListener("abort", () => this.comparison.end());
  }

  /** What hands do on one of the pictures. */
  private moves(stage: Stage): Moves {
    const { camera, pointing } = this;
    return {
      pan: (dx: number, dy: number) => {
        camera.panBy(dx, dy);
        if (!this.pointer) this.draw({ cross: true });
      },
      zoom: (factor: number, x?: number, y?: number) => camera.zoomBy(factor, x, y),
      fit: () => camera.look(undefined),
      hover: (position: { x: number; y: number } | undefined) => {
        this.pointer = position;
        pointing.stage = stage;
        if (position && this.drawing.cross) this.draw({ cross: false });
        this.showPlace();
        pointing.hover(position);
      },
      click: (position: { x: number; y: number } | undefined) => {
        this.parts.frame.focus({ preventScroll: true });
        pointing.stage = stage;
        void pointing.click(position);
      },
      band: (from: { x: number; y: number } | undefined, to?: { x: number; y: number }) =>
        this.draw({ band: from && to && [from.x, from.y, to.x, to.y] }),
      box: (from: { x: number; y: number }, to: { x: number; y: number }) => camera.zoomBox(from, to),
      key: (key: string) => this.key(key),
    };
  }

  private key(key: string): boolean {
    const { side, pointing } = this;
    if (key === "Escape") {
      if (pointing.escape()) return true;
      const { placed, mark } = this.drawing;
      this.draw({ placed: undefined, mark: undefined });
      if (placed ?? mark) return true;
      const { name } = this.highlight;
      if (name) void this.highlight.light("", true);
      return Boolean(name);
    }
    const keys: Record<string, () => void> = {
      r: () => pointing.measure(!pointing.rulers.active),
      n: () => this.marks?.step(1),
      p: () => this.marks?.step(-1),
      l: () => side.toggle("layers"),
      c: () => side.toggle("cells"),
      m: () => this.address.markers && side.toggle("markers"),
      t: () => this.highlight.possible && side.toggle("nets", true),
      x: () => this.comparison.next(),
      s: () => this.comparison.toggleBeside(),
      g: () => side.toggle("settings", true),
    };
    const act = Object.hasOwn(keys, key) ? keys[key] : undefined;
    act?.();
    return act !== undefined;
  }

  private moved(): void {
    const { bar } = this.parts;
    const { view, opened } = this.camera;
    if (!view) return;
    this.comparison.twin?.look(view);
    const { microns, pixels } = scaleBar((view.scale * opened.unit) / this.stage.ratio, BAR_ROOM);
    bar.textContent = lengthText(microns);
    bar.style.setProperty("--length", `${pixels}px`);
    bar.hidden = false;
    this.draw({});
    this.showPlace();
    this.sync.tellView(this.state);
  }

  /** Change what lies over the picture, and draw it. */
  private draw(change: Partial<Drawing>): void {
    this.drawing = { ...this.drawing, ...change };
    const { stage, camera } = this;
    const { view, opened } = camera;
    if (view) this.parts.over.draw(this.drawing, view, stage.room, stage.ratio, opened.unit);
    if (view) this.comparison.twin?.draw(this.drawing, view, opened.unit);
    if (change.cross) this.showPlace();
  }

  private showPlace(): void {
    const { place } = this.parts;
    place.hidden = !this.pointer && !this.drawing.cross;
    const text = (value: number) => (value / this.camera.opened.unit).toFixed(3);
    place.textContent = `${this.camera.under(this.pointer).map(text).join(", ")} µm`;
  }

  private get state(): Required<ViewState> {
    const { layers } = this.camera.opened;
    return {
      ...this.camera.state,
      hidden: layers.flatMap((each, index) => (this.visible[index] ? [] : keyOf(each))),
    };
  }

  private restore(state: ViewState): void {
    const { hidden } = state;
    if (hidden) {
      this.visible = this.camera.opened.layers.map((layer) => !hidden.includes(keyOf(layer)));
      this.actions.layers(this.visible);
      this.side.renew("layers");
    }
    this.camera.restore(state);
  }

  private layers(): HTMLElement {
    return layerPanel(this.camera.opened.layers, this.visible, (visible) => {
      this.actions.layers(visible);
      this.sync.tellView(this.state);
    });
  }

  private async cells(): Promise<HTMLElement> {
    const { stage, camera } = this;
    const { cells, top } = await stage.ask({ type: "cells" });
    return cellPanel(cells, top, {
      find: async (cell) => {
        const boxes = await stage.ask({ type: "find", cell, limit: PLACED });
        this.draw({ placed: boxes.map((value) => value / camera.opened.unit) });
        const first = boxes.subarray(0, 4);
        if (first.length && !camera.sees(boxes)) camera.show(first as unknown as Extent, 8);
      },
      hide: (hidden) => {
        this.actions.options({ hidden });
      },
    });
  }

  private async markers(): Promise<HTMLElement> {
    try {
      this.marks = markerPanel(await loadMarkers(this.address), {
        list: (marks) => this.draw({ marks, mark: undefined }),
        go: (mark) => this.goTo(mark),
      });
      return this.marks.element;
    } catch (error) {
      const sentence = error instanceof Error ? error.message : String(error);
      return element("p", { class: "told", role: "alert" }, sentence);
    }
  }

  private goTo(mark: Mark): void {
    this.draw({ mark });
    this.camera.showAround(mark.points);
  }

  private readonly actions: ViewActions & { layers(visible: boolean[]): void } = {
    goto: (x, y, width) => {
      this.camera.restore({ x, y, ...(width !== undefined && width > 0 && { width }) });
      this.draw({ cross: true });
    },
    options: (options) => {
      this.options = { ...this.options, ...options };
      this.stage.options(this.options);
      this.comparison.twin?.options(this.options);
    },
    layers: (visible) => {
      this.visible = visible;
      this.stage.show(visible);
      this.comparison.twin?.stage.show(visible);
    },
    compare: (showing) => this.comparison.show(showing),
    reload: () => this.stage.open(this.address),
    savePicture: () => {
      const first = { stage: this.stage, over: this.parts.over.canvas };
      void savePicture(
        this.comparison.twin ? [first, this.comparison.twin.picture] : [first],
        this.camera.opened.top,
      );
    },
    copyView: () => void navigator.clipboard?.writeText(`view = ${JSON.stringify(this.state)}`),
    copyRulers: () => void navigator.clipboard?.writeText(this.pointing.rulers.csv()),
    clearRulers: () => this.pointing.clearRulers(),
  };
}
