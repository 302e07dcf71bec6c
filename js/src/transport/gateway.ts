import type { ServerAddress } from "../context";
import { apiUrl, request } from "./http";

export interface RequestOptions {
  readonly method?: "GET" | "POST";
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/** What of a WebSocket the stream uses. */
export interface StreamSocket {
  readonly readyState: number;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  /** Whoever carries what we say has no time now, or has again; `asked` if something waits for it. */
  onbusy?: ((busy: boolean, asked: boolean) => void) | null;
  send(data: string): void;
  close(): void;
}

/** How a page reaches the API of the server. Paths are below `api/a6hub/`, quoted. */
export interface Gateway {
  /** The answer, if it is a good one; else throws a RequestError. */
  request(path: string, options?: RequestOptions): Promise<Response>;
  open(path: string): StreamSocket;
  /** An address for links; those of `relay:` are fetched with `request`. */
  link(path: string): string;
}

/** Straight to the server that the page came from. */
export class DirectGateway implements Gateway {
  constructor(private readonly server: ServerAddress) {}

  request(path: string, options: RequestOptions = {}): Promise<Response> {
    return request(this.server, path, options);
  }

  open(path: string): StreamSocket {
    const url = new URL(apiUrl(this.server, path));
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    // Hubs may forbid cookies on websockets, and a browser cannot set headers on one.
    if (this.server.token) url.searchParams.set("token", this.server.token);
    return new WebSocket(url.href);
  }

  link(path: string): string {
    return apiUrl(this.server, path);
  }
}
