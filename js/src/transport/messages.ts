/** States of a build; the first three are alive, the others final. */
export type BuildState =
  | "queued"
  | "starting"
  | "running"
  | "succeeded"
  | "failed"
  | "cancelled"
  | "timed_out"
  | "lost";

/** `stopped` is no word of the server's: a step that ended with its build, which somebody or something stopped. */
export type StepState = "pending" | "running" | "done" | "failed" | "skipped" | "stopped";

/** One step of a flow. Times are ISO 8601 in UTC, `offset` is the console byte where the step began. */
export interface Step {
  readonly id: string;
  readonly name: string;
  readonly state: StepState;
  readonly started: string | null;
  readonly finished: string | null;
  readonly seconds: number | null;
  readonly offset: number | null;
}

export interface BuildError {
  readonly message: string;
  readonly step?: string | null;
  readonly detail?: string | null;
}

export interface Command {
  readonly argv: readonly string[];
  readonly directory: string;
  /** What the toolchain has put into the environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Text that runs the same again in a terminal. */
  readonly shell?: string;
}

/** A build as the server tells it (`GET builds/{id}`, and in `status` and `complete`). */
export interface Build {
  readonly id: string;
  readonly state: BuildState;
  readonly design: { readonly name: string; readonly directory: string };
  readonly flow: string;
  readonly pdk: string;
  readonly scl: string | null;
  readonly pdk_note: string | null;
  readonly toolchain: string;
  /** Why this one, where the request left that open. */
  readonly toolchain_reason: string | null;
  readonly executor: string;
  readonly created: string;
  readonly started: string | null;
  readonly finished: string | null;
  readonly progress: number;
  readonly current_step: string | null;
  readonly completed_steps: readonly string[];
  readonly steps: readonly Step[];
  readonly metrics: Readonly<Record<string, unknown>>;
  readonly error: BuildError | null;
  readonly exit_code: number | null;
  readonly queue_position: number | null;
  readonly queue_reason: string | null;
  readonly run_directory: string;
  readonly log_size: number;
  readonly seq: number;
  readonly has_picture: boolean;
  readonly has_layout: boolean;
  /** LibreLane's variables as they were given; absent from servers before 0.1. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** How LibreLane was started; absent from servers before 0.2, null until it is. */
  readonly command?: Command | null;
  /** Seconds that the rest is expected to take, and from what that is known. */
  readonly eta_seconds?: number | null;
  readonly eta_basis?: string | null;
}

export interface Artifact {
  readonly path: string;
  readonly size: number;
  readonly modified: string;
}

/** Bytes `offset` up to `end` of the console, as text. */
export interface LogPiece {
  readonly offset: number;
  readonly end: number;
  readonly text: string;
}

export interface Progress {
  readonly progress: number;
  readonly current_step: string | null;
  readonly completed_steps: readonly string[];
  /** As it was when the message was made; absent from servers before 0.2. */
  readonly eta_seconds?: number | null;
}

interface Envelope<Type extends string, Data> {
  readonly type: Type;
  readonly data: Data;
  readonly timestamp?: string;
  readonly seq?: number;
}

/** What tells of the build; each comes with a `seq`. */
export type BuildMessage =
  | Envelope<"status", Build>
  | Envelope<"complete", Build>
  | Envelope<"step", Step>
  | Envelope<"progress", Progress>
  | Envelope<"metric", Readonly<Record<string, unknown>>>
  | Envelope<"error", { readonly message: string }>;

export type StreamMessage = BuildMessage | Envelope<"log", LogPiece> | Envelope<"pong", unknown>;

const KNOWN: ReadonlySet<string> = new Set<StreamMessage["type"]>([
  "status",
  "complete",
  "step",
  "progress",
  "metric",
  "error",
  "log",
  "pong",
]);

/** The message in a frame, or null for one that this version does not know. */
export function parseMessage(frame: unknown): StreamMessage | null {
  if (typeof frame !== "string") return null;
  try {
    const message = JSON.parse(frame);
    const known = KNOWN.has(message?.type) && (message.type === "pong" || message.data instanceof Object);
    return known ? message : null;
  } catch {
    return null;
  }
}

export function isAlive(state: BuildState): boolean {
  return state === "queued" || state === "starting" || state === "running";
}
