import { get } from "./load";
import type { Mark } from "./overlay";
import type { SceneAddress } from "./protocol";

export interface Category {
  readonly name: string;
  readonly description: string;
  /** The report that it comes from. */
  readonly report: string;
  readonly count: number;
}

/** Markers as the server gives them; positions in µm. */
export interface MarkerList {
  readonly categories: readonly Category[];
  /** Category, 0 box, 1 polygon, 2 line, corners x, y, …, and what is written beside it. */
  readonly markers: readonly (readonly [number, number, readonly number[], string?])[];
  readonly note?: string | null;
}

export interface Marker extends Mark {
  readonly category: number;
  readonly text: string;
}

export interface Markers {
  readonly categories: readonly Category[];
  /** The markers of each category. */
  readonly lists: readonly (readonly Marker[])[];
  readonly note: string;
}

const KINDS = ["box", "polygon", "line"] as const;

export function readMarkers(list: MarkerList): Markers {
  const lists: Marker[][] = list.categories.map(() => []);
  for (const [category, kind, points, text] of list.markers)
    lists[category]?.push({ category, kind: KINDS[kind] ?? "line", points, text: text ?? "" });
  return { categories: list.categories, lists, note: list.note ?? "" };
}

/** Fetch markers, unless they are at hand; throws an Error with a sentence for people. */
export async function loadMarkers({ markers, headers }: SceneAddress): Promise<Markers> {
  if (typeof markers === "string") return readMarkers(await (await get(markers, headers)).json());
  return readMarkers(markers ?? { categories: [], markers: [] });
}
