import type { View } from "./collect";
import type { Opened } from "./protocol";
import type { Stage } from "./stage";
import type { ViewState } from "./sync";
import { boxView, type Extent, fitView, pan, toLayout, zoom } from "./viewport";

// What is smaller is shown as if it were so large; µm.
const SPECK = 0.3;

type Position = { x: number; y: number };

/** What part of a layout is shown, and how that is changed; positions on screen are CSS pixels from the upper left. */
export class Camera {
  view: View | undefined;
  // What a pan has left over of a pixel: by whole pixels the picture is moved, not drawn again.
  private rest: Position = { x: 0, y: 0 };
  // All is shown, and is to be when the room changes.
  private all = false;
  // What was wanted before there was room for it.
  private waiting: ViewState | undefined;

  constructor(
    private readonly stage: Stage,
    public opened: Opened,
    private readonly moved: () => void,
  ) {}

  /** Show a view; undefined is all. */
  look(view: View | undefined): void {
    if (this.stage.room.width <= 1) return;
    this.all = view === undefined;
    this.view = view ?? fitView(this.opened.box, this.stage.room);
    this.stage.look(this.view);
    this.moved();
  }

  /** The room has changed. */
  resized(): void {
    if (this.waiting) this.restore(this.waiting);
    else this.look(this.all ? undefined : this.view);
  }

  panBy(dx: number, dy: number): void {
    const { view, stage, rest } = this;
    if (!view) return;
    const [x, y] = [rest.x + dx * stage.ratio, rest.y + dy * stage.ratio];
    this.rest = { x: x - Math.round(x), y: y - Math.round(y) };
    this.look(pan(view, this.opened.box, Math.round(x), Math.round(y)));
  }

  zoomBy(factor: number, x?: number, y?: number): void {
    if (!this.view) return;
    const { room, ratio } = this.stage;
    const px = x === undefined ? room.width / 2 : x * ratio;
    const py = y === undefined ? room.height / 2 : y * ratio;
    this.look(zoom(this.view, this.opened.box, room, factor, px, py));
  }

  /** Show what is between two positions. */
  zoomBox(from: Position, to: Position): void {
    const [[x1, y1], [x2, y2]] = [this.under(from), this.under(to)];
    this.show([Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)], 1);
  }

  /** Show a box (database units) and what is around it (1: nothing). */
  show(box: Extent, around: number): void {
    this.look(boxView(box, this.opened.box, this.stage.room, around));
  }

  /** Some of these boxes (database units; x1, y1, x2, y2, …) are seen, and not too small. */
  sees(boxes: Float64Array): boolean {
    const { view, stage } = this;
    if (!view) return false;
    const [w, h] = [stage.room.width / 2 / view.scale, stage.room.height / 2 / view.scale];
    for (let i = 0; i < boxes.length; i += 4) {
      const [x1, y1, x2, y2] = boxes.subarray(i, i + 4) as unknown as Extent;
      const inside = x2 > view.x - w && x1 < view.x + w && y2 > view.y - h && y1 < view.y + h;
      if (inside && Math.max(x2 - x1, y2 - y1) * view.scale > 4) return true;
    }
    return false;
  }

  /** Show a box (µm) within some of its surroundings, unless it is seen well as it is. */
  see(box: Extent): void {
    const extent = box.map((value) => value * this.opened.unit) as unknown as Extent;
    if (!this.sees(Float64Array.from(extent))) this.show(extent, 2);
  }

  /** Show points (µm; x, y, …) in the middle, with much of what is around them. */
  showAround(points: readonly number[]): void {
    const { unit } = this.opened;
    const xs = points.filter((_value, index) => index % 2 === 0);
    const ys = points.filter((_value, index) => index % 2 === 1);
    const [x1, y1, x2, y2] = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    const half = (Math.max(x2 - x1, y2 - y1, SPECK) * unit) / 2;
    const [x, y] = [((x1 + x2) / 2) * unit, ((y1 + y2) / 2) * unit];
    this.show([x - half, y - half, x + half, y + half], 6);
  }

  /** Where in the layout a position is (default: the middle), database units. */
  under(position: Position | undefined): [number, number] {
    const { view, stage } = this;
    if (!view) return [0, 0];
    if (!position) return [view.x, view.y];
    return toLayout(view, stage.room, position.x * stage.ratio, position.y * stage.ratio);
  }

  /** Database units that so many CSS pixels are. */
  reach(pixels: number): number {
    return this.view ? (pixels * this.stage.ratio) / this.view.scale : 0;
  }

  /** Middle and width, µm. */
  get state(): { x: number; y: number; width: number } {
    const { view, stage, opened } = this;
    if (!view) return { x: 0, y: 0, width: 0 };
    const micron = (value: number) => Number((value / opened.unit).toFixed(4));
    return { x: micron(view.x), y: micron(view.y), width: micron(stage.room.width / view.scale) };
  }

  /** Show a place as Python has it; without one all, without a width as large as now. */
  restore(state: ViewState): void {
    const { stage, opened } = this;
    const { room } = stage;
    this.waiting = room.width > 1 ? undefined : state;
    if (this.waiting) return;
    if (state.x === undefined || state.y === undefined) {
      this.look(undefined);
      return;
    }
    const { unit, box } = opened;
    const scale = this.view?.scale ?? fitView(box, room).scale;
    const half = state.width ? (state.width * unit) / 2 : room.width / 2 / scale;
    const tall = (half * room.height) / room.width;
    const [x, y] = [state.x * unit, state.y * unit];
    this.show([x - half, y - tall, x + half, y + tall], 1);
  }
}
