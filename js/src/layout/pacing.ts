import type { Drawn, Request } from "./protocol";
import type { Renderer } from "./renderer";

// Cells smaller than this are drawn as their boxes. CSS pixels.
const DETAIL = 2;
// While the view moves, a picture that takes longer gives way to the last one, scaled; ms.
export const SLOW = 33;
// A picture in full detail is given up for a new view this often; ms.
const SLICE = 12;

export type DrawRequest = Request & { type: "draw" };

/** What pacing needs of the time; the worker's own is the browser's. */
export interface Time {
  /** Milliseconds. */
  now(): number;
  /** Let the messages in that are waiting. */
  messages(): Promise<void>;
}

/** Decides what is drawn of the views that are wanted, by the time that it takes. */
export class Pacing {
  renderer: Pick<Renderer, "follows" | "preview" | "render"> | undefined;
  /** What it took to draw all of the last view; ms. */
  private wholeTime = 0;
  private wanted: DrawRequest | undefined;
  private drawing = false;

  constructor(
    private readonly tell: (drawn: Drawn) => void,
    private readonly time: Time,
  ) {}

  /** Draw a view, in the place of one that was wanted before and is not there yet. */
  async draw(request: DrawRequest): Promise<void> {
    this.wanted = request;
    if (this.drawing) return;
    this.drawing = true;
    try {
      while (this.wanted && this.renderer) {
        const next: DrawRequest = this.wanted;
        this.wanted = undefined;
        await this.one(next, this.renderer);
      }
    } finally {
      this.drawing = false;
    }
  }

  /** Draw a view until it is there; one at rest is given up as soon as another one is wanted. */
  private async one(request: DrawRequest, renderer: Pick<Renderer, "follows" | "preview" | "render">) {
    const { time } = this;
    const { view, width, height, ratio, moving } = request;
    const start = time.now();
    const drawn = (simplified: boolean) =>
      this.tell({ type: "drawn", view, milliseconds: time.now() - start, moving, simplified });
    const whole = !renderer.follows(view, width, height);
    if (moving && whole && this.wholeTime > SLOW && renderer.preview(view, width, height)) {
      drawn(false);
      // The view may have come to where less is to be drawn.
      this.wholeTime *= 0.95;
      return;
    }
    const steps = renderer.render(view, width, height, ratio, DETAIL * ratio);
    let sliced = start;
    for (;;) {
      const { done, value } = steps.next();
      const now = time.now();
      if (done) {
        if (value.whole) this.wholeTime = now - start;
        drawn(value.simplified);
        return;
      }
      if (moving && whole && now - start > SLOW && renderer.preview(view, width, height)) {
        this.wholeTime = Math.max(this.wholeTime, now - start);
        drawn(false);
        return;
      }
      if (!moving && now - sliced > SLICE) {
        await time.messages();
        sliced = time.now();
        if (this.wanted) {
          // It took at least this long.
          this.wholeTime = Math.max(this.wholeTime, sliced - start);
          return;
        }
      }
    }
  }
}
