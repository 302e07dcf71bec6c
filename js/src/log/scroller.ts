import { element, oncePerFrame, setAttribute } from "../dom";
import type { ShownLines } from "./lines";
import type { Matcher } from "./matcher";
import { rowElement } from "./row";
import { ROW_HEIGHT, RowLayout } from "./row-layout";
import type { LogLine, LogStore } from "./store";

const OVERSCAN = 12; // rows kept beyond either edge, so that a quick scroll shows no blank
const PADDING = 14; // px on either side of the text; the style sheet says the same

interface Row {
  readonly line: LogLine;
  readonly matcher: Matcher | null;
  readonly node: HTMLElement;
}

/** What the rows need to know of what is around them. */
export interface RowContext {
  /** Something above the first line, such as a button that loads more; its height counts. */
  readonly head: HTMLElement;
  matcher(): Matcher | null;
  /** Classes for a line: selected, found, current. */
  classes(number: number): string;
  /** Before and after each drawing. */
  before(): void;
  after(): void;
}

/** A scrolled list of lines that follows its end until the reader scrolls up; only rows in sight are in the page. */
export class LogScroller {
  readonly element: HTMLElement;
  /** Asks for a drawing in the next frame. */
  readonly update: () => void;
  following = true;
  wrap = false;
  private readonly canvas = element("div", { class: "log-canvas" });
  private readonly probe = element("span", { class: "probe", "aria-hidden": "true" }, "0".repeat(100));
  private readonly layout: RowLayout;
  private readonly rows = new Map<number, Row>();
  private lastTop = 0;
  private outOfSight = true;
  /** The line at the top edge, and how far it is scrolled beyond it; it stays there whatever comes or goes. */
  private anchor = { number: 0, beyond: 0 };

  constructor(
    private readonly store: LogStore,
    private readonly lines: ShownLines,
    private readonly context: RowContext,
    signal: AbortSignal,
  ) {
    this.layout = new RowLayout(store, lines);
    this.element = element(
      "div",
      { class: "log-scroll", tabindex: 0, role: "group", "aria-label": "Log output" },
      context.head,
      this.probe,
      this.canvas,
    );
    this.update = oncePerFrame(() => this.draw(), signal);
    this.element.addEventListener(
      "scroll",
      () => {
        if (!this.outOfSight) this.noticeReader();
        this.update();
      },
      { passive: true, signal },
    );
    // A notebook may lay a widget out long after it was made, or take it out and put it back.
    const watcher = new ResizeObserver(this.update);
    watcher.observe(this.element);
    signal.addEventListener("abort", () => watcher.disconnect(), { once: true });
  }

  /** Number of the first line in sight. */
  get top(): number {
    return this.anchor.number;
  }

  /** Brings a line into sight, `above` rows below the top edge; one that is in sight stays where it is if asked. */
  show(number: number, above: number, onlyIfHidden = false): void {
    if (onlyIfHidden && this.inSight(number)) {
      this.following = false;
      this.update();
      return;
    }
    this.following = false;
    this.anchor = { number, beyond: -above * ROW_HEIGHT };
    this.draw(true);
  }

  toEnd(): void {
    this.following = true;
    this.draw(true);
  }

  /** The line of a row and whether its number was meant, for a pointer event. */
  lineOf(event: MouseEvent): { number: number; inGutter: boolean } | null {
    const row = event.target instanceof Element ? event.target.closest<HTMLElement>(".row") : null;
    if (!row) return null;
    const gutter = this.element.getBoundingClientRect().left + this.gutterWidth();
    return { number: Number(row.dataset.n), inGutter: event.clientX < gutter };
  }

  /** Draws what is in sight; `moved` keeps to the anchor instead of asking where the reader has scrolled to. */
  draw(moved = false): void {
    const { element: scroller, layout } = this;
    // Out of the page or hidden there is nothing to measure, and the browser forgets where it had scrolled to.
    if (scroller.clientHeight === 0) {
      this.outOfSight = true;
      return;
    }
    if (!this.outOfSight && !moved) this.noticeReader();
    this.outOfSight = false;
    this.context.before();
    this.updateGutter();
    layout.refresh(this.wrap ? this.columns() : 0);
    this.canvas.style.height = `${layout.elementHeight}px`;
    scroller.classList.toggle("wrapped", layout.wraps);
    if (this.following) scroller.scrollTop = scroller.scrollHeight;
    else scroller.scrollTop = this.scrollOf(this.anchor);
    this.lastTop = scroller.scrollTop;
    if (this.following) this.anchor = this.anchorAt(this.lastTop);
    this.drawRows();
    this.context.after();
  }

