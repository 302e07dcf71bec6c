/** A layout as it was decoded: hierarchical, in database units, never flattened. */
export interface Layout {
  /** Database units per µm. */
  readonly unit: number;
  readonly layers: readonly LayerKey[];
  readonly cells: readonly Cell[];
  /** What texts point at. */
  readonly strings: readonly string[];
}

export interface LayerKey {
  readonly layer: number;
  readonly datatype: number;
}

export interface Cell {
  readonly name: string;
  /** One entry for each of the layout's layers. */
  readonly shapes: readonly (Shapes | undefined)[];
  /** Placed cells: cell, x, y, turn (quarter turns counterclockwise, plus 4 when mirrored at the x axis first). */
  readonly places: Int32Array;
  /** Regular arrays of placed cells: cell, x, y, turn, nx, ny, ax, ay, bx, by; copy (i, j) is at i·a + j·b. */
  readonly grids: Int32Array;
  /** Placed cells, magnified or at any angle: cell, x, y, angle (radians), magnification, mirrored (0 or 1). */
  readonly free: Float64Array;
}

/** What one cell has on one layer. */
export interface Shapes {
  /** x1, y1, x2, y2 with x1 <= x2 and y1 <= y2. */
  readonly rects: Int32Array;
  /** Corners of all polygons, x, y. */
  readonly points: Int32Array;
  /** The first corner of each polygon, and one more: the end. */
  readonly starts: Int32Array;
  /** x, y, index into the strings. */
  readonly texts: Int32Array;
}
