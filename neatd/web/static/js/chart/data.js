/**
 * Lines as a page gives them become the columns that are drawn.
 *
 * Pure. uPlot's mode 2 is used, each line with its own x: 50 lines of 2,000 points whose steps differ would be joined
 * to one x of 100,000 rows, nearly all of them empty. A stretch begins where a step goes back and at a restart; no
 * line is drawn from one stretch to the next.
 *
 * @typedef {import("./condense.js").Columns} Columns
 * @typedef {{xs: number[], ys: number[], raw: number[]|null, starts: number[], steps: number[], times: number[],
 *   values: number[], isSorted: boolean}} Drawn
 */
import { emptyColumns } from "./condense.js";
import { smooth } from "./smooth.js";

/** A number as JSON carries it: "NaN", "Infinity" and "-Infinity" are words there; null is no number. */
export const numberOf = (value) => (typeof value === "number" ? value : value === null ? NaN : Number(value));

/** Adds points `[step, value, time|null]` to columns. */
export function extend(columns, points) {
  for (const [step, value, time] of points) {
    columns.steps.push(numberOf(step));
    columns.values.push(numberOf(value));
    columns.times.push(time === undefined ? NaN : numberOf(time));
  }
  return columns;
}

/** @returns {Columns} */
export const columnsOf = (points) => extend(emptyColumns(), points);

/** 1 for each point that begins a stretch; `restarts` are the steps from which a run went on anew. */
export function startsOf(steps, restarts = []) {
  const begins = [...restarts].sort((a, b) => a - b);
  let next = 0;
  return steps.map((step, i) => {
    const isBack = i === 0 || step < steps[i - 1];
    if (!begins.length) return isBack ? 1 : 0;
    if (isBack) next = begins.findIndex((begin) => begin > step);
    let isRestart = false;
    while (next >= 0 && next < begins.length && begins[next] <= step) {
      isRestart = true;
      next += 1;
    }
    return isBack || isRestart ? 1 : 0;
  });
}

/** The time of a run's first point, for each run: what relative times count from. */
export function startTimes(lines) {
  const starts = new Map();
  for (const { run, startedAt, columns } of lines) {
    const first = startedAt ?? columns.times.find(Number.isFinite);
    if (first !== undefined) starts.set(run, Math.min(first, starts.get(run) ?? Infinity));
  }
  return starts;
}

/** Where a point lies on an axis; NaN when that is not known. */
export function xOf(axis, step, time, startedAt) {
  if (axis === "step") return step;
  return axis === "wall" ? time : time - (startedAt ?? NaN);
}

/** How many of the points from index `from` on have no value to draw, none for a log axis, no time. */
export function tally({ values, times }, from = 0) {
  const counts = { nan: 0, up: 0, down: 0, low: 0, timeless: 0 };
  for (let i = from; i < values.length; i += 1) {
    if (!Number.isFinite(values[i])) counts[kindOf(values[i])] += 1;
    else if (values[i] <= 0) counts.low += 1;
    if (!Number.isFinite(times[i])) counts.timeless += 1;
  }
  return counts;
}

/** The sum of counts. */
export function summed(all) {
  const sum = { nan: 0, up: 0, down: 0, low: 0, timeless: 0 };
  for (const counts of all) for (const name of Object.keys(sum)) sum[name] += counts[name];
  return sum;
}

/** @returns {"nan"|"up"|"down"} */
export const kindOf = (value) => (value === Infinity ? "up" : value === -Infinity ? "down" : "nan");

const onLog = (value) => (value > 0 ? value : value === -Infinity || Number.isNaN(value) ? value : NaN);

/** Every point has its place: the columns themselves are what is drawn. */
function asTheyAre({ steps, values, times }, smoothed, starts) {
  const isSorted = steps.every((step, i) => i === 0 || step >= steps[i - 1]);
  return { xs: steps, ys: smoothed ?? values, raw: smoothed ? values : null, starts, steps, times, values, isSorted };
}

/**
 * What is drawn of a line. Points without a place on the x axis are left out; values that a log axis has no place for
 * break the line. `tally` counts both.
 * @param {{columns: Columns, restarts?: number[], gap?: number, isExact?: boolean}} line
 * @param {{axis: string, log: boolean, smoothing: number, smoothingKind: string}} options
 * @param {number|undefined} startedAt
 * @returns {Drawn}
 */
export function drawnOf(line, options, startedAt) {
  const { steps, values, times } = line.columns;
  const begins = startsOf(steps, line.restarts);
  const weight = line.isExact ? 0 : Math.min(Math.max(options.smoothing || 0, 0), 0.999);
  const smoothed = weight ? smooth(options.smoothingKind, steps, values, begins, weight, line.gap) : values;
  if (options.axis === "step" && !options.log) return asTheyAre(line.columns, weight ? smoothed : null, begins);
  const drawn = { xs: [], ys: [], raw: weight ? [] : null, starts: [], steps: [], times: [], values: [], isSorted: true };
  const shown = options.log ? onLog : (value) => value;
  let isBegun = false;
  for (let i = 0; i < steps.length; i += 1) {
    const x = xOf(options.axis, steps[i], times[i], startedAt);
    isBegun = isBegun || begins[i] === 1;
    if (!Number.isFinite(x)) continue;
    if (drawn.xs.length && x < drawn.xs[drawn.xs.length - 1]) drawn.isSorted = false;
    drawn.xs.push(x);
    drawn.ys.push(shown(smoothed[i]));
    if (drawn.raw) drawn.raw.push(shown(values[i]));
    drawn.starts.push(isBegun ? 1 : 0);
    drawn.steps.push(steps[i]);
    drawn.times.push(times[i]);
    drawn.values.push(values[i]);
    isBegun = false;
  }
  return drawn;
}

/** The index of the point nearest to x, or -1. Of points equally near the later one. */
export function nearest(drawn, x) {
  const { xs } = drawn;
  if (!xs.length) return -1;
  if (!drawn.isSorted) {
    let best = 0;
    for (let i = 1; i < xs.length; i += 1) if (Math.abs(xs[i] - x) <= Math.abs(xs[best] - x)) best = i;
    return best;
  }
  const after = firstFrom(xs, x);
  if (after === 0) return 0;
  if (after === xs.length) return xs.length - 1;
  return x - xs[after - 1] < xs[after] - x ? after - 1 : after;
}

/** The first index of a sorted column whose value is not below x. */
export function firstFrom(xs, x) {
  let low = 0;
  let high = xs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}
