/**
 * Points of many runs as charts ask for them: previews before whole charts, a few requests at a time, so that lines are on
 * every chart in view before any is drawn finely.
 */

import { get } from "../base/api.js";

const AT_ONCE = 2;
const FIRST_MS = 150; // that the first chart has to itself: its lines are seen before others are asked for
export const PREVIEW = 200; // points of a line
export const MOST_POINTS = 20000; // that the API gives of a series
const MOST_ALL = 1_000_000; // that it gives at once
const waiting = [];
let busy = 0;
let most = 1; // at once, until the first answer is drawn

function next() {
  while (busy < most && waiting.length) {
    waiting.sort((a, b) => a.rank - b.rank);
    const { work, resolve, reject } = waiting.shift();
    busy += 1;
    work().then(resolve, reject).finally(() => {
      busy -= 1;
      if (most === AT_ONCE) next();
      else setTimeout(begin, FIRST_MS);
    });
  }
}

function begin() {
  most = AT_ONCE;
  next();
}

const inTurn = (rank, work) => new Promise((resolve, reject) => {
  waiting.push({ rank, work, resolve, reject });
  next();
});

/** How many points of each line make every line whole, as far as the API goes. */
export const wholePoints = (count) => Math.min(MOST_POINTS, Math.floor(MOST_ALL / Math.max(1, count)));

/**
 * One series of several runs. `rank`: the lower, the sooner.
 * @param {{name: string, runs: string[], points: number, window?: [number, number]|null, rank?: number, signal?: AbortSignal}} asked
 * @returns {Promise<Map<string, {points: Array, total: number, isWhole: boolean, cursor: string, startedAt: number, restarts: number[]}>>}
 */
export async function pointsOf({ name, runs, points, window = null, rank = 0, signal = undefined }) {
  if (!runs.length) return new Map();
  const [from, to] = window ?? [];
  const answer = await inTurn(rank, () => get("series", { run: runs, name, points: Math.max(8, Math.round(points)), from, to }, signal));
  const found = new Map();
  for (const [run, { cursor, started_at: started, series }] of Object.entries(answer.runs)) {
    const drawn = series[name];
    found.set(run, {
      points: drawn?.points ?? [], total: drawn?.total ?? 0, isWhole: drawn?.is_whole ?? true, cursor,
      startedAt: Date.parse(started) / 1000,
      restarts: (drawn?.abandoned ?? []).filter((rows) => rows.length).map((rows) => rows[0][0]),
    });
  }
  return found;
}

/** Pure: a line with one stretch of it in finer points. */
export function merged(points, fine, [from, to]) {
  const before = points.filter(([step]) => step < from);
  const after = points.filter(([step]) => step > to);
  return [...before, ...fine, ...after];
}
