/**
 * Groups of runs by a parameter, and what a group's lines are together.
 *
 * Pure. A mean is made only of steps that every run of the group has: nothing is interpolated, and the number of runs
 * behind a line is the same along all of it. A value that is not finite makes the mean of its step NaN; none is left out.
 */

import { numberOf } from "../chart/data.js";

export const MOST_GROUPS = 20;

const keyOf = (value) => JSON.stringify(value ?? null);

/** Parameters that make groups: some runs share a value, and there are not too many values. */
export function groupable(parameters) {
  return Object.entries(parameters).filter(([, values]) => {
    const count = new Set(values.map(keyOf)).size;
    return count > 1 && count < values.length && count <= MOST_GROUPS;
  }).map(([name]) => name);
}

/** A parameter's value in words. */
export const valueWords = (value) => (value === null || value === undefined ? "not set" : typeof value === "object" ? JSON.stringify(value) : String(value));

/**
 * Runs by their value of a parameter: numbers in order, then words, those without a value last.
 * @returns {{label: string, runs: string[]}[]}
 */
export function groupsOf(runs, values) {
  const found = new Map();
  runs.forEach((run, at) => {
    const value = values[at] ?? null;
    const group = found.get(keyOf(value)) ?? { value, label: valueWords(value), runs: [] };
    group.runs.push(run);
    found.set(keyOf(value), group);
  });
  return [...found.values()].sort(byValue);
}

function byValue({ value: a, label }, { value: b, label: other }) {
  const rank = (value) => (typeof value === "number" ? 0 : value === null ? 2 : 1);
  return rank(a) - rank(b) || (rank(a) === 0 ? a - b : label.localeCompare(other, undefined, { numeric: true }));
}

/**
 * Several runs' points of one series as one line.
 * @param {[number, number|string|null, number|null][][]} lines  the whole points of each run
 * @returns {{steps: number[], means: number[], lows: number[], highs: number[], count: number, left: number}}
 *   `count` runs; `left` is how many steps of the longest were left out, because not all have them
 */
export function aggregate(lines) {
  const byStep = lines.map((points) => new Map(points.map(([step, value]) => [step, numberOf(value)])));
  const found = { steps: [], means: [], lows: [], highs: [], count: lines.length, left: 0 };
  if (!lines.length) return found;
  const shortest = byStep.reduce((best, one) => (one.size < best.size ? one : best));
  const common = [...shortest.keys()].filter((step) => byStep.every((one) => one.has(step))).sort((a, b) => a - b);
  for (const step of common) add(found, step, byStep.map((one) => one.get(step)));
  found.left = Math.max(...byStep.map((one) => one.size)) - common.length;
  return found;
}

function add(found, step, values) {
  const finite = values.filter(Number.isFinite);
  found.steps.push(step);
  found.means.push(finite.length === values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : NaN);
  found.lows.push(finite.length ? Math.min(...finite) : NaN);
  found.highs.push(finite.length ? Math.max(...finite) : NaN);
}
