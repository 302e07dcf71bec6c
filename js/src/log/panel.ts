import { element, oncePerFrame, setText } from "../dom";
import { formatBytes, formatNumber } from "../format";
import { icon } from "../icons";
import { rowElement } from "./row";
import type { LogLine, LogStore } from "./store";

const ROW_HEIGHT = 18; // px; the style sheet's --row says the same
const EARLIER_HEIGHT = 32; // px of the bar above the first line while there is more before it
const OVERSCAN = 12; // rows kept beyond either edge, so that a quick scroll shows no blank
const LONGEST_LOAD = 16 * 1024 * 1024; // bytes fetched at most to reach a place further up

export interface LogSource {
  readonly log: LogStore;
  loadEarlier(to?: number): Promise<void>;
}

export interface LogPanel {
  readonly element: HTMLElement;
  /** To be called after the log changed. */
  update(): void;
  /** Shows the line at a console byte at the top, fetching it if it is not held. */
  showOffset(offset: number): Promise<void>;
}

interface Row {
  readonly line: LogLine;
  readonly node: HTMLElement;
}

/** A console that follows its end until the reader scrolls up; only the rows in sight are in the page. */
export function createLogPanel(source: LogSource, rawUrl: string, signal: AbortSignal): LogPanel {
  const store = source.log;
  const size = element("span", { class: "log-size" });
  const problem = element("span", { class: "log-problem", role: "alert" });
  const raw = element(
    "a",
    { href: rawUrl, download: "console.log", class: "quiet", title: "Download the whole log as it is" },
    icon("download"),
    "Raw log",
  );
  const earlier = element("button", { type: "button", class: "quiet earlier" });
  const canvas = element("div", { class: "log-canvas" });
  const empty = element("p", { class: "log-empty" }, "No output yet.");
  const scroller = element(
    "div",
    { class: "log-scroll", tabindex: 0, role: "group", "aria-label": "Log output" },
    earlier,
    canvas,
  );
  const jump = element("button", { type: "button", class: "log-jump", hidden: true });
  const panel = element(
    "div",
    { class: "log", role: "group", "aria-label": "Log" },
    element("div", { class: "bar" }, element("h3", {}, "Log"), size, problem, raw),
    element("div", { class: "log-body" }, scroller, empty, jump),
  );

  const rows = new Map<number, Row>();
  let following = true;
  let seenEnd = 0;
  let lastTop = 0;
  let shownFirst = store.first;
  let loading = false;
  let outOfSight = true;

  const headHeight = () => (store.startOffset > 0 ? EARLIER_HEIGHT : 0);
  const jumpToEnd = () => {
    scroller.scrollTop = scroller.scrollHeight;
    render();
  };

  /** Keeps what the reader looks at in place when lines come or go above it. */
  function holdPlace(): void {
    const moved = (shownFirst - store.first) * ROW_HEIGHT;
    shownFirst = store.first;
    if (moved && !following) scroller.scrollTop = Math.max(0, scroller.scrollTop + moved);
  }

  function renderRows(): void {
    const top = scroller.scrollTop - headHeight();
    const from = Math.max(store.first, store.first + Math.floor(top / ROW_HEIGHT) - OVERSCAN);
    const visible = Math.ceil(scroller.clientHeight / ROW_HEIGHT);
    const to = Math.min(store.end, from + visible + 2 * OVERSCAN);
    for (const [number, row] of rows) {
      if (number >= from && number < to) continue;
      row.node.remove();
      rows.delete(number);
    }
    // In the page rows stand in their order, so that a selection over several copies as it reads.
    let after: ChildNode | null = canvas.firstChild;
    for (let number = from; number < to; number++) {
      const held = rows.get(number)?.node;
      const node = rowAt(number);
      if (held && held !== node) {
        if (held === after) after = held.nextSibling;
        held.remove();
      }
      if (node === after) after = after.nextSibling;
      else canvas.insertBefore(node, after);
      node.style.top = `${(number - store.first) * ROW_HEIGHT}px`;
    }
  }

  function rowAt(number: number): HTMLElement {
    const line = store.line(number);
    const held = rows.get(number);
    if (held && held.line.text === line.text && held.line.style === line.style) return held.node;
    const node = rowElement(line);
    rows.set(number, { line, node });
    return node;
  }

  /** Scroll events come a frame late, so this is also asked before anything is moved under the reader. */
  function noticeReader(): void {
    const { scrollTop, scrollHeight, clientHeight } = scroller;
    if (scrollHeight - scrollTop - clientHeight < ROW_HEIGHT) following = true;
    else if (scrollTop < lastTop) following = false;
    lastTop = scrollTop;
  }

  function render(): void {
    // Out of the page or hidden there is nothing to measure, and the browser forgets where it had scrolled to.
    outOfSight ||= scroller.clientHeight === 0;
    if (scroller.clientHeight === 0) return;
    if (outOfSight) scroller.scrollTop = lastTop;
    else noticeReader();
    outOfSight = false;
    holdPlace();
    earlier.hidden = store.startOffset === 0;
    earlier.disabled = loading;
    const before = formatBytes(store.startOffset);
    if (!loading) earlier.replaceChildren(icon("up"), `Load earlier output (${before} before this)`);
    canvas.style.height = `${store.count * ROW_HEIGHT}px`;
    empty.hidden = store.count > 0;
    if (following) {
      scroller.scrollTop = scroller.scrollHeight;
      seenEnd = store.end;
    }
    lastTop = scroller.scrollTop;
    renderRows();
    const lines = `${formatNumber(store.count)} lines`;
    setText(size, store.count ? (store.startOffset ? `last ${lines}` : lines) : "");
    const fresh = store.end - seenEnd;
    jump.hidden = following || fresh <= 0;
    if (!jump.hidden) jump.replaceChildren(`${formatNumber(fresh)} new lines`, icon("down"));
  }

  async function load(to?: number): Promise<void> {
    if (loading) return;
    loading = true;
    following = false;
    earlier.textContent = "Loading…";
    problem.textContent = "";
    try {
      await source.loadEarlier(to);
    } catch (reason) {
      if (!signal.aborted) problem.textContent = reason instanceof Error ? reason.message : String(reason);
    }
    loading = false;
    if (!signal.aborted) render();
  }

  const update = oncePerFrame(render, signal);
  scroller.addEventListener(
    "scroll",
    () => {
      if (!outOfSight) noticeReader();
      update();
    },
    { passive: true, signal },
  );
  earlier.addEventListener("click", () => void load(), { signal });
  jump.addEventListener("click", jumpToEnd, { signal });
  // A notebook may lay a widget out long after it was made, or take it out and put it back.
  const watcher = new ResizeObserver(update);
  watcher.observe(scroller);
  signal.addEventListener("abort", () => watcher.disconnect(), { once: true });

  return {
    element: panel,
    update,
    async showOffset(offset) {
      if (store.startOffset - offset > LONGEST_LOAD) {
        setText(problem, `That is ${formatBytes(store.startOffset - offset)} back: see the raw log.`);
        return;
      }
      if (offset < store.startOffset) await load(Math.max(0, offset - 1));
      if (signal.aborted) return;
      render();
      scroller.scrollTop = headHeight() + (store.lineAt(offset) - store.first) * ROW_HEIGHT;
    },
  };
}
