import { describe, expect, it } from "vitest";
import { fixture } from "../fixtures";
import expected from "../fixtures/expected.json";
import type { Cell, Layout, Shapes } from "../layout";
import { buildScene } from "../scene";
import { decodeOasis } from "./decode";

interface Found {
  unit: number;
  cells: Record<
    string,
    {
      placed: number;
      layers: Record<string, { figures: number; area: number; moment: [number, number]; texts: number }>;
    }
  >;
  boxes: Record<string, number[]>;
}

const keyOf = (layout: Layout, index: number) =>
  `${layout.layers[index]?.layer}/${layout.layers[index]?.datatype}`;

function placed(cell: Cell): number {
  let count = cell.places.length / 4 + cell.free.length / 6;
  for (let i = 0; i < cell.grids.length; i += 10)
    count += (cell.grids[i + 4] as number) * (cell.grids[i + 5] as number);
  return count;
}

/** The area of all shapes, and its first moments: those tell a figure from its mirror image. */
function areaOf({ rects, points, starts }: Shapes): [number, number, number] {
  let [area, x, y] = [0, 0, 0];
  const at = (list: Int32Array, index: number) => list[index] as number;
  for (let i = 0; i < rects.length; i += 4) {
    const [x1, y1, x2, y2] = [at(rects, i), at(rects, i + 1), at(rects, i + 2), at(rects, i + 3)];
    const size = (x2 - x1) * (y2 - y1);
    [area, x, y] = [area + size, x + (size * (x1 + x2)) / 2, y + (size * (y1 + y2)) / 2];
  }
  for (let p = 0; p + 1 < starts.length; p++) {
    const [start, end] = [at(starts, p), at(starts, p + 1)];
    let [twice, mx, my] = [0, 0, 0];
    for (let i = start; i < end; i++) {
      const next = i + 1 === end ? start : i + 1;
      const [x1, y1, x2, y2] = [2 * i, 2 * i + 1, 2 * next, 2 * next + 1].map((k) => at(points, k)) as [
        number,
        number,
        number,
        number,
      ];
      const cross = x1 * y2 - x2 * y1;
      [twice, mx, my] = [twice + cross, mx + cross * (x1 + x2), my + cross * (y1 + y2)];
    }
    const sign = Math.sign(twice);
    [area, x, y] = [area + (sign * twice) / 2, x + (sign * mx) / 6, y + (sign * my) / 6];
  }
  return [area, x, y];
}

describe.each(["gdstk", "klayout", "records"] as const)("%s.oas", (name) => {
  const wanted = expected[name] as unknown as Found;

  it("has the cells, figures, areas, texts and placements that KLayout finds", async () => {
    const layout = decodeOasis(await fixture(name));
    expect(layout.unit).toBeCloseTo(wanted.unit, 6);
    expect(layout.cells.map((cell) => cell.name).sort()).toEqual(Object.keys(wanted.cells).sort());
    for (const cell of layout.cells) {
      const one = wanted.cells[cell.name] as Found["cells"][string];
      expect(placed(cell), cell.name).toBe(one.placed);
      const layers: Record<string, { figures: number; texts: number }> = {};
      cell.shapes.forEach((shapes, index) => {
        if (!shapes) return;
        const key = keyOf(layout, index);
        const figures = shapes.rects.length / 4 + shapes.starts.length - 1;
        layers[key] = { figures, texts: shapes.texts.length / 3 };
        // A path that bends is rounded differently, a circle has other corners.
        const { area, moment } = one.layers[key] ?? { area: 0, moment: [0, 0] };
        const [found, x, y] = areaOf(shapes);
        expect(Math.abs(found - area), `${cell.name} ${key}`).toBeLessThanOrEqual(0.005 * area);
        if (area === 0) return;
        expect(Math.abs(x / found - moment[0] / area), `${cell.name} ${key}`).toBeLessThanOrEqual(1);
        expect(Math.abs(y / found - moment[1] / area), `${cell.name} ${key}`).toBeLessThanOrEqual(1);
      });
      const counts = Object.entries(one.layers).map(([key, { figures, texts }]) => [key, { figures, texts }]);
      expect(layers, cell.name).toEqual(Object.fromEntries(counts));
    }
  });

  it("has the boxes that KLayout finds", async () => {
    const { layout, top } = buildScene(decodeOasis(await fixture(name)), "TOP");
    const boxes: Record<string, number[]> = {};
    top.layerBoxes.slice(0, -1).forEach((box, index) => {
      if (!box.empty) boxes[keyOf(layout, index)] = [box.x1, box.y1, box.x2, box.y2];
    });
    // The boxes of layers are those of shapes; KLayout's list has layers with texts alone as well.
    const inked = new Set(
      layout.layers.flatMap((_key, index) =>
        layout.cells.some(
          ({ shapes }) => shapes[index] && (shapes[index].rects.length || shapes[index].starts.length > 1),
        )
          ? keyOf(layout, index)
          : [],
      ),
    );
    const expected = Object.entries(wanted.boxes).filter(([key]) => inked.has(key));
    expect(Object.keys(boxes).sort()).toEqual(expected.map(([key]) => key).sort());
    for (const [key, box] of expected)
      box.forEach((value, side) => {
        expect(
          Math.abs((boxes[key]?.[side] ?? Number.NaN) - value),
          `${key} side ${side}`,
        ).toBeLessThanOrEqual(2);
      });
  });
});

