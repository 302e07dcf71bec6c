import { Box } from "./geometry";

/** Rectangles of one cell and layer, in chunks of neighbours when they are many. */
export interface Chunked {
  readonly rects: Int32Array;
  /** first rectangle, one past the last, x1, y1, x2, y2, and how much of that box is filled, in thousandths. */
  readonly chunks: Int32Array;
}

/** Numbers per chunk. */
export const CHUNK_SIZE = 7;

const CHUNK = 512;

/** Sort many rectangles along a Morton curve and cut them into chunks, so that a view reads only its neighbours. */
export function chunk(rects: Int32Array): Chunked {
  const count = rects.length / 4;
  const sorted = count > 2 * CHUNK ? mortonSort(rects) : rects;
  const size = count > 2 * CHUNK ? CHUNK : Math.max(count, 1);
  const chunks: number[] = [];
  for (let first = 0; first < count; first += size) {
    const end = Math.min(first + size, count);
    const box = new Box();
    const filled = enclose(sorted, 4 * first, 4 * end, box);
    const share = Math.round(1000 * Math.min(1, filled / (box.area || 1)));
    chunks.push(first, end, box.x1, box.y1, box.x2, box.y2, share);
  }
  return { rects: sorted, chunks: Int32Array.from(chunks) };
}

function mortonSort(rects: Int32Array): Int32Array {
  const count = rects.length / 4;
  const box = new Box();
  enclose(rects, 0, rects.length, box);
  // About as many places on the curve as there are rectangles.
  const bits = Math.min(10, Math.ceil(Math.log2(count) / 2));
  const { x1, y1 } = box;
  const scale = (2 ** bits - 1) / Math.max(1, box.x2 - x1, box.y2 - y1);
  const keys = new Uint32Array(count);
  const places = new Uint32Array(4 ** bits + 1);
  for (let i = 0; i < count; i++) {
    const x = spread(((rects[4 * i] as number) - x1) * scale);
    const y = spread(((rects[4 * i + 1] as number) - y1) * scale);
    const key = x | (y << 1);
    keys[i] = key;
    places[key + 1] = (places[key + 1] as number) + 1;
  }
  for (let i = 1; i < places.length; i++) places[i] = (places[i] as number) + (places[i - 1] as number);
  const sorted = new Int32Array(rects.length);
  for (let i = 0; i < count; i++) {
    const key = keys[i] as number;
    const place = places[key] as number;
    places[key] = place + 1;
    const [from, to] = [4 * i, 4 * place];
    sorted[to] = rects[from] as number;
    sorted[to + 1] = rects[from + 1] as number;
    sorted[to + 2] = rects[from + 2] as number;
    sorted[to + 3] = rects[from + 3] as number;
  }
  return sorted;
}

/** Put a zero between the lower ten bits of a number. */
function spread(value: number): number {
  let bits = value & 1023;
  bits = (bits | (bits << 8)) & 0xff00ff;
  bits = (bits | (bits << 4)) & 0xf0f0f0f;
  bits = (bits | (bits << 2)) & 0x33333333;
  return (bits | (bits << 1)) & 0x55555555;
}

/** Add the rectangles x1, y1, x2, y2, … at `from` to before `to` of a list to the box; gives the area of them all. */
export function enclose(rects: Int32Array, from: number, to: number, box: Box): number {
  if (from === to) return 0;
  let x1 = rects[from] as number;
  let y1 = rects[from + 1] as number;
  let x2 = rects[from + 2] as number;
  let y2 = rects[from + 3] as number;
  let filled = 0;
  for (let i = from; i < to; i += 4) {
    const left = rects[i] as number;
    const bottom = rects[i + 1] as number;
    const right = rects[i + 2] as number;
    const top = rects[i + 3] as number;
    if (left < x1) x1 = left;
    if (bottom < y1) y1 = bottom;
    if (right > x2) x2 = right;
    if (top > y2) y2 = top;
    filled += (right - left) * (top - bottom);
  }
  box.add(x1, y1);
  box.add(x2, y2);
  return filled;
}
