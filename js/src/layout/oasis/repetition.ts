import type { Reader } from "./reader";

/** `nx` by `ny` places: i * a + j * b. */
export interface Grid {
  readonly nx: number;
  readonly ny: number;
  readonly ax: number;
  readonly ay: number;
  readonly bx: number;
  readonly by: number;
}

/** Where copies are, relative to the first; those beyond the count of a repetition mean nothing. */
export class Offsets {
  xs = new Float64Array(16);
  ys = new Float64Array(16);

  room(count: number): void {
    if (count <= this.xs.length) return;
    this.xs = new Float64Array(2 * count);
    this.ys = new Float64Array(2 * count);
  }
}

const ORIGIN = new Offsets();

/**
 * Where the copies of an element are, relative to its position; regular ones are listed only when asked for. The list is
 * lent: it holds until the next repetition is read, which is as long as a file can refer to it.
 */
export class Repetition {
  private constructor(
    readonly count: number,
    readonly grid: Grid | undefined,
    private readonly lent: Offsets,
    private listed: boolean,
  ) {}

  static readonly single = new Repetition(1, undefined, ORIGIN, true);

  /** Offsets of all copies. The caller has made sure that `count` is bearable. */
  get offsets(): Offsets {
    if (this.listed) return this.lent;
    this.lent.room(this.count);
    const { xs, ys } = this.lent;
    const { nx, ny, ax, ay, bx, by } = this.grid as Grid;
    for (let j = 0, k = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, k++) {
        xs[k] = i * ax + j * bx;
        ys[k] = i * ay + j * by;
      }
    this.listed = true;
    return this.lent;
  }

  /** Read a repetition, with room for its list; undefined is kind 0, the one that was read before. */
  static read(reader: Reader, lent: Offsets): Repetition | undefined {
    const kind = reader.uint();
    switch (kind) {
      case 0:
        return undefined;
      case 1: {
        const nx = reader.size() + 2;
        const ny = reader.size() + 2;
        const ax = reader.size();
        return Repetition.regular({ nx, ny, ax, ay: 0, bx: 0, by: reader.size() }, lent);
      }
      case 2: {
        const nx = reader.size() + 2;
        return Repetition.regular({ nx, ny: 1, ax: reader.size(), ay: 0, bx: 0, by: 0 }, lent);
      }
      case 3: {
        const ny = reader.size() + 2;
        return Repetition.regular({ nx: 1, ny, ax: 0, ay: 0, bx: 0, by: reader.size() }, lent);
      }
      case 4:
      case 5:
      case 6:
      case 7:
      case 10:
      case 11:
        return Repetition.irregular(reader, kind, lent);
      case 8: {
        const nx = reader.size() + 2;
        const ny = reader.size() + 2;
        reader.delta();
        const { dx, dy } = reader;
        reader.delta();
        return Repetition.regular({ nx, ny, ax: dx, ay: dy, bx: reader.dx, by: reader.dy }, lent);
      }
      case 9: {
        const nx = reader.size() + 2;
        reader.delta();
        return Repetition.regular({ nx, ny: 1, ax: reader.dx, ay: reader.dy, bx: 0, by: 0 }, lent);
      }
      default:
        return reader.fail(`there is no repetition of kind ${kind}`);
    }
  }

  private static regular(grid: Grid, lent: Offsets): Repetition {
    return new Repetition(grid.nx * grid.ny, grid, lent, false);
  }

  private static irregular(reader: Reader, kind: number, lent: Offsets): Repetition {
    const count = reader.size() + 2;
    const step = kind === 5 || kind === 7 || kind === 11 ? reader.size() : 1;
    // Every place takes a byte at least: a count beyond that is damage, found before memory is taken for it.
    if (count - 1 > reader.left) reader.fail("a repetition is longer than the file");
    lent.room(count);
    const { xs, ys } = lent;
    for (let i = 0, x = 0, y = 0; i < count; i++) {
      xs[i] = x;
      ys[i] = y;
      if (i + 1 === count) break;
      if (kind >= 10) {
        reader.delta();
        x += reader.dx * step;
        y += reader.dy * step;
      } else if (kind >= 6) y += reader.size() * step;
      else x += reader.size() * step;
    }
    return new Repetition(count, undefined, lent, true);
  }
}
