const INTERVAL = 20_000; // ms between pings; proxies drop what is silent for 60 s
const PATIENCE = 10_000; // ms without any frame after a ping: the connection is dead

/** Pings, and finds connections that are dead without having closed. */
export class Heartbeat {
  private interval: ReturnType<typeof setInterval> | undefined;
  private deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly ping: () => void,
    private readonly dead: () => void,
  ) {}

  start(): void {
    this.stop();
    this.interval = setInterval(() => this.beat(), INTERVAL);
  }

  beat(): void {
    this.ping();
    this.deadline ??= setTimeout(() => {
      this.deadline = undefined;
      this.dead();
    }, PATIENCE);
  }

  heard(): void {
    clearTimeout(this.deadline);
    this.deadline = undefined;
  }

  stop(): void {
    clearInterval(this.interval);
    this.heard();
  }
}
