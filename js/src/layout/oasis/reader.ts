/** A layout that cannot be read; the message is a sentence that names the byte. */
export class OasisError extends Error {
  constructor(
    what: string,
    readonly offset: number,
  ) {
    super(`The layout is damaged at byte ${offset}: ${what}.`);
    this.name = "OasisError";
  }
}

const COORDINATE_LIMIT = 0x7fffffff;

/** Reads the elementary data types of OASIS (SEMI P39, section 7) from bytes. */
export class Reader {
  pos = 0;
  /** The displacement read last by `delta`. */
  dx = 0;
  dy = 0;
  private readonly text = new TextDecoder();
  private readonly view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.bytes.length - this.pos;
  }

  fail(what: string): never {
    throw new OasisError(what, this.pos);
  }

  byte(): number {
    if (this.pos >= this.bytes.length) this.fail("it ends too early");
    return this.bytes[this.pos++] as number;
  }

  uint(): number {
    let byte = this.byte();
    if (byte < 128) return byte;
    let value = byte & 127;
    let weight = 128;
    do {
      byte = this.byte();
      value += (byte & 127) * weight;
      weight *= 128;
      if (value > Number.MAX_SAFE_INTEGER) this.fail("a number is too large");
    } while (byte > 127);
    return value;
  }

  sint(): number {
    const value = this.uint();
    const size = Math.floor(value / 2);
    return value % 2 === 0 ? size : -size;
  }

  /** A signed number that fits into 32 bits, as all that is drawn must. */
  coordinate(): number {
    return this.fits(this.sint());
  }

  /** An unsigned number that fits into 31 bits. */
  size(): number {
    return this.fits(this.uint());
  }

  fits(value: number): number {
    if (value > COORDINATE_LIMIT || value < -COORDINATE_LIMIT) this.fail("a coordinate is out of range");
    return value;
  }

  real(): number {
    return this.realOf(this.uint());
  }

  realOf(kind: number): number {
    switch (kind) {
      case 0:
        return this.uint();
      case 1:
        return -this.uint();
      case 2:
        return 1 / this.uint();
      case 3:
        return -1 / this.uint();
      case 4:
        return this.uint() / this.uint();
      case 5:
        return -this.uint() / this.uint();
      case 6:
        return this.view.getFloat32(this.skip(4), true);
      case 7:
        return this.view.getFloat64(this.skip(8), true);
      default:
        return this.fail(`there is no real number of kind ${kind}`);
    }
  }

  string(): string {
    const length = this.uint();
    const start = this.skip(length);
    return this.text.decode(this.bytes.subarray(start, start + length));
  }

  /** Step over `count` bytes; gives where they begin. */
  skip(count: number): number {
    if (count > this.left) this.fail("it ends too early");
    const start = this.pos;
    this.pos += count;
    return start;
  }

  skipString(): void {
    this.skip(this.uint());
  }

  /** Read a g-delta into `dx`, `dy`. */
  delta(): void {
    const value = this.uint();
    if (value % 2 === 1) {
      const size = this.fits(Math.floor(value / 4));
      this.dx = Math.floor(value / 2) % 2 === 1 ? -size : size;
      this.dy = this.coordinate();
    } else {
      this.octant(Math.floor(value / 2) % 8, this.fits(Math.floor(value / 16)));
    }
  }

  /** Set `dx`, `dy` to one of the eight directions: E, N, W, S, NE, NW, SW, SE. */
  octant(direction: number, size: number): void {
    const east = direction === 0 || direction === 4 || direction === 7;
    const west = direction === 2 || direction === 5 || direction === 6;
    const north = direction === 1 || direction === 4 || direction === 5;
    const south = direction === 3 || direction === 6 || direction === 7;
    this.dx = east ? size : west ? -size : 0;
    this.dy = north ? size : south ? -size : 0;
  }
}
