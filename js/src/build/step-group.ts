import { element, setAttribute, setChildren, setText } from "../dom";
import { formatSeconds } from "../format";
import { icon } from "../icons";
import { groupState, PHASE_NAMES, type PhaseGroup } from "./phases";
import { createSign, type StepItem, stepSeconds } from "./step-item";

export interface StepGroup {
  readonly node: HTMLLIElement;
  update(group: PhaseGroup, items: readonly StepItem[], open: boolean): void;
  tick(now: number): void;
}

/** A phase with its steps; it opens and closes by itself until the reader says otherwise. */
export function createStepGroup(phase: PhaseGroup["phase"]): StepGroup {
  const sign = createSign();
  const count = element("span", { class: "of" });
  const time = element("span", { class: "time" });
  const head = element(
    "button",
    { type: "button", class: "phase", "aria-expanded": "false" },
    icon("chevron"),
    sign.node,
    element("span", { class: "name" }, PHASE_NAMES[phase]),
    count,
    time,
  );
  const list = element("ol", { class: "phase-steps" });
  const node = element("li", { class: "group" }, head, list);
  let group: PhaseGroup | null = null;
  let byReader: boolean | null = null;
  let wanted = false;

  function show(): void {
    const open = byReader ?? wanted;
    setAttribute(head, "aria-expanded", String(open));
    list.hidden = !open;
  }

  head.addEventListener("click", () => {
    byReader = Boolean(list.hidden);
    show();
  });

  return {
    node,
    update(next, items, open) {
      group = next;
      wanted = open;
      const state = groupState(next);
      node.dataset.state = state;
      sign.show(state);
      const done = next.steps.filter((step) => step.state === "done").length;
      const skipped = next.steps.filter((step) => step.state === "skipped").length;
      setText(count, skipped === next.steps.length ? "" : `${done}/${next.steps.length - skipped}`);
      setChildren(
        list,
        items.map((item) => item.node),
      );
      show();
    },
    tick(now) {
      const times = (group?.steps ?? []).map((step) => stepSeconds(step, now)).filter((one) => one !== null);
      setText(time, times.length ? formatSeconds(times.reduce((sum, one) => sum + one, 0)) : "");
    },
  };
}
