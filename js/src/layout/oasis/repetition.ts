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

/** Where the copies of an element are, relative to its position; regular ones are listed only when asked for. */
export class Repetition {
  private listed: { xs: Float64Array; ys: Float64Array } | undefined;

  private constructor(
    readonly count: number,
    readonly grid: Grid | undefined,
    listed?: { xs: Float64Array; ys: Float64Array },
  ) {
    this.listed = listed;
  }

  static readonly single = new Repetition(1, undefined, {
    xs: new Float64Array(1),
    ys: new Float64Array(1),
  });

  /** Offsets of all copies. The caller has made sure that `count` is bearable. */
  get offsets(): { xs: Float64Array; ys: Float64Array } {
    if (this.listed) return this.listed;
    const xs = new Float64Array(this.count);
    const ys = new Float64Array(this.count);
    const { nx, ny, ax, ay, bx, by } = this.grid as Grid;
    for (let j = 0, k = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, k++) {
        xs[k] = i * ax + j * bx;
        ys[k] = i * ay + j * by;
      }
    this.listed = { xs, ys };
    return this.listed;
  }

  /** Read a repetition; undefined is kind 0, the one that was read before. */
  static read(reader: Reader): Repetition | undefined {
    const kind = reader.uint();
    switch (kind) {
      case 0:
        return undefined;
      case 1: {
        const nx = reader.size() + 2;
        const ny = reader.size() + 2;
        const ax = reader.size();
        return Repetition.regular(nx, ny, ax, 0, 0, reader.size());
      }
      case 2: {
        const nx = reader.size() + 2;
        return Repetition.regular(nx, 1, reader.size(), 0, 0, 0);
      }
      case 3: {
        const ny = reader.size() + 2;
        return Repetition.regular(1, ny, 0, 0, 0, reader.size());
      }
      case 4:
      case 5:
      case 6:
      case 7:
      case 10:
      case 11:
        return Repetition.irregular(reader, kind);
      case 8: {
        const nx = reader.size() + 2;
        const ny = reader.size() + 2;
        reader.delta();
        const { dx, dy } = reader;
        reader.delta();
        return Repetition.regular(nx, ny, dx, dy, reader.dx, reader.dy);
      }
      case 9: {
        const nx = reader.size() + 2;
        reader.delta();
        return Repetition.regular(nx, 1, reader.dx, reader.dy, 0, 0);
      }
      default:
        return reader.fail(`there is no repetition of kind ${kind}`);
    }
  }

  private static regular(nx: number, ny: number, ax: number, ay: number, bx: number, by: number): Repetition {
    return new Repetition(nx * ny, { nx, ny, ax, ay, bx, by });
  }

  private static irregular(reader: Reader, kind: number): Repetition {
    const count = reader.size() + 2;
    const step = kind === 5 || kind === 7 || kind === 11 ? reader.size() : 1;
    // Every place takes a byte at least: a count beyond that is damage, found before memory is taken for it.
    if (count - 1 > reader.left) reader.fail("a repetition is longer than the file");
    const xs = new Float64Array(count);
    const ys = new Float64Array(count);
    for (let i = 1, x = 0, y = 0; i < count; i++) {
      if (kind >= 10) {
        reader.delta();
        x += reader.dx * step;
        y += reader.dy * step;
      } else if (kind >= 6) y += reader.size() * step;
      else x += reader.size() * step;
      xs[i] = x;
      ys[i] = y;
    }
    return new Repetition(count, undefined, { xs, ys });
  }
}
