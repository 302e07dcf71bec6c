import { element } from "../dom";
import { get } from "./load";
import { Overlay } from "./overlay";
import type { Loading, Opened, SceneAddress } from "./protocol";
import { type Parts, Shown } from "./shown";
import { Stage } from "./stage";
import type { Sync } from "./sync";
import { lengthText } from "./viewport";
import { Waiting } from "./waiting";

/** A layout on screen: the picture, what lies over it, and the tools and panels around it. */
export class LayoutView {
  private readonly frame = element("div", { class: "stage" });
  private readonly work = element("div", { class: "work" }, this.frame);
  private readonly message = element(
    "div",
    { class: "overlay message", role: "status" },
    "Loading the layout…",
  );
  private readonly bar = element("div", { class: "overlay length" });
  private readonly place = element("div", { class: "overlay place" });
  private readonly note = element("div", { class: "overlay note" });
  private readonly over = new Overlay(element("canvas", { class: "over", "aria-hidden": "true" }));
  private stage: Stage | undefined;
  private shown: Shown | undefined;
  private readonly waiting = new Waiting((text) => {
    this.message.textContent = text;
  });
  private ask: Parts["ask"] | undefined;

  constructor(
    private readonly root: HTMLElement,
    private readonly makeWorker: () => Worker,
    private readonly sync: Sync,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener("abort", () => this.waiting.end());
    for (const each of [this.bar, this.place, this.note]) each.hidden = true;
    this.frame.append(this.message);
    root.append(this.work);
  }

  /** `ask` fetches what the panels want to know, where the page cannot do so by itself. */
  open(address: SceneAddress, ask = (url: string) => get(url, address.headers)): void {
    this.ask = ask;
    const canvas = element("canvas");
    this.frame.prepend(canvas, this.over.canvas);
    try {
      const events = {
        opened: (opened: Opened) => this.ready(opened, address),
        failed: (message: string) => this.fail(message),
        loading: (loading: Loading) => this.waiting.at(loading),
        drawn: ({ simplified }: { simplified: boolean }) => this.say(simplified),
        resized: () => this.shown?.camera.resized(),
      };
      this.stage = new Stage(this.makeWorker, canvas, address, events, this.signal);
    } catch {
      this.fail("The layout viewer could not be started in this page.");
    }
  }

  /** Say one sentence in the place of the picture. */
  fail(message: string): void {
    this.waiting.end();
    this.message.textContent = message;
    this.message.classList.add("problem");
    this.message.setAttribute("role", "alert");
    this.message.hidden = false;
  }

  private ready(opened: Opened, address: SceneAddress): void {
    const { frame, work, stage, bar, place, note, over, root } = this;
    if (!stage || !this.ask) return;
    this.waiting.end();
    this.message.hidden = true;
    const [x1, y1, x2, y2] = opened.box;
    const size = `${lengthText((x2 - x1) / opened.unit)} by ${lengthText((y2 - y1) / opened.unit)}`;
    const help = "Arrow keys move, plus and minus zoom, f fits, Enter inspects, g opens more.";
    frame.setAttribute("aria-label", `Layout of ${opened.top}, ${size}. ${help}`);
    if (this.shown) {
      this.shown.reopened(opened);
      return;
    }
    const parts = { root, work, frame, bar, place, over, ask: this.ask };
    this.shown = new Shown(parts, stage, opened, address, this.sync, this.signal);
    frame.append(bar, place, note);
    this.shown.start();
  }

  private say(simplified: boolean): void {
    const notes = [
      this.shown?.camera.opened.note,
      simplified ? "Simplified: zoom in to see every cell." : undefined,
    ];
    this.note.textContent = notes.filter(Boolean).join(" ");
    this.note.hidden = !this.note.textContent;
  }
}
