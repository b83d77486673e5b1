/**
 * What a cursor of the API tells: how far each file of a run was read. It came with the points that somebody holds, and
 * comes with each event of the stream: by both, an event is known to be new, known already, or partly so. Of two cursors of
 * a run one goes at least as far as the other in every file. Pure.
 *
 * @typedef {{from: string|null, to: string}} Told  where the stream stood before an event and stands after it; null: not known
 */
import { later } from "./window.js";

/** @returns {Map<string, [number, string]>|null} file -> its last line and of what reading; null where that is not known */
export function positionsOf(cursor) {
  if (!cursor) return null;
  try {
    return new Map(Object.entries(JSON.parse(atob(cursor.replaceAll("-", "+").replaceAll("_", "/")))));
  } catch {
    return null; // not one of this server's: steps decide
  }
}

/** Whether all that goes up to `cursor` is there at `other` too. Mostly they are the same, and need not be read. */
export function isWithin(cursor, other) {
  if (cursor === other) return Boolean(cursor);
  const [some, all] = [positionsOf(cursor), positionsOf(other)];
  return some !== null && all !== null && [...some].every(([file, [line, reading]]) => all.get(file)?.[1] === reading && line <= all.get(file)[0]);
}

/**
 * Adds what an event tells to what is held, and says which of it was new. A step may come twice in a file: only where an
 * event and an answer overlap are the points told from each other by their steps.
 * @param {{points: import("./window.js").Points, cursor: string|null}} held
 * @param {Told} told
 */
export function take(held, points, told) {
  const isNew = isWithin(held.cursor, told.from);
  if (!isNew && isWithin(told.to, held.cursor)) return [];
  const fresh = isNew ? points : later(held.points, points);
  held.points.push(...fresh);
  held.cursor = told.to;
  return fresh;
}
