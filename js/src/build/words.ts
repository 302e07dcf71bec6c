import type { IconName } from "../icons";
import { type Build, type BuildState, type ConnectionState, isAlive, type StepState } from "../transport";

interface Sign {
  readonly icon: IconName;
  readonly word: string;
}

const BUILD_SIGNS: Readonly<Record<BuildState, Sign>> = {
  queued: { icon: "clock", word: "Queued" },
  starting: { icon: "ring", word: "Starting" },
  running: { icon: "ring", word: "Running" },
  succeeded: { icon: "check", word: "Succeeded" },
  failed: { icon: "cross", word: "Failed" },
  cancelled: { icon: "stop", word: "Cancelled" },
  timed_out: { icon: "clock", word: "Timed out" },
  lost: { icon: "warning", word: "Lost" },
};

const STEP_SIGNS: Readonly<Record<StepState, Sign>> = {
  pending: { icon: "circle", word: "pending" },
  running: { icon: "ring", word: "running" },
  done: { icon: "check", word: "done" },
  failed: { icon: "cross", word: "failed" },
  skipped: { icon: "dash", word: "skipped" },
  stopped: { icon: "stop", word: "stopped" },
};

/** A state's picture and word; one of a later version stands for itself. */
export function buildSign(state: BuildState): Sign {
  return BUILD_SIGNS[state] ?? { icon: "dash", word: String(state) };
}

export function stepSign(state: StepState): Sign {
  return STEP_SIGNS[state] ?? { icon: "circle", word: String(state) };
}

export const CONNECTION_SIGNS: Readonly<Record<ConnectionState, Sign>> = {
  connecting: { icon: "refresh", word: "Connecting" },
  live: { icon: "link", word: "Live" },
  busy: { icon: "link", word: "Live, kernel busy" },
  waiting: { icon: "clock", word: "Waiting for the kernel" },
  reconnecting: { icon: "refresh", word: "Reconnecting" },
  closed: { icon: "broken", word: "Closed" },
};

/** Why there is nothing to see yet, or why the build ended; null when the state says it all. */
export function explain(build: Build): string | null {
  switch (build.state) {
    case "queued": {
      const place = build.queue_position === null ? "Waiting" : `Number ${build.queue_position} in the queue`;
      return `${place}. ${build.queue_reason ?? ""}`.trim();
    }
    case "starting":
      return "The tools are being started.";
    case "lost":
      return build.error ? null : "The process of this build is gone without a result.";
    case "timed_out":
      return build.error ? null : "The build was stopped at its time limit.";
    default:
      return null;
  }
}

/** What a screen reader is told when a build moves on; the same words while nothing of note changed. */
export function announcement(build: Build): string {
  const running = build.steps.findIndex((step) => step.state === "running");
  const step = build.steps[running];
  if (build.state === "running" && step) return `Step ${running + 1} of ${build.steps.length}: ${step.name}`;
  return `Build ${buildSign(build.state).word.toLowerCase()}`;
}

/** How many steps are behind, of those that are to run. */
export function stepCount({ steps, state }: Build): string {
  if (!steps.length) return "";
  const done = steps.filter((step) => step.state === "done").length;
  const skipped = steps.filter((step) => step.state === "skipped").length;
  // After a bad end, what was left out on purpose and what was not reached look the same.
  if (!isAlive(state) && state !== "succeeded") return done === 1 ? "1 step done" : `${done} steps done`;
  return `${done} of ${steps.length - skipped} steps`;
}
