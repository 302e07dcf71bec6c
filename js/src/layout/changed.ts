import type { Window } from "./collect";
import type { Planes } from "./planes";

/** Sets the bits of those pixels of a row that are to be put together, and tells whether there are any. */
export type Part = (y: number, open: Int32Array) => boolean;

/** What changes in a picture when these layers come or go, and these strips are new. */
export function changed(layers: readonly Planes[], strips: readonly Window[]): Part {
  return (y, open) => {
    open.fill(0);
    for (const planes of layers) planes.mark(y, open);
    for (const [left, bottom, right, top] of strips) if (y >= bottom && y <= top) setBits(open, left, right);
    return open.some((word) => word !== 0);
  };
}

/** Set the bits from `first` to `last`. */
function setBits(words: Int32Array, first: number, last: number): void {
  const [start, end] = [first >>> 5, last >>> 5];
  for (let k = start; k <= end; k++) {
    const low = k === start ? -1 << (first & 31) : -1;
    const high = k === end ? -1 >>> (31 - (last & 31)) : -1;
    words[k] = (words[k] as number) | (low & high);
  }
}
