import type { Comparing } from "./protocol";

/** How two layouts are shown: over each other, or side by side. */
export type Showing = Comparing | "side by side";

/** In the order of the key x. */
export const SHOWINGS: readonly Showing[] = ["difference", "first", "second", "side by side"];

/** What Python calls a way to show two layouts; undefined for what is none. */
export function showingOf(text: string): Showing | undefined {
  return SHOWINGS.find((each) => each === text);
}
