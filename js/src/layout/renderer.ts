import { changed, type Part } from "./changed";
import { Collector, type Limits, NO_LIMITS, type View, type Window } from "./collect";
import { addDifference, emptyDifference } from "./difference";
import { Kept } from "./kept";
import { drawLabels, drawOutlines } from "./labels";
import { BACKGROUND, Picture, pixel, stipple } from "./picture";
import { Planes } from "./planes";
import type { Comparing, LayerInfo } from "./protocol";
import { Rasteriser } from "./raster";
import type { Scene } from "./scene";
import { Specks } from "./specks";

// Bitmaps take the integer part of a position: with this KLayout's pixels come out, which rounds.
const ROUND = 0.5;

/** A layer of the scene as it is drawn; its bitmaps are kept, so that hiding and showing only recomposes. */
interface Paint {
  /** Index into the layout's layers; -1 when it has no such layer. */
  readonly layer: number;
  readonly fill: number;
  readonly frame: number;
  readonly label: string;
  readonly stipple: LayerInfo["stipple"];
  visible: boolean;
  planes: Planes | undefined;
  /** The bitmaps show `Renderer.drawn`. */
  valid: boolean;
}

/** What the bitmaps show: where the layout's origin is and how large a database unit, in pixels. */
interface Drawn {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
  readonly detail: number;
}

/** What the picture was put together from, and how far it is behind the bitmaps. */
interface Composed {
  readonly shown: ReadonlySet<Paint>;
  readonly fills: boolean;
  readonly ratio: number;
  readonly moved: readonly [number, number];
  readonly strips: readonly Window[];
}

/** A layout to compare with: its bitmaps are made like the first one's, and put together with them. */
export interface Other {
  /** It has the same layers in the same order. */
  readonly renderer: Renderer;
  /** The first one's database units in one of the other's. */
  readonly units: number;
}

const ONLY_FIRST = "#ff5c8a";
const ONLY_SECOND = "#3ddc97";
const BOTH = "#5c6672";

export interface Look {
  readonly fills: boolean;
  readonly labels: boolean;
  readonly limits: Limits;
}

export interface Frame {
  readonly simplified: boolean;
  /** All was drawn, not only what a pan had uncovered. */
  readonly whole: boolean;
}

/** Draws a scene: one layer after the other, each on bitmaps of its own, which are then put together. */
export class Renderer {
  private picture = new Picture(1, 1);
  private specks = new Specks(1, 1);
  private readonly paints: Paint[];
  private drawn: Drawn | undefined;
  private simplified = false;
  private whole = true;
  private composed: Composed | undefined;
  private readonly kept = new Kept();
  other: Other | undefined;
  comparing: Comparing = "first";
  private looks: Look = { fills: true, labels: true, limits: NO_LIMITS };

  constructor(
    readonly scene: Scene,
    private readonly canvas: OffscreenCanvas,
    /** In drawing order, the lowest first; `index` is the layout's. */
    layers: readonly (LayerInfo & { readonly index: number })[],
  ) {
    this.paints = layers.map((layer) => ({
      layer: layer.index,
      fill: pixel(layer.fill),
      frame: pixel(layer.frame),
      label: paler(layer.frame),
      stipple: layer.stipple,
      visible: layer.visible,
      planes: undefined,
      valid: false,
    }));
  }

  show(visible: readonly boolean[]): void {
    this.other?.renderer.show(visible);
    this.kept.forget();
    this.paints.forEach((paint, index) => {
      paint.visible = visible[index] ?? paint.visible;
    });
  }

  look(looks: Look): void {
    // Fillings and labels are put on when composing; what is left out decides on the bitmaps.
    if (looks.limits !== this.looks.limits) this.drawn = undefined;
    this.kept.forget();
    this.looks = looks;
  }

  get limits(): Limits {
    return this.looks.limits;
  }

  /** The layers that are shown, the uppermost first, as indices of the layout's and of the list. */
  shown(): { layer: number; rank: number }[] {
    const list = this.paints.map(({ layer, visible }, rank) => ({ layer, rank, visible }));
    return list.filter(({ visible, layer }) => visible && layer >= 0).reverse();
  }

