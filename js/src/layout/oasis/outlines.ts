/** Outlines, as x, y, x, y, …, of the figures that OASIS has besides rectangles and polygons. */

/** A trapezoid in a box of w by h (records 23 to 25): how far its slanted sides lean is `a` and `b`. */
export function trapezoid(vertical: boolean, w: number, h: number, a: number, b: number): number[] {
  const aUp = Math.max(a, 0);
  const aDown = -Math.min(a, 0);
  const bUp = Math.max(b, 0);
  const bDown = -Math.min(b, 0);
  return vertical
    ? [0, aUp, 0, h - bDown, w, h - bUp, w, aDown]
    : [aUp, h, w - bDown, h, w - bUp, 0, aDown, 0];
}

/** How many kinds of compact trapezoids there are. */
export const COMPACT_KINDS = 26;

/** Which of w and h a compact trapezoid of this kind (record 26) uses; squares and triangles do with one. */
export function compactSize(kind: number, w: number, h: number): [number, number] {
  if (kind >= 16 && kind <= 19) return [w, w];
  if (kind === 20 || kind === 21) return [2 * h, h];
  if (kind === 22 || kind === 23) return [w, 2 * w];
  return kind === 25 ? [w, w] : [w, h];
}

/** A compact trapezoid of kinds 0 to 25; `w` and `h` come from `compactSize`. */
export function compactTrapezoid(kind: number, w: number, h: number): number[] {
  switch (kind) {
    case 0:
      return [0, 0, 0, h, w - h, h, w, 0];
    case 1:
      return [0, 0, 0, h, w, h, w - h, 0];
    case 2:
      return [0, 0, h, h, w, h, w, 0];
    case 3:
      return [h, 0, 0, h, w, h, w, 0];
    case 4:
      return [0, 0, h, h, w - h, h, w, 0];
    case 5:
      return [h, 0, 0, h, w, h, w - h, 0];
    case 6:
      return [0, 0, h, h, w, h, w - h, 0];
    case 7:
      return [h, 0, 0, h, w - h, h, w, 0];
    case 8:
      return [0, 0, 0, h, w, h - w, w, 0];
    case 9:
      return [0, 0, 0, h - w, w, h, w, 0];
    case 10:
      return [0, 0, 0, h, w, h, w, w];
    case 11:
      return [0, w, 0, h, w, h, w, 0];
    case 12:
      return [0, 0, 0, h, w, h - w, w, w];
    case 13:
      return [0, w, 0, h - w, w, h, w, 0];
    case 14:
      return [0, 0, 0, h - w, w, h, w, w];
    case 15:
      return [0, w, 0, h, w, h - w, w, 0];
    case 16:
      return [0, 0, 0, h, w, 0];
    case 17:
      return [0, 0, 0, h, w, h];
    case 18:
      return [0, 0, w, h, w, 0];
    case 19:
      return [0, h, w, h, w, 0];
    case 20:
      return [0, 0, h, h, w, 0];
    case 21:
      return [0, h, w, h, h, 0];
    case 22:
      return [0, 0, 0, h, w, w];
    case 23:
      return [w, 0, 0, w, w, h];
    default:
      return [0, 0, 0, h, w, h, w, 0];
  }
}

/** A circle around the origin; the points on its axes are exact. */
export function circle(radius: number): number[] {
  const corners = 64;
  const points: number[] = [];
  for (let i = 0; i < corners; i++) {
    const angle = (2 * Math.PI * i) / corners;
    points.push(Math.round(radius * Math.cos(angle)), Math.round(radius * Math.sin(angle)));
  }
  return points;
}

/** The outline of a path with half of its width, and how far it goes on beyond its first and last point. */
export function pathOutline(
  points: readonly number[],
  half: number,
  before: number,
  after: number,
): number[] {
  const line = withoutRepeats(points);
  const last = line.length / 2 - 1;
  if (last === 0) {
    // A path of one point lies, like KLayout's, along x.
    const x = line[0] as number;
    const y = line[1] as number;
    return [x - before, y - half, x - before, y + half, x + after, y + half, x + after, y - half];
  }
  const left: number[] = [];
  const right: number[] = [];
  const at = (index: number) => [line[2 * index] as number, line[2 * index + 1] as number] as const;
  const add = (x: number, y: number, nx: number, ny: number) => {
    left.push(Math.round(x + nx), Math.round(y + ny));
    right.push(Math.round(x - nx), Math.round(y - ny));
  };
  let [ux, uy] = [0, 0];
  let length = 0;
  for (let i = 0; i <= last; i++) {
    const [x, y] = at(i);
    const [px, py, come] = [ux, uy, length];
    if (i < last) {
      const [x2, y2] = at(i + 1);
      length = Math.hypot(x2 - x, y2 - y);
      [ux, uy] = [(x2 - x) / length, (y2 - y) / length];
    }
    if (i === 0) add(x - ux * before, y - uy * before, -uy * half, ux * half);
    else if (i === last) add(x + ux * after, y + uy * after, -uy * half, ux * half);
    else {
      const cosine = px * ux + py * uy;
      if (cosine > -1e-9) {
        const reach = half / (1 + cosine);
        add(x, y, -(py + uy) * reach, (px + ux) * reach);
      } else {
        // A turn sharper than a right angle would make a long spike: it is cut off where the lines end.
        const [outer, inner, side] = px * uy - py * ux > 0 ? [right, left, 1] : [left, right, -1];
        const put = (list: number[], dx: number, dy: number) =>
          list.push(Math.round(x + dx), Math.round(y + dy));
        put(outer, half * (px + side * py), half * (py - side * px));
        put(outer, half * (side * uy - ux), half * (-side * ux - uy));
        // Inside the borders meet, unless that is beyond the lines.
        const reach = half / (1 + cosine);
        if (reach * Math.sqrt(1 - cosine * cosine) <= Math.min(come, length))
          put(inner, -side * (py + uy) * reach, side * (px + ux) * reach);
        else {
          put(inner, half * (px - side * py), half * (py + side * px));
          put(inner, half * (-side * uy - ux), half * (side * ux - uy));
        }
      }
    }
  }
  for (let i = right.length - 2; i >= 0; i -= 2) left.push(right[i] as number, right[i + 1] as number);
  return left;
}

function withoutRepeats(points: readonly number[]): number[] {
  const line = points.slice(0, 2);
  for (let i = 2; i < points.length; i += 2)
    if (points[i] !== points[i - 2] || points[i + 1] !== points[i - 1])
      line.push(points[i] as number, points[i + 1] as number);
  return line;
}