  private drawRows(): void {
    const { layout, lines, rows } = this;
    const visible = this.element.clientHeight;
    const top = this.virtualTop();
    const from = Math.max(0, layout.at(Math.max(0, top)) - OVERSCAN);
    const to = Math.min(lines.count, layout.at(Math.max(0, top) + visible) + 1 + OVERSCAN);
    // Rows stand where they would if the element were as tall as all lines, moved to what it shows of them.
    const moved = this.lastTop - this.headHeight() - top;
    const wanted = new Set<number>();
    for (let index = from; index < to; index++) wanted.add(lines.number(index));
    for (const [number, row] of rows) {
      if (wanted.has(number)) continue;
      row.node.remove();
      rows.delete(number);
    }
    // In the page rows stand in their order, so that a selection over several copies as it reads.
    let after: ChildNode | null = this.canvas.firstChild;
    for (let index = from; index < to; index++) {
      const number = lines.number(index);
      const held = rows.get(number)?.node;
      const node = this.rowAt(number);
      if (held && held !== node) {
        if (held === after) after = held.nextSibling;
        held.remove();
      }
      if (node === after) after = after.nextSibling;
      else this.canvas.insertBefore(node, after);
      node.style.top = `${layout.top(index) + moved}px`;
      node.style.height = layout.wraps ? `${layout.rows(index) * ROW_HEIGHT}px` : "";
      node.className = `row ${this.context.classes(number)}`.trim();
      const ordinal = this.store.ordinal(number);
      setAttribute(node, "data-line", ordinal ?? "·");
    }
  }

  private rowAt(number: number): HTMLElement {
    const line = this.store.line(number);
    const held = this.rows.get(number);
    const matcher = this.context.matcher();
    if (held && held.line.text === line.text && held.line.style === line.style && held.matcher === matcher)
      return held.node;
    const node = rowElement(line, matcher);
    node.dataset.n = String(number);
    this.rows.set(number, { line, matcher, node });
    return node;
  }

  /** Scroll events come a frame late, so this is also asked before anything is moved under the reader. */
  private noticeReader(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    if (scrollTop === this.lastTop) return;
    if (scrollHeight - scrollTop - clientHeight < ROW_HEIGHT) this.following = true;
    else if (scrollTop < this.lastTop) this.following = false;
    this.lastTop = scrollTop;
    this.anchor = this.anchorAt(scrollTop);
  }

  private anchorAt(scrollTop: number): { number: number; beyond: number } {
    const top = this.layout.stretch(scrollTop - this.headHeight(), this.element.clientHeight);
    const index = this.layout.at(top);
    return { number: this.lines.number(index), beyond: top - this.layout.top(index) };
  }

  private scrollOf({ number, beyond }: { number: number; beyond: number }): number {
    const top = this.layout.top(this.lines.index(number)) + beyond;
    return this.headHeight() + this.layout.squeeze(top, this.element.clientHeight);
  }

  private virtualTop(): number {
    return this.layout.stretch(this.lastTop - this.headHeight(), this.element.clientHeight);
  }

  private inSight(number: number): boolean {
    if (!this.lines.has(number)) return false;
    const top = this.layout.top(this.lines.index(number)) - this.virtualTop();
    return top >= 0 && top <= this.element.clientHeight - 2 * ROW_HEIGHT;
  }

  private headHeight(): number {
    return this.context.head.offsetHeight;
  }

  private updateGutter(): void {
    const last = this.store.ordinal(this.store.end);
    const digits = last === null ? 1 : Math.max(2, String(last).length);
    this.element.style.setProperty("--gutter", `${digits + 2}ch`);
  }

  private characterWidth(): number {
    return this.probe.getBoundingClientRect().width / 100;
  }

  private gutterWidth(): number {
    return Number.parseFloat(this.element.style.getPropertyValue("--gutter")) * this.characterWidth();
  }

  private columns(): number {
    const width = this.element.clientWidth - this.gutterWidth() - 2 * PADDING;
    return Math.max(20, Math.floor(width / this.characterWidth()));
  }
}
