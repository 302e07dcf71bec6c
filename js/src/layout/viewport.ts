import type { View } from "./collect";

/** The room that a layout is shown in, device pixels. */
export interface Room {
  readonly width: number;
  readonly height: number;
}

/** x1, y1, x2, y2 in database units. */
export type Extent = readonly [number, number, number, number];

// A database unit is never larger on screen than this, and the layout never smaller than a tenth of the room.
const LARGEST = 64;
const SMALLEST = 0.1;
const MARGIN = 0.94;

/** The view that shows everything. */
export function fitView([x1, y1, x2, y2]: Extent, room: Room): View {
  const width = Math.max(x2 - x1, 1);
  const height = Math.max(y2 - y1, 1);
  const scale = Math.min(LARGEST, MARGIN * Math.min(room.width / width, room.height / height));
  return { x: (x1 + x2) / 2, y: (y1 + y2) / 2, scale };
}

/** Zoom by `factor`; what is at `px`, `py` (pixels from the upper left) stays there. */
export function zoom(view: View, extent: Extent, room: Room, factor: number, px: number, py: number): View {
  const smallest = fitView(extent, room).scale * SMALLEST;
  const scale = Math.min(LARGEST, Math.max(smallest, view.scale * factor));
  const [x, y] = toLayout(view, room, px, py);
  return within(
    { x: x - (px - room.width / 2) / scale, y: y + (py - room.height / 2) / scale, scale },
    extent,
  );
}

/** Move the picture by pixels. */
export function pan(view: View, extent: Extent, dx: number, dy: number): View {
  return within({ x: view.x - dx / view.scale, y: view.y + dy / view.scale, scale: view.scale }, extent);
}

/** Where in the layout a pixel is, database units. */
export function toLayout(view: View, room: Room, px: number, py: number): [number, number] {
  return [view.x + (px - room.width / 2) / view.scale, view.y - (py - room.height / 2) / view.scale];
}

/** Where on screen a place of the layout is, pixels from the upper left. */
export function toScreen(view: View, room: Room, x: number, y: number): [number, number] {
  return [room.width / 2 + (x - view.x) * view.scale, room.height / 2 - (y - view.y) * view.scale];
}

/** The view that shows a box, with `room` around it (1: none). */
export function boxView(box: Extent, extent: Extent, room: Room, around: number): View {
  const [x1, y1, x2, y2] = box;
  const size = Math.max((x2 - x1) / room.width, (y2 - y1) / room.height);
  const smallest = fitView(extent, room).scale * SMALLEST;
  const scale = Math.min(LARGEST, Math.max(smallest, 1 / Math.max(around * size, 1e-9)));
  return within({ x: (x1 + x2) / 2, y: (y1 + y2) / 2, scale }, extent);
}

/** The layout cannot be lost: its box always touches the middle of the view. */
function within(view: View, [x1, y1, x2, y2]: Extent): View {
  return {
    x: Math.min(Math.max(view.x, x1), x2),
    y: Math.min(Math.max(view.y, y1), y2),
    scale: view.scale,
  };
}

/** A round length (1, 2, 5 times a power of ten, µm) of at most `room` pixels, and its size in pixels. */
export function scaleBar(pixelsPerMicron: number, room: number): { microns: number; pixels: number } {
  const most = room / pixelsPerMicron;
  const power = 10 ** Math.floor(Math.log10(most));
  const microns = power * (most >= 5 * power ? 5 : most >= 2 * power ? 2 : 1);
  return { microns, pixels: microns * pixelsPerMicron };
}

/** A length as people write it: `20 nm`, `5 µm`, `2 mm`. */
export function lengthText(microns: number): string {
  const round = (value: number) => String(Number(value.toPrecision(6)));
  if (microns < 0.1) return `${round(microns * 1000)} nm`;
  return microns < 1000 ? `${round(microns)} µm` : `${round(microns / 1000)} mm`;
}
