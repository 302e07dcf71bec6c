import { element } from "../dom";
import type { Camera } from "./camera";
import { inspector, type Selection, selectionOf } from "./inspector";
import { netOf, type PlaceInfo } from "./nets";
import type { Drawing } from "./overlay";
import type { Hit } from "./probe";
import { Rulers } from "./rulers";
import type { Stage } from "./stage";

type Position = { x: number; y: number };

const PICK = 3; // CSS pixels around a click
const SNAP = 12; // CSS pixels around the pointer

export interface PointingEvents {
  /** What lies over the picture has changed. */
  draw(change: Partial<Drawing>): void;
  selected(selection: Selection | undefined): void;
  /** Rulers are laid, or no longer. */
  measuring(active: boolean): void;
  /** What the design has at a place, µm; undefined when nobody knows. */
  at(x: number, y: number): Promise<PlaceInfo | undefined>;
  highlight(net: string): void;
}

/** What a click does: pick a shape and say what it is, or lay a ruler. Positions are CSS pixels. */
export class Pointing {
  /** What has been picked, for people. */
  readonly cards = element("div", { class: "cards", "aria-live": "polite" });
  readonly rulers = new Rulers();
  private hits: { list: Hit[]; at: number; x: number; y: number } | undefined;
  private asking = false;
  private pointer: Position | undefined;

  constructor(
    /** The picture that is pointed at. */
    public stage: Stage,
    private readonly camera: Camera,
    private readonly events: PointingEvents,
  ) {}

  measure(active: boolean): void {
    this.rulers.active = active;
    this.events.measuring(active);
    if (!active) this.events.draw({ snap: undefined });
  }

  hover(position: Position | undefined): void {
    this.pointer = position;
    if (this.rulers.active && position) void this.lead(position);
  }

  /** At a position, or at the middle. */
  async click(position: Position | undefined): Promise<void> {
    const { rulers, camera, hits } = this;
    if (rulers.active) {
      rulers.put((await this.snap(position)).place);
      this.events.draw({ measures: rulers.measures, snap: undefined });
      return;
    }
    const [x, y] = camera.under(position);
    const radius = camera.reach(PICK);
    if (hits && hits.list.length > 1 && Math.hypot(hits.x - x, hits.y - y) <= radius) {
      hits.at = (hits.at + 1) % hits.list.length;
      this.pick(hits);
      return;
    }
    const list = await this.stage.ask({ type: "pick", x, y, radius });
    this.pick(list.length ? { list, at: 0, x, y } : undefined);
  }

  clearRulers(): void {
    while (this.rulers.escape());
    this.events.draw({ measures: [], snap: undefined });
  }

  /** Clear one thing; says whether there was something. */
  escape(): boolean {
    const { rulers } = this;
    if (rulers.escape()) this.events.draw({ measures: [...rulers.measures], snap: undefined });
    else if (rulers.active) this.measure(false);
    else if (this.hits) this.clear();
    else return false;
    return true;
  }

  /** Nothing is picked. */
  clear(): void {
    this.pick(undefined);
  }

  /** The end of the ruler follows the pointer; one question at a time. */
  private async lead(position: Position): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    const { place, snapped } = await this.snap(position);
    this.asking = false;
    if (!this.rulers.active) return;
    this.rulers.lead(place);
    this.events.draw({ measures: this.rulers.measures, snap: snapped ? place : undefined });
    const { pointer } = this;
    if (pointer && (pointer.x !== position.x || pointer.y !== position.y)) void this.lead(pointer);
  }

  private async snap(position: Position | undefined): Promise<{ place: Position; snapped: boolean }> {
    const { camera, stage } = this;
    const [x, y] = camera.under(position);
    const found = await stage.ask({ type: "snap", x, y, radius: camera.reach(SNAP) });
    const to = found ?? { x, y };
    const micron = (value: number) => Math.round(value) / camera.opened.unit;
    return { place: { x: micron(to.x), y: micron(to.y) }, snapped: found !== undefined };
  }

  private pick(hits: typeof this.hits): void {
    const { layers, unit } = this.camera.opened;
    this.hits = hits;
    const hit = hits?.list[hits.at];
    const layer = hit && layers[hit.rank];
    if (!hits || !hit || !layer) {
      this.cards.replaceChildren();
      this.events.draw({ picked: undefined });
      this.events.selected(undefined);
      return;
    }
    const selection = selectionOf(hit, layers, unit);
    const show = (shown: Selection) => {
      const of = [hits.at, hits.list.length] as const;
      const highlight = (net: string) => this.events.highlight(net);
      this.cards.replaceChildren(inspector(shown, layer, of, () => this.clear(), highlight));
      this.events.selected(shown);
    };
    show(selection);
    this.events.draw({ picked: hit.points.map((value) => value / unit) });
    void this.events.at(hits.x / unit, hits.y / unit).then((place) => {
      if (!place || this.hits !== hits || hits.list[hits.at] !== hit) return;
      const net = netOf(place, layer) ?? "";
      const instance =
        hit.path.length > 1 ? place.instances.find(({ cell }) => hit.path.includes(cell)) : undefined;
      if (net || instance) show({ ...selection, net, instance: instance?.name ?? "" });
    });
  }
}
