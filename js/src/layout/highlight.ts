import { type NetPanel, netPanel } from "./net-panel";
import { type InstanceInfo, lefName, type Net, NetSource, type PlaceInfo } from "./nets";
import type { Lit } from "./overlay";
import type { LayerInfo } from "./protocol";
import type { Extent } from "./viewport";

// For layers that the layout does not name, and on any of its colours.
const PLAIN = "#ffd866";

export interface HighlightEvents {
  /** Draw these over the dimmed picture; undefined is none. */
  draw(lit: readonly Lit[] | undefined): void;
  /** Go to a box, µm. */
  go(box: Extent): void;
  /** The net with this name is highlighted; "" is none. */
  told(name: string): void;
}

/** The highlighted net, and the panel that chooses it. */
export class Highlight {
  name = "";
  private readonly source: NetSource | undefined;
  private panel: NetPanel | undefined;
  private shown: Net | string | undefined;

  constructor(
    nets: string | undefined,
    ask: (url: string) => Promise<Response>,
    private readonly layers: () => readonly LayerInfo[],
    private readonly events: HighlightEvents,
  ) {
    this.source = nets ? new NetSource(nets, ask) : undefined;
  }

  get possible(): boolean {
    return this.source !== undefined;
  }

  element(): HTMLElement {
    this.panel = netPanel(this.source as NetSource, {
      highlight: (name) => void this.light(name ?? "", true),
      go: ({ box }: InstanceInfo) => this.events.go(box),
    });
    this.panel.shown(this.shown);
    return this.panel.element;
  }

  /** Highlight a net, "" is none; `told` when Python does not know of it yet. */
  async light(name: string, tell: boolean): Promise<void> {
    this.name = name;
    if (tell) this.events.told(name);
    let shown: Net | string | undefined;
    if (name)
      try {
        if (!this.source) throw new Error("Nets are known for the layouts of builds alone.");
        shown = await this.source.net(name);
      } catch (error) {
        shown = error instanceof Error ? error.message : String(error);
      }
    if (name !== this.name) return;
    this.shown = shown;
    this.panel?.shown(shown);
    this.events.draw(typeof shown === "object" ? this.lit(shown) : undefined);
    const first = typeof shown === "object" ? extent(shown) : undefined;
    if (first && !tell) this.events.go(first);
  }

  /** What is at a place, µm; undefined when nobody knows. */
  async at(x: number, y: number): Promise<PlaceInfo | undefined> {
    try {
      return await this.source?.at(x, y);
    } catch {
      return undefined;
    }
  }

  private lit(net: Net): Lit[] {
    const layers = this.layers();
    const rank = (name: string) => layers.findIndex((layer) => lefName(layer) === name.toLowerCase());
    return net.layers
      .map(({ name, boxes }) => ({ rank: rank(name), boxes }))
      .sort((one, other) => one.rank - other.rank)
      .map(({ rank: at, boxes }) => ({ colour: layers[at]?.fill ?? PLAIN, boxes }));
  }
}

/** The box around a net, µm. */
function extent({ layers }: Net): Extent | undefined {
  let [x1, y1, x2, y2] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, -1e300, -1e300];
  for (const { boxes } of layers)
    for (let i = 0; i < boxes.length; i += 4) {
      x1 = Math.min(x1, boxes[i] as number);
      y1 = Math.min(y1, boxes[i + 1] as number);
      x2 = Math.max(x2, boxes[i + 2] as number);
      y2 = Math.max(y2, boxes[i + 3] as number);
    }
  return x1 <= x2 ? [x1, y1, x2, y2] : undefined;
}
