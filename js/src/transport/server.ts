import type { StreamSink, Transport } from ".";
import type { Gateway } from "./gateway";
import { RequestError } from "./http";
import type { Artifact } from "./messages";
import { BuildStream } from "./stream";

const DIAGNOSIS_PATIENCE = 10_000; // ms

/** Path of a build below `api/a6hub/`, and of a thing of it; each part of the path is quoted. */
function buildPath(buildId: string, ...rest: string[]): string {
  return ["builds", buildId, ...rest.flatMap((part) => part.split("/"))].map(encodeURIComponent).join("/");
}

function streamPath(buildId: string, after: number, offset: number): string {
  const query = new URLSearchParams({ offset: String(offset) });
  // Without it the server begins at the present state, which its first message tells.
  if (after > 0) query.set("after", String(after));
  return `${buildPath(buildId, "stream")}?${query}`;
}

/**
 * To the Jupyter server through a gateway. The direct one works while the kernel is busy or gone; that of the kernel
 * serves pages which have no other.
 */
export class ServerTransport implements Transport {
  constructor(private readonly gateway: Gateway) {}

  stream(buildId: string, sink: StreamSink, signal: AbortSignal): void {
    new BuildStream(
      {
        open: (after, offset) => this.gateway.open(streamPath(buildId, after, offset)),
        diagnose: () => this.diagnose(buildId, signal),
        readLog: (from, to) => this.readLog(buildId, from, to, signal),
      },
      sink,
      signal,
    );
  }

  async readLog(buildId: string, from: number, to: number, signal?: AbortSignal): Promise<Uint8Array> {
    if (to <= from) return new Uint8Array();
    const response = await this.gateway.request(buildPath(buildId, "log"), {
      headers: { Range: `bytes=${from}-${to - 1}` },
      ...(signal && { signal }),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    // A proxy may ignore Range and hand out the whole log.
    return response.status === 206 ? bytes : bytes.subarray(from, to);
  }

  async cancel(buildId: string): Promise<void> {
    await this.gateway.request(buildPath(buildId, "cancel"), { method: "POST" });
  }

  retry(buildId: string): Promise<string> {
    return this.startAgain(buildId, "retry");
  }

  resume(buildId: string): Promise<string> {
    return this.startAgain(buildId, "resume");
  }

  async readArtifact(
    buildId: string,
    { path, size }: Artifact,
    limit: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    if (size === 0) return new Uint8Array(); // of nothing there is no range
    const response = await this.gateway.request(buildPath(buildId, "artifacts", path), {
      headers: { Range: `bytes=0-${limit - 1}` },
      ...(signal && { signal }),
    });
    return new Uint8Array(await response.arrayBuffer()).subarray(0, limit);
  }

  async artifacts(buildId: string, signal?: AbortSignal): Promise<readonly Artifact[]> {
    const response = await this.gateway.request(buildPath(buildId, "artifacts"), signal && { signal });
    const { artifacts } = await response.json();
    return Array.isArray(artifacts) ? artifacts : [];
  }

  async picture(buildId: string, signal?: AbortSignal): Promise<Blob> {
    const response = await this.gateway.request(buildPath(buildId, "picture"), signal && { signal });
    return response.blob();
  }

  async download(url: string): Promise<Blob> {
    return (await this.gateway.request(url.replace(/^relay:/, ""))).blob();
  }

  logUrl(buildId: string): string {
    return this.gateway.link(buildPath(buildId, "log"));
  }

  artifactUrl(buildId: string, path: string): string {
    return this.gateway.link(buildPath(buildId, "artifacts", path));
  }

  archiveUrl(buildId: string): string {
    return this.gateway.link(buildPath(buildId, "archive"));
  }

  private async startAgain(buildId: string, how: string): Promise<string> {
    const response = await this.gateway.request(buildPath(buildId, how), { method: "POST", body: "{}" });
    const { id } = await response.json();
    return String(id);
  }

  private async diagnose(buildId: string, signal: AbortSignal): Promise<string | null> {
    try {
      const patience = AbortSignal.any([signal, AbortSignal.timeout(DIAGNOSIS_PATIENCE)]);
      await this.gateway.request(buildPath(buildId), { signal: patience });
    } catch (reason) {
      const status = reason instanceof RequestError ? reason.status : 0;
      if (status === 404) return "The server knows no build with this id; it may have been deleted.";
      if (status === 401 || status === 403)
        return "You are not allowed to see this build; log in again or ask its owner.";
    }
    return null;
  }
}
