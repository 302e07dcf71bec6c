import type { View } from "./collect";

/** One entry of the layer list, as the server gives it; colours are `#rrggbb`. */
export interface LayerInfo {
  readonly layer: number;
  readonly datatype: number;
  readonly name: string;
  readonly fill: string;
  readonly frame: string;
  readonly visible: boolean;
  /** Rows of `*` and `.`, the uppermost first; without them the viewer chooses. */
  readonly stipple?: readonly string[] | null;
}

/** Where a scene and its layers are, and the headers to ask with. */
export interface SceneAddress {
  readonly scene: string;
  readonly layers: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the page says to the worker. */
export type Request =
  | { readonly type: "open"; readonly canvas: OffscreenCanvas; readonly address: SceneAddress }
  | { readonly type: "show"; readonly visible: readonly boolean[] }
  | {
      readonly type: "draw";
      readonly view: View;
      /** Device pixels. */
      readonly width: number;
      readonly height: number;
      /** Device pixels per CSS pixel. */
      readonly ratio: number;
      /** The view is being moved: speed before detail. */
      readonly moving: boolean;
    };

/** What a layout turned out to be. */
export interface Opened {
  readonly type: "opened";
  readonly layers: readonly LayerInfo[];
  readonly top: string;
  /** Database units per µm. */
  readonly unit: number;
  /** x1, y1, x2, y2 in database units. */
  readonly box: readonly [number, number, number, number];
  readonly note: string | undefined;
  /** Milliseconds for fetching, decoding and indexing. */
  readonly timing: { readonly fetch: number; readonly decode: number; readonly index: number };
}

/** What the worker says to the page. */
export type Answer =
  | Opened
  | { readonly type: "failed"; readonly message: string }
  | {
      readonly type: "drawn";
      readonly milliseconds: number;
      readonly moving: boolean;
      readonly simplified: boolean;
    };
