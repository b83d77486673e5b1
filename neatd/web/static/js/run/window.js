/**
 * Ranges of an axis and the steps that lie in them; points that are newer than others. Pure.
 *
 * @typedef {[number, number|string|null, number|null][]} Points  step, value, unix seconds
 */
import { xOf } from "../chart/data.js";

const MARGIN = 0.02; // of a window on each side, so that lines go on to the edges of the plot

/** Whether b comes after a in its series. Steps of one attempt never go back; the machine's may stand still. */
export const isLater = (b, a) => b[0] > a[0] || (b[0] === a[0] && (b[2] ?? 0) > (a[2] ?? 0));

/** The points that come after the last of `before`. */
export function later(before, points) {
  const last = before[before.length - 1];
  return last ? points.filter((point) => isLater(point, last)) : points;
}

/**
 * The steps of a range of an axis. On the axes of time they are looked up in the points of a series: never fewer than
 * lie in the range, and the nearer the denser the points.
 * @param {[number, number]} range
 * @param {{points: Points, startedAt: number}} reference
 * @returns {[number, number]|null} null where no point has a place on the axis
 */
export function stepsOf(range, axis, { points, startedAt }) {
  if (axis === "step") return [Math.floor(range[0]), Math.ceil(range[1])];
  const placed = points.filter(([step, , time]) => Number.isFinite(xOf(axis, step, time ?? NaN, startedAt)));
  if (!placed.length) return null;
  const x = ([step, , time]) => xOf(axis, step, time, startedAt);
  const before = placed.filter((point) => x(point) <= range[0]).at(-1) ?? placed[0];
  const after = placed.find((point) => x(point) >= range[1]) ?? placed.at(-1);
  return [Math.min(before[0], after[0]), Math.max(before[0], after[0])];
}

/** A range as it stands in the address: whole steps, milliseconds. */
export function rounded([from, to], axis) {
  if (axis === "step") return to - from >= 2 ? [Math.round(from), Math.round(to)] : [from, to];
  return [from, to].map((x) => Math.round(x * 1000) / 1000);
}

/** A little more than a window on both sides. */
export function withMargin([from, to]) {
  const margin = Math.max(1, Math.ceil((to - from) * MARGIN));
  return [from - margin, to + margin];
}

/** The same stretch on another axis; null where that is not known. */
export function translated(range, from, to, reference) {
  const steps = stepsOf(range, from, reference);
  if (!steps || from === to) return from === to ? range : null;
  if (to === "step") return steps[0] < steps[1] ? steps : null;
  const ends = [nearestTo(reference.points, steps[0]), nearestTo(reference.points, steps[1])];
  const found = ends.map((point) => (point ? xOf(to, point[0], point[2] ?? NaN, reference.startedAt) : NaN));
  return found.every(Number.isFinite) && found[0] < found[1] ? found : null;
}

function nearestTo(points, step) {
  const timed = points.filter((point) => Number.isFinite(point[2] ?? NaN));
  return timed.reduce((best, point) => (!best || Math.abs(point[0] - step) < Math.abs(best[0] - step) ? point : best), null);
}

/** Whether a range holds all of a domain, and whether it holds nothing of it. */
export const isAllOf = ([from, to], domain) => from <= domain[0] && to >= domain[1];
export const isBeside = ([from, to], domain) => to < domain[0] || from > domain[1];

/** From the first to the last step of series, as their facts tell them; null of none. */
export function stepsIn(series) {
  const known = Object.values(series).filter(({ first_step: first, last_step: last }) => Number.isFinite(first) && Number.isFinite(last));
  return known.length ? [Math.min(...known.map((one) => one.first_step)), Math.max(...known.map((one) => one.last_step))] : null;
}

/** From the first to the last place of all these points on an axis; null of none. */
export function domainOf(many, axis, startedAt) {
  let [low, high] = [Infinity, -Infinity];
  for (const points of many) {
    for (const [step, , time] of ends(points, axis)) {
      const x = xOf(axis, step, time ?? NaN, startedAt);
      if (x < low) low = x;
      if (x > high) high = x;
    }
  }
  if (low > high) return null;
  return low < high ? [low, high] : [low - 0.5, high + 0.5];
}

/** The first and the last point that may have a place. */
function ends(points, axis) {
  if (axis === "step") return [points[0], points.at(-1)].filter(Boolean);
  const isTimed = ([, , time]) => Number.isFinite(time ?? NaN);
  return [points.find(isTimed), points.findLast(isTimed)].filter(Boolean);
}
