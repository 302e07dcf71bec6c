import type { Loading } from "./protocol";

// What is there within this time needs no progress; ms.
const PATIENCE = 1000;
const TICK = 500;

/** Says how far a layout has come that takes more than a second. */
export class Waiting {
  private readonly start = performance.now();
  private loading: Loading | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly tell: (text: string) => void) {}

  at(loading: Loading): void {
    this.loading = loading;
    this.timer ??= setInterval(() => this.show(), TICK);
  }

  end(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private show(): void {
    const { loading } = this;
    const waited = performance.now() - this.start;
    if (waited >= PATIENCE && loading) this.tell(`${waitingText(loading)} (${Math.round(waited / 1000)} s)`);
  }
}

export function waitingText({ stage, bytes }: Loading): string {
  const size = `${(bytes / 1e6).toFixed(1)} MB`;
  if (stage === "prepare") return "The server prepares the layout…";
  return stage === "receive" ? `Loading the layout… ${size}` : `Decoding the layout… ${size}`;
}