  /** As `render`, in one go. */
  draw(view: View, width: number, height: number, ratio: number, detail: number): Frame {
    const steps = this.render(view, width, height, ratio, detail);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
    }
  }

  /**
   * Draw a view on `width` by `height` pixels; cells below `detail` pixels are covered by a pattern. Yields where it
   * may be given up: the canvas keeps its picture until the new one is complete.
   */
  *render(
    view: View,
    width: number,
    height: number,
    ratio: number,
    detail: number,
  ): Generator<undefined, Frame> {
    const { context, other, comparing } = this;
    if (!other || comparing !== "second") yield* this.prepare(view, width, height, detail);
    if (other && comparing !== "first") {
      const { renderer, units } = other;
      yield* renderer.prepare(elsewhere(view, units), width, height, detail);
      if (comparing === "second") renderer.compose(context, ratio);
      else this.composeDifference(context, renderer);
      this.kept.take(comparing === "second" ? renderer.picture : this.picture, view, this.shows(view));
      const simplified = renderer.simplified || (comparing === "difference" && this.simplified);
      return { simplified, whole: renderer.whole };
    }
    this.compose(context, ratio);
    this.kept.take(this.picture, view, this.shows(view));
    return { simplified: this.simplified, whole: this.whole };
  }

  /** Show the last picture where a view has it, without drawing anything; false when there is none of this size. */
  preview(view: View, width: number, height: number): boolean {
    return this.kept.draw(this.context, view, width, height);
  }

  /** Whether a view is the last one moved by whole pixels, so that little is to be drawn. */
  follows(view: View, width: number, height: number): boolean {
    const { other, comparing } = this;
    if (other && comparing !== "first")
      return other.renderer.follows(elsewhere(view, other.units), width, height);
    return this.offset(this.placed(view, width, height, 0), width, height) !== undefined;
  }

  private get context(): OffscreenCanvasRenderingContext2D {
    const context = this.canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("This browser cannot draw in a worker.");
    return context;
  }

  /** Bring the bitmaps of the layers that are shown to a view. */
  private *prepare(view: View, width: number, height: number, detail: number): Generator<undefined, void> {
    if (this.picture.width !== width || this.picture.height !== height) {
      this.picture = new Picture(width, height);
      this.specks = new Specks(width, height);
      this.drawn = undefined;
      for (const paint of this.paints) paint.planes = undefined;
    }
    const wanted = this.placed(view, width, height, detail);
    const all: Window = [0, 0, width - 1, height - 1];
    const strips = this.shift(wanted, width, height);
    this.whole = strips === undefined;
    if (strips) {
      for (const strip of strips) yield* this.raster(wanted, strip, (paint) => paint.valid);
    } else {
      this.drawn = undefined;
      this.composed = undefined;
      this.simplified = false;
      for (const paint of this.paints) paint.valid = false;
    }
    // Layers that were hidden until now, or all.
    const missing = this.paints.filter((paint) => paint.visible && !paint.valid);
    for (const paint of missing) {
      paint.planes ??= new Planes(width, height, this.specks);
      paint.planes.clear();
    }
    // Coarser bitmaps are not mixed with finer ones, or a finished picture would be taken for an exact one.
    const settings = this.drawn ?? wanted;
    const here = { ...settings, x: wanted.x, y: wanted.y };
    if (missing.length) yield* this.raster(here, all, (paint) => missing.includes(paint));
    for (const paint of missing) paint.valid = true;
    this.drawn = here;
  }

  private placed({ x, y, scale }: View, width: number, height: number, detail: number): Drawn {
    return { x: ROUND + width / 2 - x * scale, y: ROUND + height / 2 - y * scale, scale, detail };
  }

  /** By how many pixels the bitmaps are to be moved; undefined when they are of no use. */
  private offset(wanted: Drawn, width: number, height: number): [number, number] | undefined {
    const { drawn, picture } = this;
    if (!drawn || drawn.scale !== wanted.scale || picture.width !== width || picture.height !== height)
      return undefined;
    const [dx, dy] = [Math.round(wanted.x - drawn.x), Math.round(wanted.y - drawn.y)];
    if (Math.abs(wanted.x - drawn.x - dx) > 1e-3 || Math.abs(wanted.y - drawn.y - dy) > 1e-3)
      return undefined;
    return Math.abs(dx) > width / 2 || Math.abs(dy) > height / 2 ? undefined : [dx, dy];
  }

  /** Move the bitmaps to where they are wanted; gives the strips that are to be drawn, or undefined for all. */
  private shift(wanted: Drawn, width: number, height: number): Window[] | undefined {
    const { drawn } = this;
    const offset = this.offset(wanted, width, height);
    if (!drawn || !offset || drawn.detail > wanted.detail) return undefined;
    const [dx, dy] = offset;
    if (!dx && !dy) return [];
    for (const paint of this.paints) {
      // Those hidden are drawn anew when they are shown.
      if (!paint.visible) paint.valid = false;
      else if (paint.valid) paint.planes?.shift(dx, dy);
    }
    this.drawn = { ...drawn, detail: wanted.detail };
    const strips: Window[] = [];
    if (dx > 0) strips.push([0, 0, dx - 1, height - 1]);
    if (dx < 0) strips.push([width + dx, 0, width - 1, height - 1]);
    if (dy > 0) strips.push([0, 0, width - 1, dy - 1]);
    if (dy < 0) strips.push([0, height + dy, width - 1, height - 1]);
    if (this.composed) this.composed = { ...this.composed, moved: [dx, dy], strips };
    return strips;
  }

  /** Draw a part of the view on the bitmaps of those layers. */
  private *raster(
    { x, y, scale, detail }: Drawn,
    window: Window,
    which: (paint: Paint) => boolean,
  ): Generator<undefined, void> {
    // Until it is complete, it is nothing: whoever gives up leaves bitmaps that nobody takes for a picture.
    const before = this.drawn;
    this.drawn = undefined;
    const found = new Collector(this.scene, window, detail, this.looks.limits);
    found.collect(x, y, scale);
    if (found.simplified) this.simplified = true;
    yield;
    const raster = new Rasteriser(detail);
    const { seen } = found;
    for (const [rank, paint] of this.paints.entries()) {
      const { planes } = paint;
      if (!planes || paint.layer < 0 || !which(paint)) continue;
      planes.clip(...window);
      planes.origin(Math.round(x), Math.round(y));
      for (const each of seen) raster.seen(planes, each, paint.layer, rank & 3);
      for (const field of found.fields) raster.field(planes, field, paint.layer, rank & 3);
      planes.settle(rank & 3);
      yield;
    }
    this.drawn = before;
  }

  private compose(context: OffscreenCanvasRenderingContext2D, ratio: number): void {
    const { x, y, scale } = this.drawn as Drawn;
    const { fills } = this.looks;
    const shown = new Set(this.paints.filter(({ visible, valid, planes }) => visible && valid && planes));
    const sheets = this.paints.flatMap((paint, rank) =>
      shown.has(paint) && paint.planes
        ? {
            planes: paint.planes,
            fill: paint.fill,
            frame: paint.frame,
            rows: fills ? stipple(paint.stipple, rank, ratio) : undefined,
          }
        : [],
    );
    const part = this.behind({ shown, fills, ratio, moved: [0, 0], strips: [] });
    this.picture.compose(sheets.reverse(), pixel(BACKGROUND), Math.round(x), Math.round(y), part);
    this.put(context);
    const { limits } = this.looks;
    if (Number.isFinite(limits.depth)) drawOutlines(context, this.scene, limits, { x, y, scale }, ratio);
    if (!this.looks.labels) return;
    drawLabels(context, this.scene, limits, { x, y, scale }, [...shown], ratio);
  }

  /** Which part of the picture is to be put together anew; undefined is all. What is there is moved to its place. */
  private behind(now: Composed): Part | undefined {
    const before = this.composed;
    this.composed = now;
    if (!before || before.fills !== now.fills || before.ratio !== now.ratio) return undefined;
    const { moved, strips } = before;
    const other = this.paints.filter((paint) => before.shown.has(paint) !== now.shown.has(paint));
    if (moved[0] || moved[1]) {
      // The bitmaps of a layer that is hidden now have not been moved.
      if (other.length) return undefined;
      this.picture.move(...moved);
    }
    return changed(
      other.flatMap(({ planes }) => planes ?? []),
      strips,
    );
  }

  /** Whether all of the layout is in a view. */
  private shows(view: View): boolean {
    const { x1, y1, x2, y2 } = this.scene.top.box;
    const { width, height } = this.picture;
    const reach = (from: number, to: number, middle: number) => Math.max(to - middle, middle - from);
    return (
      reach(x1, x2, view.x) * view.scale <= width / 2 && reach(y1, y2, view.y) * view.scale <= height / 2
    );
  }

  /** Where the two layouts differ, in two colours over what they share. */
  private composeDifference(context: OffscreenCanvasRenderingContext2D, other: Renderer): void {
    const { picture, paints } = this;
    const difference = emptyDifference(picture.width, picture.height);
    for (const [rank, { visible, planes }] of paints.entries())
      if (visible) addDifference(difference, planes, other.paints[rank]?.planes);
    const sheet = (planes: Planes, colour: string) => ({
      planes,
      ...{ fill: pixel(colour), frame: pixel(colour), rows: stipple(["*"], 0, 1) },
    });
    const { first, second, both } = difference;
    const sheets = [sheet(first, ONLY_FIRST), sheet(second, ONLY_SECOND), sheet(both, BOTH)];
    picture.compose(sheets, pixel(BACKGROUND), 0, 0);
    this.composed = undefined;
    this.put(context);
  }

  private put(context: OffscreenCanvasRenderingContext2D): void {
    const { width, height } = this.picture;
    // Only now, or the canvas would be blank until the picture is ready.
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    context.putImageData(this.picture.image, 0, 0);
  }
}

/** The same view in a layout whose database units are so many of this one's. */
function elsewhere({ x, y, scale }: View, units: number): View {
  return { x: x / units, y: y / units, scale: scale * units };
}

/** Half way to white, for text on a dark ground. */
function paler(colour: string): string {
  const part = (at: number) => Math.round((Number.parseInt(colour.slice(at, at + 2), 16) + 255) / 2);
  return `rgb(${part(1)} ${part(3)} ${part(5)})`;
}
