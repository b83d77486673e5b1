/**
 * Smoothed lines: an exponential moving average freed of its start (debiased), and one that weighs by the distance
 * between points.
 *
 * Pure. Smoothing never crosses a value that is not finite, nor a restart: behind it the average begins anew. Where
 * the value is not finite, the smoothed value is the same not finite one.
 */

/** The middle distance between neighbouring points that go forward: what one point weighs in `timeEma`. */
export function usualGap(xs) {
  const gaps = [];
  for (let i = 1; i < xs.length; i += 1) if (xs[i] > xs[i - 1]) gaps.push(xs[i] - xs[i - 1]);
  if (!gaps.length) return 1;
  gaps.sort((a, b) => a - b);
  return gaps[gaps.length >> 1];
}

/** `weightOf(i)` is what the average before point i weighs there. */
function average(values, starts, weightOf) {
  const smoothed = new Array(values.length);
  let sum = 0;
  let total = 0;
  for (let i = 0; i < values.length; i += 1) {
    if (starts[i] || !Number.isFinite(values[i])) sum = total = 0;
    if (!Number.isFinite(values[i])) {
      smoothed[i] = values[i];
      continue;
    }
    const weight = weightOf(i, total === 0);
    sum = weight * sum + (1 - weight) * values[i];
    total = weight * total + (1 - weight);
    smoothed[i] = sum / total;
  }
  return smoothed;
}

/**
 * Debiased exponential moving average.
 * @param {number[]} values
 * @param {ArrayLike<number>} starts  1 where a stretch begins (a restart), else 0
 * @param {number} weight  of the past, from 0 (nothing is smoothed) to below 1
 * @returns {number[]}
 */
export const ema = (values, starts, weight) => average(values, starts, () => weight);

/**
 * The same for uneven steps: the past weighs `weight` after one usual gap, its square after two.
 * @param {number[]} xs
 * @param {number[]} values
 * @param {ArrayLike<number>} starts
 * @param {number} weight
 * @param {number} [gap]  the usual gap; given by who adds points to a line, or its past would change
 * @returns {number[]}
 */
export const timeEma = (xs, values, starts, weight, gap = usualGap(xs)) =>
  average(values, starts, (i, isFirst) => (isFirst ? weight : weight ** (Math.max(0, xs[i] - xs[i - 1]) / gap)));

/** @param {"ema"|"time"} kind */
export const smooth = (kind, xs, values, starts, weight, gap) =>
  kind === "time" ? timeEma(xs, values, starts, weight, gap) : ema(values, starts, weight);
