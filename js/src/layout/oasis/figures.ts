import type { LayoutBuilder } from "./builder";
import { COMPACT_KINDS, circle, compactSize, compactTrapezoid, pathOutline, trapezoid } from "./outlines";
import { readPoints } from "./points";
import type { Reader } from "./reader";
import { Offsets, Repetition } from "./repetition";

/** Modal variables: what a record leaves out is as in the one before. They are unset where a cell begins. */
class Modal {
  layer: number | undefined;
  datatype: number | undefined;
  width: number | undefined;
  height: number | undefined;
  polygon: number[] | undefined;
  path: number[] | undefined;
  halfWidth: number | undefined;
  before: number | undefined;
  after: number | undefined;
  compact: number | undefined;
  radius: number | undefined;
  x = 0;
  y = 0;
}

/** Reads the records of geometry (20 to 27) into a builder. */
export class Figures {
  relative = false;
  private modal = new Modal();
  private repetition: Repetition | undefined;
  private readonly offsets = new Offsets();

  constructor(
    private readonly reader: Reader,
    private readonly builder: LayoutBuilder,
  ) {}

  /** Forget all modal variables. */
  reset(): void {
    this.relative = false;
    this.modal = new Modal();
    this.repetition = undefined;
  }

  /** A modal variable that must have been set. */
  known<T>(value: T | undefined, what: string): T {
    return value === undefined ? this.reader.fail(`${what} is not set`) : value;
  }

  /** The next position along one axis. */
  position(present: number, previous: number): number {
    if (!present) return previous;
    const value = this.reader.coordinate();
    return this.reader.fits(this.relative ? previous + value : value);
  }

  /** The repetition of a record, also of placements and texts; without one, a single copy. */
  copies(present: number): Repetition {
    if (!present) return Repetition.single;
    const read = Repetition.read(this.reader, this.offsets);
    if (read) this.repetition = read;
    return this.known(this.repetition, "the repetition");
  }

  read(record: number): void {
    const info = this.reader.byte();
    const { modal, reader } = this;
    if (info & 1) modal.layer = reader.size();
    if (info & 2) modal.datatype = reader.size();
    switch (record) {
      case 20:
        this.size(info);
        this.rectangle(info);
        break;
      case 21:
        if (info & 0x20) modal.polygon = readPoints(reader, true);
        this.polygon(info, this.known(modal.polygon, "the list of points"));
        break;
      case 22:
        this.path(info);
        break;
      case 26:
        if (info & 0x80) modal.compact = reader.uint();
        this.size(info & 0x7f);
        this.compact(info);
        break;
      case 27:
        if (info & 0x20) modal.radius = reader.size();
        this.polygon(info, circle(this.known(modal.radius, "the radius")));
        break;
      default:
        this.trapezoid(record, info);
        break;
    }
  }

  /** Read width and height; `square` (bit 7) is for rectangles alone. */
  private size(info: number): void {
    if (info & 0x40) this.modal.width = this.reader.size();
    if (info & 0x20) this.modal.height = this.reader.size();
    else if (info & 0x80) this.modal.height = this.modal.width;
  }

  /** Read position and repetition, which end every record. */
  private where(info: number): Repetition {
    this.modal.x = this.position(info & 0x10, this.modal.x);
    this.modal.y = this.position(info & 0x08, this.modal.y);
    return this.copies(info & 0x04);
  }

  private shapes() {
    const layer = this.known(this.modal.layer, "the layer");
    return this.builder.shapes(layer, this.known(this.modal.datatype, "the datatype"));
  }

  private rectangle(info: number): void {
    const width = this.known(this.modal.width, "the width");
    const height = this.known(this.modal.height, "the height");
    const copies = this.where(info);
    this.builder.addRectangles(this.shapes(), this.modal.x, this.modal.y, width, height, copies);
  }

  private polygon(info: number, points: readonly number[]): void {
    const copies = this.where(info);
    this.builder.addPolygons(this.shapes(), this.modal.x, this.modal.y, points, copies);
  }

  private path(info: number): void {
    const { modal, reader } = this;
    if (info & 0x40) modal.halfWidth = reader.size();
    const half = this.known(modal.halfWidth, "the width of a path");
    if (info & 0x80) {
      const scheme = reader.uint();
      const extension = (kind: number, before: number | undefined) =>
        kind === 0 ? before : kind === 1 ? 0 : kind === 2 ? half : reader.coordinate();
      modal.before = extension((scheme >> 2) & 3, modal.before);
      modal.after = extension(scheme & 3, modal.after);
    }
    if (info & 0x20) modal.path = readPoints(reader, false);
    const points = this.known(modal.path, "the list of points");
    const before = this.known(modal.before, "the end of a path");
    const after = this.known(modal.after, "the end of a path");
    this.polygon(info, pathOutline(points, half, before, after));
  }

  private trapezoid(record: number, info: number): void {
    this.size(info & 0x7f);
    const a = record === 25 ? 0 : this.reader.coordinate();
    const b = record === 24 ? 0 : this.reader.coordinate();
    const width = this.known(this.modal.width, "the width");
    const height = this.known(this.modal.height, "the height");
    this.polygon(info, trapezoid((info & 0x80) !== 0, width, height, a, b));
  }

  private compact(info: number): void {
    const { modal } = this;
    const kind = this.known(modal.compact, "the kind of a trapezoid");
    if (kind >= COMPACT_KINDS) this.reader.fail(`there is no compact trapezoid of kind ${kind}`);
    // Some kinds do with one of the two, and then the other may never have been set.
    const [width, height] = compactSize(kind, modal.width ?? Number.NaN, modal.height ?? Number.NaN);
    if (Number.isNaN(width + height)) this.reader.fail("the size of a trapezoid is not set");
    [modal.width, modal.height] = [width, height];
    this.polygon(info, compactTrapezoid(kind, width, height));
  }
}
