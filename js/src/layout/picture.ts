import type { Part } from "./changed";
import type { Planes } from "./planes";

/** Shown in light and dark pages alike: the colours of the PDKs are made for it. */
export const BACKGROUND = "#0b0d10";

/** Which pixels of a filling are drawn, on tiles of 8 by 8; neighbours in the list are easily told apart. */
const STIPPLES: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 8 === 0,
  (x, y) => (x - y + 8) % 8 === 0,
  (x, y) => x % 4 === 0 && y % 4 === 0,
  (x, y) => (x + y) % 4 === 0,
  (x, y) => (x - y + 8) % 4 === 0,
  (_x, y) => y % 4 === 0,
  (x, y) => (x + y) % 8 === 0 || (x - y + 8) % 8 === 0,
  (x) => x % 4 === 0,
  (x, y) => x % 4 === 2 * ((y >> 1) % 2) && y % 2 === 0,
];

/**
 * A stipple as 32-bit words, the lowest row first: the given one (rows of `*` and `.`, the uppermost first), or that of
 * this number among ours. Its dots are `ratio` pixels large.
 */
export function stipple(
  given: readonly string[] | null | undefined,
  index: number,
  ratio: number,
): Uint32Array {
  const ours = STIPPLES[index % STIPPLES.length] as (x: number, y: number) => boolean;
  const inked = (x: number, y: number) => {
    if (!given?.length) return ours(x % 8, y % 8);
    const row = given[given.length - 1 - (y % given.length)] as string;
    return row[x % row.length] === "*";
  };
  const dot = ratio >= 1.5 ? 2 : 1;
  const rows = new Uint32Array(32);
  for (let y = 0; y < 32; y++)
    for (let x = 0; x < 32; x++)
      if (inked((x / dot) | 0, (y / dot) | 0)) rows[y] = (rows[y] as number) | (1 << x);
  return rows;
}

/** `#rrggbb` as a pixel: the bytes of a canvas are R, G, B, A, on the machines that browsers run on. */
export function pixel(colour: string): number {
  const value = Number.parseInt(colour.slice(1), 16);
  return (0xff000000 | ((value & 255) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}

/** A layer ready to be put into the picture; without `rows` its fillings are left out. */
export interface Sheet {
  readonly planes: Planes;
  readonly fill: number;
  readonly frame: number;
  readonly rows: Uint32Array | undefined;
}

/** The pixels of the canvas. */
export class Picture {
  readonly image: ImageData;
  private readonly pixels: Uint32Array;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.image = new ImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  /** Move what is there; beside it is nothing of use. */
  move(dx: number, dy: number): void {
    const { pixels, width } = this;
    const away = dx - dy * width;
    pixels.copyWithin(Math.max(0, away), Math.max(0, -away), pixels.length - Math.max(0, away));
  }

  /**
   * Put layers together, the uppermost first. Colours are opaque, so each pixel is written once, by the first layer
   * that has it. `shiftX` and `shiftY` (pixels) make the stipples move with the layout. Where only a part is to be put
   * together, `part` sets the bits of a row that are, and tells whether there are any.
   */
  compose(sheets: readonly Sheet[], background: number, shiftX: number, shiftY: number, part?: Part): void {
    const { width, height } = this;
    const words = (width + 31) >>> 5;
    const turn = ((shiftX % 32) + 32) % 32;
    // Which pixels of the row nobody has yet: layer by layer, since that reads memory in its order.
    const open = new Int32Array(words);
    for (let y = 0; y < height; y++) {
      if (!part) open.fill(-1);
      else if (!part(y, open)) continue;
      const base = (height - 1 - y) * width;
      // The last word of a row may reach beyond it.
      if (width & 31) open[words - 1] = (open[words - 1] as number) & ((1 << (width & 31)) - 1);
      if (!part) this.pixels.fill(background, base, base + width);
      else
        for (let k = 0; k < words; k++) if (open[k]) this.spray(open[k] as number, base + 32 * k, background);
      for (const { planes, fill, frame, rows } of sheets) {
        if (y < planes.low || y > planes.high) continue;
        const dots = rows ? (rows[(((y - shiftY) % 32) + 32) % 32] as number) : 0;
        const ink = turn ? (dots << turn) | (dots >>> (32 - turn)) : dots;
        if (!this.row(planes, y * words, ink, open, base, frame, fill)) break;
      }
      if (part)
        for (let k = 0; k < words; k++) if (open[k]) this.spray(open[k] as number, base + 32 * k, background);
    }
  }

  /** Draw what a layer has in a row, where it is open; tells whether there is room left for those below. */
  private row(
    planes: Planes,
    start: number,
    ink: number,
    open: Int32Array,
    base: number,
    frame: number,
    fill: number,
  ): boolean {
    const { frame: frames, fill: fills } = planes;
    let room = 0;
    for (let k = 0; k < open.length; k++) {
      const free = open[k] as number;
      if (!free) continue;
      const framed = (frames[start + k] as number) & free;
      const filled = (fills[start + k] as number) & ink & free & ~framed;
      const left = free & ~(framed | filled);
      room |= left;
      if (left === free) continue;
      if (framed) this.spray(framed, base + 32 * k, frame);
      if (filled) this.spray(filled, base + 32 * k, fill);
      open[k] = left;
    }
    return room !== 0;
  }

  private spray(bits: number, at: number, colour: number): void {
    const { pixels } = this;
    if (bits === -1) {
      pixels.fill(colour, at, at + 32);
      return;
    }
    let left = bits;
    while (left) {
      const bit = left & -left;
      pixels[at + 31 - Math.clz32(bit)] = colour;
      left ^= bit;
    }
  }
}
