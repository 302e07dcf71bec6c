import type { Artifact, Build, BuildMessage, Step, StreamSink, Transport } from "../transport";

/** A step for tests. */
export function sampleStep(id: string, state: Step["state"], more: Partial<Step> = {}): Step {
  const name = id.slice(id.indexOf(".") + 1);
  return { id, name, state, started: null, finished: null, seconds: null, offset: null, ...more };
}

/** A running build for tests. */
export function sampleBuild(more: Partial<Build> = {}): Build {
  return {
    id: "b1",
    state: "running",
    design: { name: "counter", directory: "course/counter" },
    flow: "Express",
    pdk: "sky130A",
    scl: "sky130_fd_sc_hd",
    pdk_note: "functional, estimated delays",
    toolchain: "express",
    toolchain_reason: "It runs Express.",
    executor: "local",
    created: "2026-11-23T12:00:00.000Z",
    started: "2026-11-23T12:00:00.000Z",
    finished: null,
    progress: 40,
    current_step: "Yosys.Synthesis",
    completed_steps: ["Verilator.Lint"],
    steps: [
      sampleStep("Verilator.Lint", "done", { seconds: 0.42, offset: 0 }),
      sampleStep("Yosys.Synthesis", "running", { started: "2026-11-23T12:00:10.000Z", offset: 120 }),
      sampleStep("Yosys.EQY", "skipped"),
      sampleStep("Express.Place", "pending"),
    ],
    metrics: {},
    error: null,
    exit_code: null,
    queue_position: null,
    queue_reason: null,
    run_directory: "course/counter/runs/b1",
    log_size: 0,
    seq: 1,
    has_picture: false,
    has_layout: false,
    config: { CLOCK_PERIOD: 10 },
    ...more,
  };
}

/** A transport that the test plays the server of. */
export class SampleTransport implements Transport {
  readonly sinks = new Map<string, StreamSink>();
  readonly signals: AbortSignal[] = [];
  cancelled: string[] = [];
  answerCancel: () => Promise<void> = async () => {};
  files: Artifact[] = [];

  stream(buildId: string, sink: StreamSink, signal: AbortSignal): void {
    this.sinks.set(buildId, sink);
    this.signals.push(signal);
  }

  /** Sends a message to the reader of a build. */
  say(message: BuildMessage, buildId = "b1"): void {
    this.sinks.get(buildId)?.onMessage(message);
  }

  async readLog(): Promise<Uint8Array> {
    return new Uint8Array();
  }

  cancel(buildId: string): Promise<void> {
    this.cancelled.push(buildId);
    return this.answerCancel();
  }

  async retry(): Promise<string> {
    return "b2";
  }

  async resume(): Promise<string> {
    return "b3";
  }

  async readArtifact(_buildId: string, { path }: Artifact): Promise<Uint8Array> {
    return new TextEncoder().encode(`The text of ${path}`);
  }

  async artifacts(): Promise<readonly Artifact[]> {
    return this.files;
  }

  async picture(): Promise<Blob> {
    return new Blob(['<svg xmlns="http://www.w3.org/2000/svg"/>'], { type: "image/svg+xml" });
  }

  async download(url: string): Promise<Blob> {
    return new Blob([`The content of ${url}`]);
  }

  logUrl(buildId: string): string {
    return `/builds/${buildId}/log`;
  }

  archiveUrl(buildId: string): string {
    return `/builds/${buildId}/archive`;
  }

  artifactUrl(buildId: string, path: string): string {
    return `/builds/${buildId}/artifacts/${path}`;
  }
}
