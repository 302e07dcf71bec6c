import type { Layout } from "../layout";
import { type CellReference, INTEGER_LIMIT, LayoutBuilder } from "./builder";
import { Figures } from "./figures";
import { Reader } from "./reader";

const MAGIC = "%SEMI-OASIS\r\n";
const MAGIC_BYTES = 13;

/**
 * Decode plain OASIS (SEMI P39) without flattening it. Throws an OasisError that names the byte for what is damaged,
 * for compressed blocks (the server writes none), and for more than `limit` integers of coordinates.
 */
export function decodeOasis(bytes: Uint8Array, limit: number = INTEGER_LIMIT): Layout {
  return new Decoder(bytes, limit).decode();
}

class Decoder {
  private readonly reader: Reader;
  private readonly builder: LayoutBuilder;
  private readonly figures: Figures;
  private readonly cellNames = new Map<number, string>();
  private readonly textStrings = new Map<number, string>();
  private unit = 1000;
  private inCell = false;
  private placed: CellReference | undefined;
  private placeX = 0;
  private placeY = 0;
  private text: number | string | undefined;
  private textLayer: number | undefined;
  private textType: number | undefined;
  private textX = 0;
  private textY = 0;

  constructor(bytes: Uint8Array, limit: number) {
    this.reader = new Reader(bytes);
    this.builder = new LayoutBuilder(this.reader, limit);
    this.figures = new Figures(this.reader, this.builder);
  }

  decode(): Layout {
    const { reader } = this;
    const start = new TextDecoder().decode(reader.bytes.subarray(0, MAGIC_BYTES));
    if (start !== MAGIC) reader.fail("it does not begin as OASIS does");
    reader.skip(MAGIC_BYTES);
    if (reader.uint() !== 1) reader.fail("the record START is missing");
    this.start();
    for (;;) {
      const record = reader.uint();
      if (record === 2) break;
      this.record(record);
    }
    return this.builder.finish(this.unit, this.cellNames, this.textStrings);
  }

  private start(): void {
    const { reader } = this;
    reader.skipString();
    this.unit = reader.real();
    if (!Number.isFinite(this.unit) || this.unit <= 0) reader.fail("the unit is no positive number");
    if (reader.uint() === 0) for (let i = 0; i < 12; i++) reader.uint();
  }

  private record(record: number): void {
    const { reader, figures } = this;
    switch (record) {
      case 0: // PAD
      case 29: // PROPERTY as before
        break;
      case 3: // names, numbered by themselves or with a number
      case 4:
        this.name(this.cellNames, record === 4);
        break;
      case 5:
      case 6:
        this.name(this.textStrings, record === 6);
        break;
      case 7:
      case 8:
      case 9:
      case 10:
        reader.skipString();
        if (record % 2 === 0) reader.uint();
        break;
      case 11: // names of layers come with the layer properties
      case 12:
        reader.skipString();
        this.skipInterval();
        this.skipInterval();
        break;
      case 13:
        this.begin(reader.uint());
        break;
      case 14:
        this.begin(reader.string());
        break;
      case 15:
      case 16:
        figures.relative = record === 16;
        break;
      case 17:
      case 18:
        this.needCell();
        this.placement(record);
        break;
      case 19:
        this.needCell();
        this.label();
        break;
      case 20:
      case 21:
      case 22:
      case 23:
      case 24:
      case 25:
      case 26:
      case 27:
        this.needCell();
        figures.read(record);
        break;
      case 28:
        this.skipProperty();
        break;
      case 30:
      case 31:
        reader.uint();
        reader.skipString();
        if (record === 31) reader.uint();
        break;
      case 32:
        reader.uint();
        reader.skipString();
        break;
      case 33:
        this.skipGeometry();
        break;
      case 34:
        reader.fail("it has compressed blocks, which this viewer does not read");
        break;
      default:
        reader.fail(`there is no record of kind ${record}`);
        break;
    }
  }

  private name(names: Map<number, string>, numbered: boolean): void {
    const text = this.reader.string();
    names.set(numbered ? this.reader.uint() : names.size, text);
  }

  private begin(reference: CellReference): void {
    this.builder.begin(reference);
    this.inCell = true;
    this.figures.reset();
    this.placed = this.text = this.textLayer = this.textType = undefined;
    this.placeX = this.placeY = this.textX = this.textY = 0;
  }

  private needCell(): void {
    if (!this.inCell) this.reader.fail("there is a shape outside of all cells");
  }

  private placement(record: number): void {
    const { reader, figures } = this;
    const info = reader.byte();
    if (info & 0x80) this.placed = info & 0x40 ? reader.uint() : reader.string();
    const to = figures.known(this.placed, "the placed cell");
    let magnification = 1;
    let degrees = record === 17 ? ((info >> 1) & 3) * 90 : 0;
    if (record === 18 && info & 4) magnification = reader.real();
    if (record === 18 && info & 2) degrees = reader.real();
    this.placeX = figures.position(info & 0x20, this.placeX);
    this.placeY = figures.position(info & 0x10, this.placeY);
    const copies = figures.copies(info & 0x08);
    const mirrored = (info & 1) !== 0;
    const turns = degrees / 90;
    if (magnification === 1 && Number.isInteger(turns)) {
      const turn = (((turns % 4) + 4) % 4) + (mirrored ? 4 : 0);
      this.builder.addPlaces(to, this.placeX, this.placeY, turn, copies);
    } else {
      const transform = { angle: (degrees * Math.PI) / 180, magnification, mirrored };
      this.builder.addFree(to, this.placeX, this.placeY, transform, copies);
    }
  }

  private label(): void {
    const { reader, figures } = this;
    const info = reader.byte();
    if (info & 0x40) this.text = info & 0x20 ? reader.uint() : reader.string();
    if (info & 1) this.textLayer = reader.size();
    if (info & 2) this.textType = reader.size();
    this.textX = figures.position(info & 0x10, this.textX);
    this.textY = figures.position(info & 0x08, this.textY);
    const copies = figures.copies(info & 0x04);
    const layer = figures.known(this.textLayer, "the layer of a text");
    const shapes = this.builder.shapes(layer, figures.known(this.textType, "the type of a text"));
    this.builder.addTexts(shapes, this.textX, this.textY, figures.known(this.text, "the text"), copies);
  }

  private skipInterval(): void {
    const kind = this.reader.uint();
    if (kind > 4) this.reader.fail(`there is no interval of kind ${kind}`);
    if (kind >= 1) this.reader.uint();
    if (kind === 4) this.reader.uint();
  }

  private skipProperty(): void {
    const { reader } = this;
    const info = reader.byte();
    if (info & 4) {
      if (info & 2) reader.uint();
      else reader.skipString();
    }
    if (info & 8) return;
    const count = info >> 4 === 15 ? reader.uint() : info >> 4;
    for (let i = 0; i < count; i++) {
      const kind = reader.uint();
      if (kind < 8) reader.realOf(kind);
      else if (kind >= 10 && kind <= 12) reader.skipString();
      else if (kind <= 15) reader.uint();
      else reader.fail(`there is no property value of kind ${kind}`);
    }
  }

  private skipGeometry(): void {
    const { reader } = this;
    const info = reader.byte();
    reader.uint();
    if (info & 1) reader.uint();
    if (info & 2) reader.uint();
    reader.skipString();
    if (info & 0x10) reader.sint();
    if (info & 0x08) reader.sint();
    this.figures.copies(info & 0x04);
  }
}
