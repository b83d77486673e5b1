/**
 * Bands around lines: the area between the least and the greatest of what a line is the mean of.
 *
 * @typedef {{xs: number[], lows: number[], highs: number[]}} Band
 */
import { colourName } from "./theme.js";

/** Pure: the bands of lines as columns, for the y axis to have room for them. */
export const bandColumns = (entries) =>
  entries.filter(({ line }) => line.band).flatMap(({ line: { band } }) => [{ xs: band.xs, ys: band.lows }, { xs: band.xs, ys: band.highs }]);

/** Draws the bands of the lines shown, behind all lines. A step without finite values divides a band. */
export function drawBands(u, entries, theme) {
  const banded = entries.filter(({ line }) => line.band);
  if (!banded.length) return;
  const { ctx } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  ctx.clip();
  ctx.globalAlpha = 0.16;
  for (const { line } of banded) {
    ctx.fillStyle = theme[colourName(line.colour)];
    for (const stretch of stretchesOf(line.band, u)) fill(u, line.band, stretch);
  }
  ctx.restore();
}

function stretchesOf({ lows, highs }, u) {
  const isLog = u.scales.y.distr === 3;
  const found = [];
  let from = -1;
  for (let i = 0; i <= lows.length; i += 1) {
    const isThere = i < lows.length && Number.isFinite(lows[i]) && Number.isFinite(highs[i]) && (!isLog || lows[i] > 0);
    if (isThere && from < 0) from = i;
    if (!isThere && from >= 0) {
      found.push([from, i]);
      from = -1;
    }
  }
  return found;
}

function fill(u, { xs, lows, highs }, [from, to]) {
  const { ctx } = u;
  const at = (i, ys) => [u.valToPos(xs[i], "x", true), u.valToPos(ys[i], "y", true)];
  ctx.beginPath();
  for (let i = from; i < to; i += 1) ctx.lineTo(...at(i, highs));
  for (let i = to - 1; i >= from; i -= 1) ctx.lineTo(...at(i, lows));
  ctx.closePath();
  ctx.fill();
}
