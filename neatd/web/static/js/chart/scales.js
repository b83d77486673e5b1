/**
 * Domains and ticks of the axes.
 *
 * Pure. The y domain comes from finite values only; a log axis is a true log10 one, without a linear part, so that it
 * has no place for values that are not above 0.
 */

const DAY = 86400;
const SPANS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, DAY, 2 * DAY, 7 * DAY];
const OUTLYING = 0.02; // of the values on each side, when outliers are ignored

/** Why a log axis is not possible, in words for the reader; "" when it is. */
export function whyNoLog(columns) {
  const isAny = columns.some((values) => values.some((value) => value > 0 && Number.isFinite(value)));
  return isAny ? "" : "A log axis needs a value above 0: there is none.";
}

/** The values of lines within [from, to], or all of them. */
function finiteWithin(columns, from, to) {
  const found = [];
  eachWithin(columns, from, to, (y) => found.push(y));
  return found;
}

function eachWithin(columns, from, to, take) {
  for (const { xs, ys } of columns) {
    for (let i = 0; i < xs.length; i += 1) if (xs[i] >= from && xs[i] <= to && Number.isFinite(ys[i])) take(ys[i]);
  }
}

/** Their extent; null of none. A hundred thousand points are not copied for it. */
function extentWithin(columns, from, to) {
  let low = Infinity;
  let high = -Infinity;
  eachWithin(columns, from, to, (y) => {
    if (y < low) low = y;
    if (y > high) high = y;
  });
  return low <= high ? [low, high] : null;
}

/** [least, greatest] of numbers, null of none. */
export function extent(numbers) {
  let low = Infinity;
  let high = -Infinity;
  for (const number of numbers) {
    if (number < low) low = number;
    if (number > high) high = number;
  }
  return low <= high ? [low, high] : null;
}

/** The extent without the 2 % at each end; numbers that few hold are kept whole. */
export function withoutOutliers(numbers) {
  if (numbers.length < 20) return extent(numbers);
  const sorted = Float64Array.from(numbers).sort();
  const at = (part) => sorted[Math.round(part * (sorted.length - 1))];
  return [at(OUTLYING), at(1 - OUTLYING)];
}

const padded = ([low, high]) => {
  const room = high > low ? (high - low) * 0.06 : Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
};

/**
 * The y domain.
 * @param {{xs: number[], ys: number[]}[]} columns
 * @param {{log: boolean, isIgnoringOutliers?: boolean, range?: [number, number]|null}} options
 * @returns {[number, number]}
 */
export function yDomain(columns, { log, isIgnoringOutliers = false, range = null }) {
  const [from, to] = range ?? [-Infinity, Infinity];
  const within = isIgnoringOutliers ? (...view) => withoutOutliers(finiteWithin(...view)) : extentWithin;
  const ends = within(columns, from, to) ?? within(columns, -Infinity, Infinity);
  if (!ends) return log ? [0.1, 1] : [0, 1];
  if (!log) return padded(ends);
  const [low, high] = padded(ends.map(Math.log10));
  return [10 ** low, 10 ** high];
}

/** The x domain: from the first to the last place of any line, and a little where they are one. */
export function xDomain(columns) {
  const endsOf = ({ xs, isSorted }) => (isSorted ? xs.slice(0, 1).concat(xs.slice(-1)) : (extent(xs) ?? []));
  const ends = extent(columns.flatMap(endsOf));
  if (!ends) return [0, 1];
  return ends[0] < ends[1] ? ends : [ends[0] - 0.5, ends[1] + 0.5];
}

/** Multiples of 1, 2 or 5 times a power of ten, about `count` of them. */
export function linearTicks(min, max, count) {
  const rough = (max - min) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const by = [1, 2, 5, 10].find((times) => times * power >= rough) * power;
  return multiples(min, max, by);
}

/** Whole numbers only: there is no half step. */
export function stepTicks(min, max, count) {
  return linearTicks(min, max, count).filter(Number.isInteger);
}

function multiples(min, max, by, shift = 0) {
  const ticks = [];
  for (let i = Math.ceil((min + shift) / by - 1e-9); i * by - shift <= max + by * 1e-9; i += 1) {
    ticks.push(Number((i * by - shift).toPrecision(12)));
  }
  return ticks;
}

/** Powers of ten; 2 and 5 times them where there are few; linear ones within less than a decade. */
export function logTicks(min, max, count) {
  const [low, high] = [Math.log10(min), Math.log10(max)];
  if (high - low < 0.8) return linearTicks(min, max, count).filter((tick) => tick > 0);
  const every = Math.max(1, Math.ceil((high - low) / Math.max(1, count)));
  const times = every === 1 && high - low < count / 3 ? [1, 2, 5] : [1];
  const ticks = [];
  for (let power = Math.floor(low); power <= high; power += 1) {
    if (power % every) continue;
    ticks.push(...times.map((time) => Number(`${time}e${power}`)).filter((tick) => tick >= min && tick <= max));
  }
  return ticks;
}

/** Whole spans of time; `shift` seconds east of Greenwich, so that days begin at midnight. */
export function timeTicks(min, max, count, shift = 0) {
  const rough = (max - min) / Math.max(1, count);
  if (rough < 1) return linearTicks(min, max, count);
  const by = SPANS.find((span) => span >= rough) ?? Math.ceil(rough / (7 * DAY)) * 7 * DAY;
  return multiples(min, max, by, shift);
}