it("reads texts by name and by number", async () => {
  const layout = decodeOasis(await fixture("records"));
  expect([...layout.strings].sort()).toEqual(["by name", "by number"]);
});

it("keeps arrays of cells as arrays", async () => {
  const layout = decodeOasis(await fixture("gdstk"));
  const top = layout.cells.find((cell) => cell.name === "TOP") as Cell;
  expect([...top.grids].slice(1)).toEqual([10000, 10000, 0, 4, 3, 60000, 0, 0, 50000]);
});

describe("damage", () => {
  const start = "%SEMI-OASIS\r\n";
  const bytes = (...values: (number | string)[]) =>
    new Uint8Array(
      values.flatMap((value) =>
        typeof value === "string" ? [...value].map((c) => c.charCodeAt(0)) : [value],
      ),
    );
  const header = [start, 1, 3, "1.0", 0, 100, 0, ...new Array(12).fill(0)];

  it.each([
    ["nothing", bytes(), /at byte 0: it does not begin as OASIS does/],
    ["another format", bytes("\x00\x06\x00\x02 no OASIS"), /does not begin/],
    ["no end", bytes(...header), /at byte 33: it ends too early/],
    ["an unknown record", bytes(...header, 99), /at byte 34: there is no record of kind 99/],
    ["a compressed block", bytes(...header, 34, 0, 1, 1), /compressed blocks/],
    ["a shape outside of cells", bytes(...header, 20, 0), /outside of all cells/],
    ["a rectangle without a layer", bytes(...header, 14, 1, "A", 20, 0x60, 1, 1), /the layer is not set/],
    ["a long string", bytes(...header, 14, 0xff, 0xff, 0x7f, "A"), /ends too early/],
    ["a huge number", bytes(...header, 14, 1, "A", 20, 0x7b, ...new Array(9).fill(255), 1), /too large/],
    [
      "a repetition beyond the file",
      bytes(...header, 14, 1, "A", 20, 0x7f, 1, 1, 1, 1, 0, 0, 4, 0xff, 0xff, 0x7f, 1),
      /longer than the file/,
    ],
    [
      "a repetition beyond bearing",
      bytes(...header, 14, 1, "A", 20, 0x7f, 1, 1, 1, 1, 0, 0, 1, 0xff, 0xff, 0x7f, 0xff, 0xff, 0x7f, 1, 1),
      /more shapes than the viewer holds/,
    ],
    ["a cell twice", bytes(...header, 14, 1, "A", 14, 1, "A", 2), /the cell A is there twice/],
  ])("%s is said with its place", (_what, content, message) => {
    expect(() => decodeOasis(content)).toThrow(message);
  });

  it("a cell that contains itself is refused", () => {
    const layout = decodeOasis(bytes(...header, 14, 1, "A", 17, 0xb0, 1, "A", 0, 0, 2));
    expect(() => buildScene(layout)).toThrow(/contains itself/);
  });

  it("ends with a scene or an error, whatever is wrong", async () => {
    let state = 20261123;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const sources = [await fixture("gdstk"), await fixture("klayout"), await fixture("records")];
    let refused = 0;
    const begin = performance.now();
    for (let round = 0; round < 500; round++) {
      const source = sources[round % 3] as Uint8Array;
      const broken = source.slice(0, random(4) ? source.length : random(source.length));
      for (let n = 1 + random(4); n > 0; n--) broken[random(broken.length)] = random(256);
      try {
        buildScene(decodeOasis(broken, 1 << 20));
      } catch (error) {
        refused++;
        expect((error as Error).message).toMatch(/^The layout /);
      }
    }
    expect(refused).toBeGreaterThan(100);
    expect(performance.now() - begin).toBeLessThan(4000);
  });
});
