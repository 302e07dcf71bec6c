import { expect, test } from "vitest";
import { readBuild, readStep } from "./read-build";

test.each([[null], ["text"], [[]], [{}], [{ id: "b" }], [{ id: 1, state: "running" }]])(
  "%j is no build",
  (data) => expect(readBuild(data)).toBeNull(),
);

test("what is left out, or of another kind, is taken as not known", () => {
  const build = readBuild({
    id: "b",
    state: "running",
    steps: [{ id: "A.B", state: "done" }, { name: "no id" }, null],
    metrics: ["no", "names"],
    progress: "half",
    design: { name: "counter" },
    newer: 1,
  });
  expect(build).toMatchObject({
    flow: "",
    metrics: {},
    progress: 0,
    queue_position: null,
    design: { name: "counter", directory: "" },
    newer: 1,
  });
  expect(build?.steps).toEqual([
    { id: "A.B", name: "", state: "done", started: null, finished: null, seconds: null, offset: null },
  ]);
});

test("a whole one stays as it is", () => {
  const step = { id: "A.B", name: "B", state: "done", started: "s", finished: "f", seconds: 1, offset: 0 };
  expect(readStep(step)).toEqual(step);
  expect(readBuild({ id: "b", state: "failed", error: { message: "no" }, config: { A: 1 } })).toMatchObject({
    error: { message: "no" },
    config: { A: 1 },
  });
});
