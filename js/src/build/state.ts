import type { Build, BuildMessage, Step } from "../transport";

function withStep(steps: readonly Step[], step: Step): readonly Step[] {
  const at = steps.findIndex((one) => one.id === step.id);
  return at < 0 ? [...steps, step] : steps.with(at, step);
}

/** The build after a message; null until the first whole build has come. */
export function applyMessage(build: Build | null, message: BuildMessage): Build | null {
  if (message.type === "status" || message.type === "complete") return message.data;
  if (!build) return null;
  switch (message.type) {
    case "step":
      return { ...build, steps: withStep(build.steps, message.data) };
    case "progress":
      return { ...build, ...message.data };
    case "metric":
      return { ...build, metrics: { ...build.metrics, ...message.data } };
    default:
      return build;
  }
}
