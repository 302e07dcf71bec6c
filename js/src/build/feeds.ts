import type { Transport } from "../transport";
import { BuildFeed } from "./feed";

interface Shared {
  readonly feed: BuildFeed;
  readonly end: AbortController;
  users: number;
}

/** Gives all views of one build the same feed, so that a page has one connection per build. */
export class BuildFeeds {
  private readonly shared = new Map<string, Shared>();

  constructor(private readonly transport: Transport) {}

  /** The build's feed, until `signal` aborts; the connection ends with its last user. */
  join(buildId: string, signal: AbortSignal): BuildFeed {
    const one = this.shared.get(buildId) ?? this.begin(buildId);
    one.users += 1;
    signal.addEventListener("abort", () => this.leave(buildId, one), { once: true });
    return one.feed;
  }

  private begin(buildId: string): Shared {
    const end = new AbortController();
    const one = { feed: new BuildFeed(this.transport, buildId, end.signal), end, users: 0 };
    this.shared.set(buildId, one);
    this.transport.stream(buildId, one.feed, end.signal);
    return one;
  }

  private leave(buildId: string, one: Shared): void {
    one.users -= 1;
    if (one.users > 0) return;
    one.end.abort();
    this.shared.delete(buildId);
  }
}
