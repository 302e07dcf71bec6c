import type { Artifact, BuildMessage, LogPiece } from "./messages";

export { DirectGateway, type Gateway } from "./gateway";
export type * from "./messages";
export { isAlive } from "./messages";
export { readBuild, readStep } from "./read-build";
export { type RelayGateway, relayOf } from "./relay";
export { ServerTransport } from "./server";

/**
 * `live` receives; `busy` receives too, but the kernel that carries our requests is at work; `waiting` waits for that
 * kernel; `connecting` and `reconnecting` try; `closed` is final.
 */
export type ConnectionState = "connecting" | "live" | "busy" | "waiting" | "reconnecting" | "closed";

export interface Connection {
  readonly state: ConnectionState;
  /** What to tell the reader; null when there is nothing to say. */
  readonly sentence: string | null;
}

/** Receives one build's stream: each event and each console byte once and in order, over any reconnects. */
export interface StreamSink {
  onMessage(message: BuildMessage): void;
  onLog(piece: LogPiece): void;
  /** So much was missed that the log goes on at `offset`; what lies before is there to be fetched. */
  onLogSkipped(offset: number): void;
  onConnection(connection: Connection): void;
}

/** The way to the truth about builds. Promises reject with an Error whose message is a sentence to show. */
export interface Transport {
  /** Streams into `sink` until the build ends or `signal` aborts. */
  stream(buildId: string, sink: StreamSink, signal: AbortSignal): void;
  /** Console bytes `from` up to `to`. */
  readLog(buildId: string, from: number, to: number, signal?: AbortSignal): Promise<Uint8Array>;
  cancel(buildId: string): Promise<void>;
  /** Starts a new build with the same request and gives its id. */
  retry(buildId: string): Promise<string>;
  /** Starts a build that goes on where this one failed, and gives its id. */
  resume(buildId: string): Promise<string>;
  artifacts(buildId: string, signal?: AbortSignal): Promise<readonly Artifact[]>;
  /** The first bytes of a file, at most `limit` of them. */
  readArtifact(buildId: string, artifact: Artifact, limit: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** The picture of the layout (PNG). */
  picture(buildId: string, signal?: AbortSignal): Promise<Blob>;
  /** What a link to `url` leads to, where a browser cannot follow it by itself (`relay:`). */
  download(url: string): Promise<Blob>;
  logUrl(buildId: string): string;
  artifactUrl(buildId: string, path: string): string;
  /** All files in one, as a zip. */
  archiveUrl(buildId: string): string;
}
