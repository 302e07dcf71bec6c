import { element, setAttribute, setText } from "../dom";
import { formatNumber } from "../format";
import { type IconName, icon } from "../icons";
import type { ByteRange, LineFilter } from "./lines";
import { type Level, type Matcher, textMatcher } from "./matcher";

const DEBOUNCE = 60; // ms after a key before a search begins

/** A step as a choice of what to show. */
export interface LogSection {
  readonly id: string;
  readonly name: string;
  readonly range: ByteRange;
}

export interface ToolActions {
  search(matcher: Matcher | null): void;
  next(direction: 1 | -1): void;
  filter(filter: LineFilter): void;
  wrap(on: boolean): void;
  copy(): void;
  reference(): void;
}

export interface LogTools {
  readonly element: HTMLElement;
  readonly buttons: readonly HTMLElement[];
  showCount(text: string): void;
  updateSections(sections: readonly LogSection[]): void;
  /** Shows all lines again. */
  clearFilter(): void;
  focusSearch(): void;
}

function iconButton(name: IconName, label: string, toggle = false): HTMLButtonElement {
  return element(
    "button",
    {
      type: "button",
      class: "quiet tool",
      title: label,
      "aria-label": label,
      ...(toggle && { "aria-pressed": "false" }),
    },
    icon(name),
  );
}

/** The words on a toggle are its picture; the label says what it does. */
function wordToggle(word: string, label: string): HTMLButtonElement {
  return element(
    "button",
    { type: "button", class: "quiet tool", title: label, "aria-label": label, "aria-pressed": "false" },
    word,
  );
}

const isPressed = (button: Element) => button.getAttribute("aria-pressed") === "true";

function flip(button: Element): boolean {
  const now = !isPressed(button);
  setAttribute(button, "aria-pressed", String(now));
  return now;
}

/** What finds, narrows down, wraps and copies a log. */
export function createLogTools(actions: ToolActions, signal: AbortSignal): LogTools {
  const input = element("input", {
    type: "search",
    placeholder: "Search the log",
    "aria-label": "Search the log",
    autocomplete: "off",
    spellcheck: "false",
  });
  const count = element("span", { class: "found-count", role: "status" });
  const previous = iconButton("up", "Previous match (Shift+Enter)");
  const next = iconButton("down", "Next match (Enter)");
  const matchCase = wordToggle("Aa", "Match case");
  const regex = wordToggle(".*", "Regular expression");
  const level = element(
    "select",
    { "aria-label": "Which lines" },
    element("option", { value: "all" }, "All lines"),
    element("option", { value: "warning" }, "Warnings, errors"),
    element("option", { value: "error" }, "Errors"),
  );
  const section = element("select", { "aria-label": "Which step" });
  const wrap = iconButton("wrap", "Wrap long lines", true);
  const copy = iconButton("copy", "Copy the selected lines, or all that are shown");
  const reference = iconButton("hash", "Copy a reference to the line");
  const panel = element(
    "div",
    { class: "tools", role: "search", "aria-label": "Log" },
    element("span", { class: "find" }, icon("search"), input, count, matchCase, regex, previous, next),
    section,
    level,
  );
  let sections: readonly LogSection[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  function search(): void {
    clearTimeout(timer);
    input.setCustomValidity("");
    setText(count, "");
    const found = input.value !== "";
    previous.disabled = next.disabled = !found;
    try {
      const options = { regex: isPressed(regex), matchCase: isPressed(matchCase) };
      actions.search(found ? textMatcher(input.value, options) : null);
    } catch {
      input.setCustomValidity("This is no regular expression.");
      setText(count, "no regular expression");
      actions.search(null);
    }
  }

  function filter(): void {
    const range = sections.find((one) => one.id === section.value)?.range ?? null;
    actions.filter({ level: level.value as Level, range });
  }

  const listen = (on: HTMLElement, type: string, call: (event: Event) => void) =>
    on.addEventListener(type, call, { signal });
  listen(input, "input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, input.value ? DEBOUNCE : 0);
  });
  listen(input, "keydown", (event) => {
    const { key, shiftKey } = event as KeyboardEvent;
    if (key === "Enter") actions.next(shiftKey ? -1 : 1);
    else if (key === "Escape" && input.value) {
      input.value = "";
      search();
    } else return;
    event.preventDefault();
  });
  listen(previous, "click", () => actions.next(-1));
  listen(next, "click", () => actions.next(1));
  for (const toggle of [matchCase, regex])
    listen(toggle, "click", () => {
      flip(toggle);
      search();
    });
  listen(level, "change", filter);
  listen(section, "change", filter);
  listen(wrap, "click", () => actions.wrap(flip(wrap)));
  listen(copy, "click", actions.copy);
  listen(reference, "click", actions.reference);
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  previous.disabled = next.disabled = true;

  return {
    element: panel,
    buttons: [wrap, reference, copy],
    showCount: (text) => setText(count, text),
    updateSections(now) {
      const chosen = section.value;
      const same = now.length === sections.length && now.every((one, at) => one.id === sections[at]?.id);
      const before = sections.find((one) => one.id === chosen);
      sections = now;
      if (!same || !section.options.length) {
        const options = now.map(({ id, name }) => element("option", { value: id, title: id }, name));
        section.replaceChildren(element("option", { value: "" }, "All steps"), ...options);
        section.value = now.some((one) => one.id === chosen) ? chosen : "";
      }
      section.hidden = now.length === 0;
      const after = now.find((one) => one.id === section.value);
      if (before && before.range.to !== after?.range.to) filter();
    },
    clearFilter() {
      level.value = "all";
      section.value = "";
      filter();
    },
    focusSearch() {
      input.focus();
      input.select();
    },
  };
}

/** `3 of 12`, `no match`, `1 200 …` while there may be more. */
export function countText(at: number | null, found: number, done: boolean): string {
  if (!found) return done ? "no match" : "…";
  const all = `${formatNumber(found)}${done ? "" : " …"}`;
  return at === null ? all : `${formatNumber(at + 1)} of ${all}`;
}
