import { element, setChildren } from "../dom";
import { isAlive, type Step } from "../transport";
import type { BuildFeed } from "./feed";
import { groupSteps } from "./phases";
import { createStepGroup, type StepGroup } from "./step-group";
import { createStepItem, type StepItem } from "./step-item";

/** A flow up to this many steps is read as a plain list. */
const MOST_FLAT = 12;

export interface StepList {
  readonly element: HTMLElement;
  update(): void;
  tick(): void;
}

export interface StepActions {
  /** Shows where a step's output begins. */
  showStep(step: Step): void;
  /** Shows where a failed step says what went wrong. */
  showError(step: Step): void;
}

/** The step that a build is at: the one that runs or failed, or else the last that has begun. */
function currentStep(steps: readonly Step[]): Step | undefined {
  return (
    steps.find((step) => step.state === "running") ??
    steps.find((step) => step.state === "failed" || step.state === "stopped") ??
    steps.findLast((step) => step.state === "done")
  );
}

/** The steps of the flow in their order, by phases if they are many; a step that has begun leads to its output. */
export function createStepList(feed: BuildFeed, actions: StepActions, signal: AbortSignal): StepList {
  const list = element("ol", { class: "steps-list" });
  const none = element("p", { class: "steps-none" }, "The steps appear when the flow starts.");
  const panel = element(
    "div",
    { class: "steps", role: "group", "aria-label": "Steps" },
    element("div", { class: "bar" }, element("h3", {}, "Steps")),
    none,
    list,
  );
  const items = new Map<string, StepItem>();
  const groups = new Map<string, StepGroup>();
  let shownId: string | null = null;

  const stepOf = (id: string) => feed.build?.steps.find((step) => step.id === id);

  list.addEventListener(
    "click",
    (event) => {
      const body = (event.target as Element).closest(".step");
      const step = stepOf(body?.closest<HTMLElement>("li")?.dataset.id ?? "");
      if (step) actions.showStep(step);
    },
    { signal },
  );

  function itemOf(step: Step): StepItem {
    let item = items.get(step.id);
    if (!item) {
      item = createStepItem(step.id, () => {
        const failed = stepOf(step.id);
        if (failed) actions.showError(failed);
      });
      items.set(step.id, item);
    }
    const error = feed.build?.error;
    item.update(step, step.state === "failed" && error?.step === step.id ? error.message : null);
    return item;
  }

  function updateGroups(steps: readonly Step[], current: Step | undefined): Node[] {
    const shown = new Set<string>();
    const alive = feed.build !== null && isAlive(feed.build.state);
    const nodes = groupSteps(steps).map((one) => {
      let group = groups.get(one.key);
      if (!group) {
        group = createStepGroup(one.phase);
        groups.set(one.key, group);
      }
      shown.add(one.key);
      const here = one.steps.some((step) => step === current);
      const open =
        (alive && here) || one.steps.some((step) => step.state === "failed" || step.state === "stopped");
      group.update(one, one.steps.map(itemOf), open);
      return group.node;
    });
    for (const key of groups.keys()) if (!shown.has(key)) groups.delete(key);
    return nodes;
  }

  /** Scrolls within the list only, never the notebook, and not under the reader's hands. */
  function bringIntoView(node: HTMLElement): void {
    if (list.matches(":hover") || list.matches(":focus-within")) return;
    const top = node.getBoundingClientRect().top - list.getBoundingClientRect().top + list.scrollTop;
    if (top < list.scrollTop || top + node.offsetHeight > list.scrollTop + list.clientHeight)
      list.scrollTop = top - list.clientHeight / 2 + node.offsetHeight / 2;
  }

  function tick(): void {
    const now = feed.now();
    for (const item of items.values()) item.tick(now);
    for (const group of groups.values()) group.tick(now);
  }

  function update(): void {
    const steps = feed.build?.steps ?? [];
    none.hidden = steps.length > 0;
    const current = currentStep(steps);
    const flat = steps.length <= MOST_FLAT;
    setChildren(list, flat ? steps.map((step) => itemOf(step).node) : updateGroups(steps, current));
    if (flat) groups.clear();
    const ids = new Set(steps.map((step) => step.id));
    for (const id of items.keys()) if (!ids.has(id)) items.delete(id);
    // With times in, as they may be as wide as the name.
    for (const item of items.values()) item.tick(feed.now());
    for (const group of groups.values()) group.tick(feed.now());
    if (current && current.id !== shownId) {
      const item = items.get(current.id);
      if (item && current.state !== "done") bringIntoView(item.node);
      shownId = current.id;
    }
  }

  return { element: panel, update, tick };
}
