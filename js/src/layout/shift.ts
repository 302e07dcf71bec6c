const ALL = 0xffffffff;

/**
 * Fill the rows `low` to `high` of a bitmap with what is `dx` and `dy` pixels away. The bitmap is moved as one row of
 * bits, which is quick, and what came over from a neighbouring row is taken away afterwards.
 */
export function moveRows(
  plane: Int32Array,
  words: number,
  low: number,
  high: number,
  dx: number,
  dy: number,
  width: number,
): void {
  const far = Math.floor(dx / 32);
  const near = dx - 32 * far;
  const away = dy * words + far;
  const first = low * words;
  const past = (high + 1) * words;
  // What is read lies within the bitmap but for its first and last words; those may be anything, and are cleaned below.
  const from = Math.max(first, away + 1);
  const to = Math.min(past, plane.length + away);
  if (near === 0) {
    plane.copyWithin(Math.max(first, away), Math.max(first - away, 0), Math.max(past - away, 0));
  } else if (away >= 0) {
    for (let i = to - 1; i >= from; i--)
      plane[i] = ((plane[i - away] as number) << near) | ((plane[i - away - 1] as number) >>> (32 - near));
    if (from > first && from > away) plane[away] = (plane[0] as number) << near;
  } else {
    for (let i = from; i < to; i++)
      plane[i] = ((plane[i - away] as number) << near) | ((plane[i - away - 1] as number) >>> (32 - near));
    if (to < past) plane[to] = (plane[plane.length - 1] as number) >>> (32 - near);
  }
  const last = ALL >>> ((32 - (width & 31)) & 31);
  for (let row = first; row < past; row += words) {
    if (far >= 0) {
      plane.fill(0, row, row + Math.min(far, words));
      if (far < words) plane[row + far] = (plane[row + far] as number) & (ALL << near);
    } else {
      const end = row + Math.max(words + far, 0);
      if (words + far >= 0) plane[end] = (plane[end] as number) & ~(ALL << near);
      plane.fill(0, words + far >= 0 ? end + 1 : row, row + words);
    }
    // What has left the view must not come back from the unused bits of the last word.
    plane[row + words - 1] = (plane[row + words - 1] as number) & last;
  }
}
