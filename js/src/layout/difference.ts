import { Planes } from "./planes";

/** What two pictures of the same view share, and what only one of them has; all layers put together. */
export interface Difference {
  readonly first: Planes;
  readonly second: Planes;
  readonly both: Planes;
}

export function emptyDifference(width: number, height: number): Difference {
  return {
    ...{ first: new Planes(width, height), second: new Planes(width, height) },
    both: new Planes(width, height),
  };
}

/** Add a layer: what either picture has of it; undefined is nothing. Differences go to the frames, to be opaque. */
export function addDifference(into: Difference, one: Planes | undefined, other: Planes | undefined): void {
  const { first, second, both } = into;
  const low = Math.min(one?.low ?? both.height, other?.low ?? both.height);
  const high = Math.max(one?.high ?? -1, other?.high ?? -1);
  for (const planes of [first, second, both]) {
    planes.low = Math.min(planes.low, low);
    planes.high = Math.max(planes.high, high);
  }
  for (let i = low * both.words; i < (high + 1) * both.words; i++) {
    const a = one ? (one.fill[i] as number) | (one.frame[i] as number) : 0;
    const b = other ? (other.fill[i] as number) | (other.frame[i] as number) : 0;
    first.frame[i] = (first.frame[i] as number) | (a & ~b);
    second.frame[i] = (second.frame[i] as number) | (b & ~a);
    both.fill[i] = (both.fill[i] as number) | (a & b);
  }
}
