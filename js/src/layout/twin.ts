import { element } from "../dom";
import type { View } from "./collect";
import { listen, type Moves } from "./controls";
import { type Drawing, Overlay } from "./overlay";
import type { Pane } from "./picture-file";
import type { Options, SceneAddress } from "./protocol";
import { Stage } from "./stage";

export interface TwinEvents {
  /** It is there, and wants to know what to show. */
  ready(): void;
  moves(stage: Stage): Moves;
}

/** The second of two layouts, beside the first: the same view of it, in a worker of its own. */
export class Twin {
  readonly frame = element("div", { class: "stage twin" });
  readonly stage: Stage;
  private readonly over = new Overlay(element("canvas", { class: "over", "aria-hidden": "true" }));
  private readonly message = element(
    "div",
    { class: "overlay message", role: "status" },
    "Loading the layout…",
  );
  // A worker without a layout does not answer a request for a picture.
  private open = false;
  private readonly ended = new AbortController();

  constructor(makeWorker: () => Worker, address: SceneAddress, name: string, events: TwinEvents) {
    const canvas = element("canvas");
    this.frame.append(canvas, this.over.canvas, this.message, paneName(name));
    this.frame.setAttribute("role", "img");
    this.frame.setAttribute("aria-label", `The second layout, ${name}`);
    const stageEvents = {
      opened: () => {
        this.open = true;
        this.message.hidden = true;
        events.ready();
      },
      failed: (message: string) => {
        this.message.textContent = message;
        this.message.classList.add("problem");
        this.message.hidden = false;
      },
      loading: () => undefined,
      drawn: () => undefined,
      resized: () => this.open && events.ready(),
    };
    this.stage = new Stage(makeWorker, canvas, address, stageEvents, this.ended.signal);
    listen(this.frame, events.moves(this.stage), this.ended.signal);
  }

  look(view: View): void {
    if (this.open) this.stage.look(view);
  }

  options(options: Options): void {
    this.stage.options({ ...options, comparing: "second" });
  }

  draw(drawing: Drawing, view: View, unit: number): void {
    this.over.draw(drawing, view, this.stage.room, this.stage.ratio, unit);
  }

  get picture(): Pane {
    return { stage: this.stage, over: this.over.canvas };
  }

  end(): void {
    this.ended.abort();
    this.frame.remove();
  }
}

/** What says which of two layouts a picture shows. */
export function paneName(name: string): HTMLElement {
  return element("div", { class: "overlay pane-name" }, name);
}
