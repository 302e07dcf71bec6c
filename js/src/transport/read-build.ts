import type { Build, Step } from "./messages";

// What a build is taken to be where a server leaves it out: an older one, or one that knows better.
const MISSING: Omit<Build, "id" | "state"> = {
  design: { name: "Build", directory: "" },
  flow: "",
  pdk: "",
  scl: null,
  pdk_note: null,
  toolchain: "",
  toolchain_reason: null,
  executor: "",
  created: "",
  started: null,
  finished: null,
  progress: 0,
  current_step: null,
  completed_steps: [],
  steps: [],
  metrics: {},
  error: null,
  exit_code: null,
  queue_position: null,
  queue_reason: null,
  run_directory: "",
  log_size: 0,
  seq: 0,
  has_picture: false,
  has_layout: false,
};

const MISSING_IN_STEP: Omit<Step, "id"> = {
  name: "",
  state: "pending",
  started: null,
  finished: null,
  seconds: null,
  offset: null,
};

type Fields = Readonly<Record<string, unknown>>;

/** `data` with `defaults` where it has nothing, or something of another kind. */
function complete<Defaults extends object>(data: Fields, defaults: Defaults): Defaults & Fields {
  const whole: Record<string, unknown> = { ...data };
  for (const [name, value] of Object.entries(defaults)) {
    const given = data[name];
    const fits =
      value === null || (typeof given === typeof value && Array.isArray(given) === Array.isArray(value));
    if (given === undefined || (given === null && value !== null) || !fits) whole[name] = value;
  }
  return whole as Defaults & Fields;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A step as a server tells it, whole; null if it has no id. */
export function readStep(data: unknown): Step | null {
  if (!isObject(data) || typeof data.id !== "string") return null;
  return complete(data, MISSING_IN_STEP) as unknown as Step;
}

/** A build as a server tells it, whole; null if what came is no build. */
export function readBuild(data: unknown): Build | null {
  if (!isObject(data) || typeof data.id !== "string" || typeof data.state !== "string") return null;
  const build = complete(data, MISSING) as unknown as Build;
  const steps = build.steps.map(readStep).filter((step) => step !== null);
  return { ...build, steps, design: complete({ ...build.design }, MISSING.design) };
}
