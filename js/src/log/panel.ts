import { copyText } from "../clipboard";
import { element, setText } from "../dom";
import { formatBytes, formatNumber } from "../format";
import { icon } from "../icons";
import { Find } from "./find";
import { type ByteRange, ShownLines } from "./lines";
import { levelMatcher } from "./matcher";
import { type LineReference, writeReference } from "./reference";
import { LogScroller } from "./scroller";
import type { LogStore } from "./store";
import { createLogTools, type LogSection } from "./tools";

const LONGEST_LOAD = 16 * 1024 * 1024; // bytes fetched at most to reach a place further up, or to search
const MOST_COPIED = 200_000; // lines; more than that is a file and no clipping
const FILTER_SLICE = 40; // ms of filtering between two breaths of the page
const CONTEXT = 3; // lines kept in sight above one that is jumped to
const SAID_FOR = 4000; // ms that a confirmation stays

export interface LogSource {
  readonly buildId: string;
  readonly log: LogStore;
  loadEarlier(to?: number): Promise<void>;
}

export interface LogPanel {
  readonly element: HTMLElement;
  /** To be called after the log changed. */
  update(): void;
  /** To be called after the steps changed. */
  updateSections(sections: readonly LogSection[]): void;
  /** Shows the line at a console byte at the top, fetching it if it is not held. */
  showOffset(offset: number): Promise<void>;
  /** Shows the first line of a part that tells of an error, or else its beginning. */
  showError(range: ByteRange): Promise<void>;
  /** Shows and marks a line. */
  showReference(reference: LineReference): Promise<void>;
}

