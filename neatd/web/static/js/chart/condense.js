/**
 * Thins the points of a line that is watched for days: of each bucket of steps the first, the last, the least and the
 * greatest stay, and the first of each kind of non-finite value.
 *
 * Pure. Buckets are powers of two wide and begin at multiples of their width, so that a point that stayed once stays
 * at the same place: condensing again changes nothing, and condensing twice as coarsely is the same from either.
 *
 * @typedef {{steps: number[], values: number[], times: number[]}} Columns  a time that is not known is NaN
 */

/** @returns {Columns} */
export const emptyColumns = () => ({ steps: [], values: [], times: [] });

const isBefore = (columns, i, bucket, size) =>
  columns.steps[i] < columns.steps[i - 1] || Math.floor(columns.steps[i] / size) !== bucket;

/** Adds to `kept` the indices of [from, to) that stay, in their order. */
function keepOf(values, from, to, kept) {
  const chosen = new Set([from, to - 1]);
  const seen = new Set();
  let low = -1;
  let high = -1;
  for (let i = from; i < to; i += 1) {
    const value = values[i];
    if (!Number.isFinite(value)) {
      if (!seen.has(value)) chosen.add(i);
      seen.add(value);
      continue;
    }
    if (low < 0 || value < values[low]) low = i;
    if (high < 0 || value > values[high]) high = i;
  }
  if (low >= 0) chosen.add(low).add(high);
  kept.push(...[...chosen].sort((a, b) => a - b));
}

const pick = (columns, kept) => ({
  steps: kept.map((i) => columns.steps[i]),
  values: kept.map((i) => columns.values[i]),
  times: kept.map((i) => columns.times[i]),
});

/**
 * The points that stay when buckets are `size` steps wide. A step that goes back begins a bucket.
 * @param {Columns} columns
 * @param {number} size  a power of two
 * @returns {Columns}
 */
export function condense(columns, size) {
  const { steps, values } = columns;
  const kept = [];
  let from = 0;
  for (let i = 1; i <= steps.length; i += 1) {
    if (i < steps.length && !isBefore(columns, i, Math.floor(steps[from] / size), size)) continue;
    keepOf(values, from, i, kept);
    from = i;
  }
  return pick(columns, kept);
}

/** As `condense`, of buckets of `count` points whatever their steps: for lines whose steps stand still. */
function condenseByCount(columns, count) {
  const kept = [];
  for (let from = 0; from < columns.steps.length; from += count) {
    keepOf(columns.values, from, Math.min(from + count, columns.steps.length), kept);
  }
  return pick(columns, kept);
}

const widest = (steps) => {
  let low = Infinity;
  let high = -Infinity;
  for (const step of steps) {
    if (step < low) low = step;
    if (step > high) high = step;
  }
  return high - low;
};

/**
 * The line in at most `most` points, and the width of the buckets it took; as it is when it is short enough.
 * @param {Columns} columns
 * @param {number} most
 * @param {number} [size]  the width taken the last time: never taken back, or points would come and go
 * @returns {{columns: Columns, size: number}}
 */
export function condenseTo(columns, most, size = 0) {
  if (columns.steps.length <= most) return { columns, size };
  const span = widest(columns.steps);
  const end = Math.max(1, span) * 2;
  let width = size || 2 ** Math.floor(Math.log2(end / most));
  let found = span ? condense(columns, width) : columns;
  while (span && found.steps.length > most && width < end) {
    width *= 2;
    found = condense(found, width);
  }
  for (let count = 8; found.steps.length > most; count *= 2) found = condenseByCount(found, count);
  return { columns: found, size: width };
}
