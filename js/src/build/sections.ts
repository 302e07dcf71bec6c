import type { LogSection } from "../log/tools";
import type { Build } from "../transport";

/** The parts of a console that its steps wrote, in their order; the last goes on. */
export function logSections(build: Build | null): LogSection[] {
  const begun = (build?.steps ?? []).flatMap(({ id, name, offset }) =>
    typeof offset === "number" ? [{ id, name, offset }] : [],
  );
  begun.sort((a, b) => a.offset - b.offset);
  return begun.map(({ id, name, offset }, at) => ({
    id,
    name,
    range: { from: offset, to: begun[at + 1]?.offset ?? null },
  }));
}

export function sectionOf(build: Build | null, stepId: string): LogSection | undefined {
  return logSections(build).find((section) => section.id === stepId);
}