/** The console of a build: searched, filtered, copied; it follows its end until the reader scrolls up. */
export function createLogPanel(source: LogSource, rawUrl: string | null, signal: AbortSignal): LogPanel {
  const store = source.log;
  const size = element("span", { class: "log-size" });
  const said = element("span", { class: "log-said", role: "status" });
  const problem = element("span", { class: "log-problem", role: "alert" });
  const raw = rawUrl
    ? element(
        "a",
        { href: rawUrl, download: "console.log", class: "quiet", title: "Download the whole log as it is" },
        icon("download"),
        "Raw log",
      )
    : null;
  const earlier = element("button", { type: "button", class: "quiet earlier", hidden: true });
  const empty = element("p", { class: "log-empty" });
  const jump = element("button", { type: "button", class: "log-jump", hidden: true });

  const lines = new ShownLines(store);
  const find = new Find(store, lines, () => scroller.update(), signal);
  let selected: { from: number; to: number } | null = null;
  let seenEnd = 0;
  let loading = false;
  let awaitsFirst = false; // a search has begun and shall lead to its first match
  let saidTimer: ReturnType<typeof setTimeout> | undefined;
  signal.addEventListener("abort", () => clearTimeout(saidTimer), { once: true });

  const scroller = new LogScroller(
    store,
    lines,
    {
      head: earlier,
      matcher: () => find.matcher,
      classes: (number) => {
        const chosen = selected && number >= selected.from && number <= selected.to;
        return `${chosen ? "selected " : ""}${number === find.current ? "current" : ""}`;
      },
      before,
      after,
    },
    signal,
  );
  const tools = createLogTools(
    {
      search(matcher) {
        awaitsFirst = matcher !== null;
        if (matcher && store.startOffset > 0 && store.startOffset <= LONGEST_LOAD) void load(0, true);
        find.start(matcher);
        scroller.update();
      },
      next(direction) {
        const number = find.next(direction, scroller.top);
        if (number !== null) scroller.show(number, CONTEXT, true);
      },
      filter(filter) {
        const at = selected?.from ?? find.current;
        lines.setFilter(filter);
        if (filter.level !== "all" && store.startOffset > 0 && store.startOffset <= LONGEST_LOAD)
          void load(0, true);
        scroller.update();
        if (at !== null && !lines.filtered) scroller.show(at, CONTEXT);
      },
      wrap(on) {
        scroller.wrap = on;
        scroller.update();
      },
      copy: () => void copyLines(),
      reference: () => void copyReference(),
    },
    signal,
  );
  const panel = element(
    "div",
    { class: "log", role: "group", "aria-label": "Log" },
    element("div", { class: "bar" }, element("h3", {}, "Log"), size, said, problem, ...tools.buttons, raw),
    tools.element,
    element("div", { class: "log-body" }, scroller.element, empty, jump),
  );

  function before(): void {
    if (!lines.refresh(FILTER_SLICE)) scroller.update();
    earlier.hidden = store.startOffset === 0;
    earlier.disabled = loading;
    const bytes = formatBytes(store.startOffset);
    if (!loading && !earlier.hidden)
      earlier.replaceChildren(icon("up"), `Load earlier output (${bytes} before this)`);
    if (awaitsFirst && find.from(scroller.top) !== null && find.current !== null) {
      awaitsFirst = false;
      const number = find.current;
      queueMicrotask(() => scroller.show(number, CONTEXT, true));
    }
  }

  function after(): void {
    const nothing = store.count ? "No line is like that." : "No output yet.";
    empty.hidden = lines.count > 0;
    setText(empty, nothing);
    const all = `${formatNumber(store.count)} lines`;
    const some = lines.filtered ? `${formatNumber(lines.count)} of ` : "";
    setText(size, store.count ? some + (store.startOffset ? `last ${all}` : all) : "");
    tools.showCount(find.text);
    if (scroller.following) seenEnd = store.end;
    const fresh = lines.count - lines.index(seenEnd);
    jump.hidden = scroller.following || fresh <= 0;
    if (!jump.hidden)
      jump.replaceChildren(`${formatNumber(fresh)} new ${fresh === 1 ? "line" : "lines"}`, icon("down"));
  }

  function say(text: string): void {
    clearTimeout(saidTimer);
    setText(said, text);
    saidTimer = setTimeout(() => setText(said, ""), SAID_FOR);
  }

  async function copyLines(): Promise<void> {
    const from = selected ? lines.index(selected.from) : 0;
    const to = selected ? lines.index(selected.to + 1) : lines.count;
    if (to - from > MOST_COPIED) {
      setText(problem, "That is too much to copy: download the raw log.");
      return;
    }
    const copied: string[] = [];
    for (let index = from; index < to; index++) copied.push(store.plain(lines.number(index)));
    const done = await copyText(`${copied.join("\n")}\n`);
    const noun = copied.length === 1 ? "line" : "lines";
    say(done ? `Copied ${formatNumber(copied.length)} ${noun}` : "The browser did not let us copy");
  }

  async function copyReference(): Promise<void> {
    const number = selected?.from ?? find.current ?? scroller.top;
    select(number, number);
    const ordinal = store.ordinal(number);
    const reference = writeReference(
      source.buildId,
      ordinal === null ? { unit: "byte", value: store.offset(number) } : { unit: "line", value: ordinal },
    );
    const done = await copyText(reference);
    say(done ? `Copied ${reference}` : reference);
  }

  function select(from: number, to: number): void {
    selected = { from: Math.min(from, to), to: Math.max(from, to) };
    scroller.update();
  }

  async function load(to?: number, inPlace = false): Promise<void> {
    if (loading) return;
    loading = true;
    if (!inPlace) scroller.following = false;
    earlier.textContent = "Loading…";
    problem.textContent = "";
    try {
      await source.loadEarlier(to);
    } catch (reason) {
      if (!signal.aborted) problem.textContent = reason instanceof Error ? reason.message : String(reason);
    }
    loading = false;
    if (signal.aborted) return;
    scroller.draw();
    find.update();
  }

  /** Makes sure that a console byte is held; says why not if it is too far away. */
  async function reach(offset: number): Promise<boolean> {
    if (store.startOffset - offset > LONGEST_LOAD) {
      setText(problem, `That is ${formatBytes(store.startOffset - offset)} back: see the raw log.`);
      return false;
    }
    if (offset < store.startOffset) await load(Math.max(0, offset - 1));
    if (signal.aborted) return false;
    scroller.draw();
    return true;
  }

  /** Shows a line, and all others too if the filter has left it out. */
  function showLine(number: number, above: number): void {
    if (!lines.has(number)) tools.clearFilter();
    lines.refresh(FILTER_SLICE);
    scroller.show(number, above);
  }

  jump.addEventListener("click", () => scroller.toEnd(), { signal });
  earlier.addEventListener("click", () => void load(), { signal });
  scroller.element.addEventListener(
    "click",
    (event) => {
      const at = scroller.lineOf(event);
      if (!at?.inGutter) return;
      if (event.shiftKey && selected) select(selected.from, at.number);
      else if (selected?.from === at.number && selected.to === at.number) {
        selected = null;
        scroller.update();
      } else select(at.number, at.number);
    },
    { signal },
  );
  panel.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "f" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      // The browser's own search sees but the rows in the page.
      event.preventDefault();
      tools.focusSearch();
    },
    { signal },
  );

  return {
    element: panel,
    update() {
      scroller.update();
      find.update();
    },
    updateSections: tools.updateSections,
    async showOffset(offset) {
      if (await reach(offset)) showLine(store.lineAt(offset), 0);
    },
    async showError(range) {
      if (!(await reach(range.from))) return;
      const { single } = levelMatcher("error");
      const from = store.lineAt(range.from);
      const to = range.to === null ? store.end : store.lineAt(range.to);
      let number = from;
      while (number < to && !single.test(store.plain(number))) number++;
      const found = number < to;
      if (found) select(number, number);
      showLine(found ? number : from, found ? CONTEXT : 0);
    },
    async showReference({ unit, value }) {
      // Lines are counted from the first one, so that one must be there.
      if (!(await reach(unit === "byte" ? value : 0))) return;
      const number = unit === "byte" ? store.lineAt(value) : store.fromOrdinal(value);
      if (number === null) {
        setText(problem, `The log has no line ${formatNumber(value)}.`);
        return;
      }
      select(number, number);
      showLine(number, CONTEXT);
    },
  };
}
