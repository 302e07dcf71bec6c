import { element, setAttribute, setText } from "../dom";
import { formatSeconds } from "../format";
import { icon } from "../icons";
import type { Step } from "../transport";
import type { BuildFeed } from "./feed";
import { STEP_SIGNS } from "./words";

export interface StepList {
  readonly element: HTMLElement;
  update(): void;
  tick(): void;
}

interface Item {
  readonly node: HTMLLIElement;
  readonly time: HTMLElement;
  step: Step;
}

/** Seconds that a step took, or has taken at `now` (ms). */
function stepSeconds(step: Step, now: number): number | null {
  if (step.seconds !== null) return step.seconds;
  return step.state === "running" && step.started ? (now - Date.parse(step.started)) / 1000 : null;
}

/** The steps of the flow in their order; a step that has begun leads to its place in the log. */
export function createStepList(
  feed: BuildFeed,
  showLog: (offset: number) => void,
  signal: AbortSignal,
): StepList {
  const list = element("ol", { class: "steps-list" });
  const none = element("p", { class: "steps-none" }, "The steps appear when the flow starts.");
  const panel = element(
    "div",
    { class: "steps", role: "group", "aria-label": "Steps" },
    element("div", { class: "bar" }, element("h3", {}, "Steps")),
    none,
    list,
  );
  const items = new Map<string, Item>();
  let runningId: string | null = null;

  list.addEventListener(
    "click",
    (event) => {
      const id = (event.target as Element).closest("li")?.dataset.id;
      const offset = id === undefined ? null : items.get(id)?.step.offset;
      if (typeof offset === "number") showLog(offset);
    },
    { signal },
  );

  function draw(step: Step): Item {
    const sign = STEP_SIGNS[step.state];
    const time = element("span", { class: "time" });
    const said = step.offset === null ? "div" : "button";
    const body = element(
      said,
      { class: "step", title: step.id, ...(said === "button" && { type: "button" }) },
      element("span", { class: "sign" }, icon(sign.icon), element("span", { class: "hidden" }, sign.word)),
      element("span", { class: "name" }, step.name),
      time,
    );
    const node = element("li", { "data-id": step.id, "data-state": step.state }, body);
    setAttribute(node, "aria-current", step.state === "running" && "step");
    return { node, time, step };
  }

  function tickItem({ step, time }: Item): void {
    const seconds = stepSeconds(step, feed.now());
    setText(time, seconds === null ? "" : formatSeconds(seconds));
  }

  /** Scrolls within the list only, never the notebook, and not under the reader's hands. */
  function bringIntoView(node: HTMLElement): void {
    if (list.matches(":hover") || list.matches(":focus-within")) return;
    const top = node.offsetTop; // the list is the offset parent
    if (top < list.scrollTop || top + node.offsetHeight > list.scrollTop + list.clientHeight)
      list.scrollTop = top - list.clientHeight / 2 + node.offsetHeight / 2;
  }

  function update(): void {
    const steps = feed.build?.steps ?? [];
    none.hidden = steps.length > 0;
    let place: ChildNode | null = list.firstChild;
    for (const step of steps) {
      let item = items.get(step.id);
      if (item?.step !== step) {
        const drawn = draw(step);
        if (place === item?.node) place = place?.nextSibling ?? null;
        const focused = item?.node.contains((list.getRootNode() as ShadowRoot).activeElement);
        item?.node.remove();
        list.insertBefore(drawn.node, place);
        if (focused) drawn.node.querySelector("button")?.focus();
        item = drawn;
        items.set(step.id, item);
      } else if (item.node === place) place = place.nextSibling;
      else list.insertBefore(item.node, place);
      tickItem(item);
    }
    const ids = new Set(steps.map((step) => step.id));
    for (const [id, item] of items) {
      if (ids.has(id)) continue;
      item.node.remove();
      items.delete(id);
    }
    const current =
      steps.find((step) => step.state === "running") ?? steps.find((step) => step.state === "failed");
    if (current && current.id !== runningId) {
      const item = items.get(current.id);
      if (item) bringIntoView(item.node);
      runningId = current.id;
    }
  }

  return {
    element: panel,
    update,
    tick: () => {
      for (const item of items.values()) if (item.step.state === "running") tickItem(item);
    },
  };
}
