import type { CellInfo } from "./cells";
import type { View } from "./collect";
import type { MarkerList } from "./markers";
import type { Hit, Snap } from "./probe";

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

/** The list of layers as the server gives it. */
export interface LayerList {
  readonly layers?: readonly LayerInfo[];
  readonly top?: string;
  readonly note?: string | null;
}

/** Where a scene, its layers and its markers are, and the headers to ask with; in a saved page they are at hand. */
export interface SceneAddress {
  readonly scene: string | Uint8Array;
  readonly layers: string | LayerList;
  readonly markers?: string | MarkerList | undefined;
  /** What the server answers about nets begins with this; without it there are none. */
  readonly nets?: string | undefined;
  /** Another layout to compare with. */
  readonly other?: Pick<SceneAddress, "scene" | "layers"> | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** Of two layouts: this one, the other one, or where they differ. */
export type Comparing = "first" | "second" | "difference";

/** What is drawn, apart from the layers. */
export interface Options {
  readonly fills: boolean;
  readonly labels: boolean;
  /** Levels of the hierarchy that are drawn; 0 is all. */
  readonly depth: number;
  /** Cells that are left out, as indices of the list of cells. */
  readonly hidden: readonly number[];
  /** Which of two layouts, where there are two. */
  readonly comparing: Comparing;
}

/** What the page wants to know; the answer has the same number. Positions and distances in database units. */
export type Question =
  | { readonly type: "pick"; readonly x: number; readonly y: number; readonly radius: number }
  | { readonly type: "snap"; readonly x: number; readonly y: number; readonly radius: number }
  | { readonly type: "cells" }
  | { readonly type: "find"; readonly cell: number; readonly limit: number }
  | { readonly type: "picture" };

/** What it gets. */
export interface Replies {
  readonly pick: Hit[];
  readonly snap: Snap | undefined;
  readonly cells: { readonly cells: CellInfo[]; readonly top: number };
  readonly find: Float64Array;
  readonly picture: ImageBitmap;
}

/** What the page says to the worker. */
export type Request =
  | { readonly type: "open"; readonly canvas: OffscreenCanvas | undefined; readonly address: SceneAddress }
  | { readonly type: "show"; readonly visible: readonly boolean[] }
  | { readonly type: "options"; readonly options: Options }
  | { readonly type: "ask"; readonly number: number; readonly question: Question }
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
  /** There is another layout to compare with. */
  readonly compared: boolean;
  /** Milliseconds for fetching, decoding and indexing. */
  readonly timing: { readonly fetch: number; readonly decode: number; readonly index: number };
}

/** How far opening has come: the server prepares the scene, its bytes come in, or it is decoded. */
export interface Loading {
  readonly stage: "prepare" | "receive" | "decode";
  /** Of the scene, so far. */
  readonly bytes: number;
}

/** What the worker says to the page. */
export type Answer =
  | Opened
  | ({ readonly type: "loading" } & Loading)
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "reply"; readonly number: number; readonly reply: unknown }
  | Drawn;

/** A view is shown. */
export interface Drawn {
  readonly type: "drawn";
  readonly view: View;
  readonly milliseconds: number;
  readonly moving: boolean;
  readonly simplified: boolean;
}
