import type { View } from "./collect";
import type { Answer, Loading, Opened, Options, Question, Replies, Request, SceneAddress } from "./protocol";
import type { Room } from "./viewport";

// A view that has not moved for so long is drawn in full detail; ms.
const REST = 140;

export interface StageEvents {
  opened(opened: Opened): void;
  failed(message: string): void;
  loading(loading: Loading): void;
  drawn(frame: Answer & { type: "drawn" }): void;
  /** The room has changed, or is known for the first time. */
  resized(): void;
}

type Asked = { resolve(reply: unknown): void };

/** The canvas and the worker that draws on it: one moving frame at a time, always the latest view. */
export class Stage {
  private readonly worker: Worker;
  private view: View | undefined;
  private busy = false;
  private waiting = false;
  private moving = false;
  private visible = true;
  private readonly asked = new Map<number, Asked>();
  private questions = 0;
  private rest: ReturnType<typeof setTimeout> | undefined;

  constructor(
    makeWorker: () => Worker,
    private readonly canvas: HTMLCanvasElement,
    address: SceneAddress,
    private readonly events: StageEvents,
    signal: AbortSignal,
  ) {
    this.worker = makeWorker();
    this.worker.onmessage = ({ data }: MessageEvent<Answer>) => this.answer(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      events.failed("The layout viewer could not be loaded from the server. Reload the page.");
    };
    const offscreen = canvas.transferControlToOffscreen();
    const request: Request = { type: "open", canvas: offscreen, address };
    this.worker.postMessage(request, [offscreen]);
    const resizing = new ResizeObserver(() => {
      if (this.room.width > 1) events.resized();
    });
    resizing.observe(canvas);
    const showing = new IntersectionObserver(([entry]) => {
      this.visible = entry?.isIntersecting ?? true;
      // A browser may drop the picture of a canvas that was not shown.
      if (this.visible) this.request();
    });
    showing.observe(canvas);
    signal.addEventListener("abort", () => {
      clearTimeout(this.rest);
      resizing.disconnect();
      showing.disconnect();
      this.worker.terminate();
    });
  }

  get ratio(): number {
    return window.devicePixelRatio || 1;
  }

  get room(): Room {
    const size = (css: number) => Math.max(1, Math.round(css * this.ratio));
    return { width: size(this.canvas.clientWidth), height: size(this.canvas.clientHeight) };
  }

  /** Draw this view: roughly at once, in full when it rests. */
  look(view: View): void {
    this.view = view;
    this.moving = true;
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      this.moving = false;
      this.request();
    }, REST);
    this.request();
  }

  show(visible: readonly boolean[]): void {
    this.send({ type: "show", visible });
    this.request();
  }

  options(options: Options): void {
    this.send({ type: "options", options });
    this.request();
  }

  /** Read the layout again, from there. */
  open(address: SceneAddress): void {
    this.send({ type: "open", canvas: undefined, address });
  }

  /** Ask the worker; a question that it cannot answer stays open, and the view says what went wrong. */
  ask<Kind extends Question["type"]>(question: Question & { type: Kind }): Promise<Replies[Kind]> {
    const number = ++this.questions;
    return new Promise((resolve) => {
      this.asked.set(number, { resolve: resolve as Asked["resolve"] });
      this.send({ type: "ask", number, question });
    });
  }

  private request(): void {
    if (!this.view || !this.visible) return;
    if (this.busy) {
      this.waiting = true;
      return;
    }
    const { view, moving, ratio } = this;
    // A view at rest may take long, and is given up by the worker for the next one: nothing waits for it.
    this.busy = moving;
    this.waiting = false;
    this.send({ type: "draw", view, ...this.room, ratio, moving });
  }

  private send(request: Request): void {
    this.worker.postMessage(request);
  }

  private answer(answer: Answer): void {
    if (answer.type === "opened") this.events.opened(answer);
    else if (answer.type === "loading") this.events.loading(answer);
    else if (answer.type === "failed") this.events.failed(answer.message);
    else if (answer.type === "reply") {
      this.asked.get(answer.number)?.resolve(answer.reply);
      this.asked.delete(answer.number);
    } else {
      if (answer.moving) this.busy = false;
      this.events.drawn(answer);
      if (this.waiting) this.request();
    }
  }
}
