import { type Build, type BuildMessage, type BuildState, readBuild, readStep, type Step } from "../transport";

function withStep(steps: readonly Step[], step: Step): readonly Step[] {
  const at = steps.findIndex((one) => one.id === step.id);
  return at < 0 ? [...steps, step] : steps.with(at, step);
}

const STOPPED: readonly BuildState[] = ["cancelled", "timed_out", "lost"];

/** No step of a build that was stopped has failed by itself, unless the build's error names it. */
function withStopped(build: Build): Build {
  if (!STOPPED.includes(build.state)) return build;
  const steps = build.steps.map((step) =>
    step.state === "failed" && step.id !== build.error?.step ? { ...step, state: "stopped" as const } : step,
  );
  return { ...build, steps };
}

/** The build after a message; null until the first whole build has come. */
export function applyMessage(build: Build | null, message: BuildMessage): Build | null {
  const next = afterMessage(build, message);
  return next && withStopped(next);
}

function afterMessage(build: Build | null, message: BuildMessage): Build | null {
  if (message.type === "status" || message.type === "complete") return readBuild(message.data) ?? build;
  if (!build) return null;
  switch (message.type) {
    case "step": {
      const step = readStep(message.data);
      return step ? { ...build, steps: withStep(build.steps, step) } : build;
    }
    case "progress":
      return { ...build, ...message.data };
    case "metric":
      return { ...build, metrics: { ...build.metrics, ...message.data } };
    default:
      return build;
  }
}
