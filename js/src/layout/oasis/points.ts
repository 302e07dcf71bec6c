import type { Reader } from "./reader";

/** Read a point list as x, y, x, y, …, relative to its first point; the closing points of polygons are added. */
export function readPoints(reader: Reader, closed: boolean): number[] {
  const kind = reader.uint();
  const count = reader.uint();
  if (count > reader.left) reader.fail("a list of points is longer than the file");
  const points = [0, 0];
  let x = 0;
  let y = 0;
  if (kind <= 1) {
    let horizontal = kind === 0;
    for (let i = 0; i < count; i++) {
      if (horizontal) x += reader.coordinate();
      else y += reader.coordinate();
      horizontal = !horizontal;
      points.push(x, y);
    }
    if (closed) points.push(horizontal ? 0 : x, horizontal ? y : 0);
    return points;
  }
  if (kind > 5) reader.fail(`there is no list of points of kind ${kind}`);
  let stepX = 0;
  let stepY = 0;
  for (let i = 0; i < count; i++) {
    if (kind === 2 || kind === 3) {
      const value = reader.uint();
      const directions = kind === 2 ? 4 : 8;
      reader.octant(value % directions, reader.fits(Math.floor(value / directions)));
    } else reader.delta();
    stepX = kind === 5 ? stepX + reader.dx : reader.dx;
    stepY = kind === 5 ? stepY + reader.dy : reader.dy;
    x += stepX;
    y += stepY;
    points.push(x, y);
  }
  return points;
}
