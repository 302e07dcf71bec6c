import type { LayerInfo } from "./protocol";

/** A net as a search finds it. */
export interface NetInfo {
  readonly name: string;
  /** DEF's word: SIGNAL, CLOCK, POWER, GROUND and others. */
  readonly use: string;
  readonly pins: number;
}

export interface InstanceInfo {
  readonly name: string;
  readonly cell: string;
  /** x1, y1, x2, y2 in µm. */
  readonly box: readonly [number, number, number, number];
}

export interface NetsFound {
  readonly nets: readonly NetInfo[];
  readonly net_count: number;
  readonly instances: readonly InstanceInfo[];
  readonly instance_count: number;
  readonly note: string | null;
}

/** A net with its shapes: x1, y1, x2, y2, … in µm for each of LEF's layers. */
export interface Net {
  readonly name: string;
  readonly use: string;
  readonly pin_count: number;
  readonly pins: readonly {
    readonly instance: string;
    readonly name: string;
    readonly cell: string | null;
  }[];
  readonly layers: readonly { readonly name: string; readonly boxes: readonly number[] }[];
  readonly note: string | null;
}

export interface PlaceInfo {
  readonly nets: readonly { readonly name: string; readonly use: string; readonly layer: string }[];
  readonly instances: readonly { readonly name: string; readonly cell: string }[];
}

/** Asks the server about nets and instances; every method throws an Error with a sentence for people. */
export class NetSource {
  constructor(
    private readonly base: string,
    private readonly get: (url: string) => Promise<Response>,
  ) {}

  search(text: string, limit: number): Promise<NetsFound> {
    return this.ask(`nets?text=${encodeURIComponent(text)}&limit=${limit}`);
  }

  net(name: string): Promise<Net> {
    return this.ask(`net?name=${encodeURIComponent(name)}`);
  }

  /** What is at a place, µm. */
  at(x: number, y: number): Promise<PlaceInfo> {
    return this.ask(`place?x=${x}&y=${y}`);
  }

  private async ask<Answer>(path: string): Promise<Answer> {
    return (await (await this.get(this.base + path)).json()) as Answer;
  }
}

/** LEF's name of a layer, from what the PDK's layer properties call it: `met1.drawing` is `met1`. */
export const lefName = ({ name }: Pick<LayerInfo, "name">) => (name.split(".")[0] ?? "").toLowerCase();

/** The net that a shape on `layer` belongs to; where layers have no names, it must be the only one at the place. */
export function netOf({ nets }: PlaceInfo, layer: LayerInfo): string | undefined {
  const nameless = /^\d+\/\d+$/.test(layer.name);
  const names = new Set(
    nets.filter((net) => nameless || net.layer.toLowerCase() === lefName(layer)).map(({ name }) => name),
  );
  return names.size === 1 ? [...names][0] : undefined;
}
