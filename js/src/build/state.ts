import { type Build, type BuildMessage, readBuild, readStep, type Step } from "../transport";

function withStep(steps: readonly Step[], step: Step): readonly Step[] {
  const at = steps.findIndex((one) => one.id === step.id);
  return at < 0 ? [...steps, step] : steps.with(at, step);
}

/** The build after a message; null until the first whole build has come. */
export function applyMessage(build: Build | null, message: BuildMessage): Build | null {
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
