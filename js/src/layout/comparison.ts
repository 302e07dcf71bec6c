import { SHOWINGS, type Showing, showingOf } from "./comparing";
import type { Moves } from "./controls";
import type { SceneAddress } from "./protocol";
import { button } from "./signs";
import type { Stage } from "./stage";
import type { Sync } from "./sync";
import { paneName, Twin } from "./twin";

/** Where the second picture goes, and who draws it. */
export interface Panes {
  readonly panes: HTMLElement;
  readonly frame: HTMLElement;
  readonly makeWorker: () => Worker;
}

/** What a comparison needs of those that show the first picture. */
export interface Beside {
  /** There are two layouts; it may change when they are read again. */
  readonly compared: () => boolean;
  readonly moves: (stage: Stage) => Moves;
  /** The second picture is there, and is to show what the first one does. */
  readonly ready: (twin: Twin) => void;
  /** There is one picture again. */
  readonly alone: () => void;
  readonly shows: (showing: Showing) => void;
}

/** Two layouts: over each other as they differ, one of them, or side by side. */
export class Comparison {
  readonly button = button("beside", "Side by side (s)", () => this.toggleBeside());
  showing: Showing = "first";
  twin: Twin | undefined;
  private readonly firstName = paneName("");

  constructor(
    private readonly panes: Panes,
    private readonly address: SceneAddress,
    private readonly sync: Sync,
    private readonly beside: Beside,
  ) {}

  /** Show what Python asks for, now and from now on. */
  start(): void {
    const asked = () => this.show(showingOf(this.sync.text("comparing")) ?? "difference");
    asked();
    this.sync.follow("comparing", asked);
  }

  show(showing: Showing): void {
    if (!this.beside.compared() || showing === this.showing) return;
    this.showing = showing;
    const side = showing === "side by side";
    this.button.setAttribute("aria-pressed", String(side));
    if (side) this.open();
    else {
      this.end();
      this.firstName.remove();
      this.beside.alone();
    }
    this.beside.shows(showing);
    this.sync.tellComparing(showing);
  }

  next(): void {
    this.show(SHOWINGS[(SHOWINGS.indexOf(this.showing) + 1) % SHOWINGS.length] ?? "difference");
  }

  toggleBeside(): void {
    this.show(this.showing === "side by side" ? "difference" : "side by side");
  }

  end(): void {
    this.twin?.end();
    this.twin = undefined;
  }

  private open(): void {
    const { panes, sync, address, beside } = this;
    const last = (path: string) => path.split("/").pop() ?? "";
    this.firstName.textContent = sync.text("build_id") || last(sync.text("path")) || "first layout";
    const name = sync.text("other_build") || last(sync.text("other")) || "second layout";
    const twin = new Twin(panes.makeWorker, address, name, {
      moves: beside.moves,
      ready: () => beside.ready(twin),
    });
    this.twin = twin;
    panes.frame.append(this.firstName);
    panes.panes.append(twin.frame);
  }
}
