import { element, setAttribute, setText } from "../dom";
import { formatSeconds } from "../format";
import { icon } from "../icons";
import type { Step } from "../transport";
import { isChecker } from "./phases";
import { stepSign } from "./words";

/** Seconds that a step took, or has taken at `now` (ms); null before its start. */
export function stepSeconds(step: Step, now: number): number | null {
  if (step.seconds !== null) return step.seconds;
  if (step.state !== "running" || !step.started) return null;
  const seconds = (now - Date.parse(step.started)) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}

/** A sign for the eye and the same in a word for the ear. */
export function createSign(): { node: HTMLElement; show(state: Step["state"]): void } {
  const node = element("span", { class: "sign" });
  return {
    node,
    show(state) {
      if (node.dataset.state === state) return;
      node.dataset.state = state;
      const sign = stepSign(state);
      node.replaceChildren(icon(sign.icon), element("span", { class: "hidden" }, sign.word));
    },
  };
}

export interface StepItem {
  readonly node: HTMLLIElement;
  /** `problem` is what went wrong in this step, if it is the one that failed the build. */
  update(step: Step, problem: string | null): void;
  tick(now: number): void;
}

/** One step as an entry of a list; it changes in place, so that focus stays. */
export function createStepItem(id: string, showError: () => void): StepItem {
  const sign = createSign();
  const name = element("span", { class: "name" });
  const time = element("span", { class: "time" });
  const body = element("button", { type: "button", class: "step", title: id }, sign.node, name, time);
  const node = element("li", { "data-id": id }, body);
  let step: Step | null = null;
  let shownProblem: string | null = null;

  function updateProblem(problem: string | null): void {
    if (problem === shownProblem) return;
    shownProblem = problem;
    node.querySelector(".step-problem")?.remove();
    if (!problem) return;
    const show = element("button", { type: "button", class: "quiet" }, icon("down"), "Show in the log");
    show.addEventListener("click", showError);
    show.hidden = step?.offset === null;
    node.append(element("div", { class: "step-problem" }, element("p", {}, problem), show));
  }

  function tick(now: number): void {
    const seconds = step && stepSeconds(step, now);
    setText(time, seconds === null ? "" : formatSeconds(seconds));
  }

  return {
    node,
    update(next, problem) {
      step = next;
      sign.show(next.state);
      setText(name, next.name || next.id);
      node.dataset.state = next.state;
      node.classList.toggle("checker", isChecker(next));
      setAttribute(node, "aria-current", next.state === "running" && "step");
      body.disabled = next.offset === null;
      updateProblem(problem);
    },
    tick,
  };
}
