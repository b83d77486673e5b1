/**
 * Numbers and times of charts in words: labels of ticks, the place of the cursor, what a screen reader says.
 *
 * Pure but for the reader's time zone.
 */

import { number, step as grouped } from "../base/format.js";

const two = (number) => String(Math.floor(number)).padStart(2, "0");

/** A value in at most `digits` digits; words for those that are not finite. */
export function valueText(value, digits = 5) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Infinity" : "-Infinity";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e7) return value.toExponential(Math.min(digits - 1, 3)).replace(/\.?0*e\+?/, "e");
  return String(Number(value.toPrecision(digits)));
}

/** A whole step with its thousands apart. */
export const stepText = (step) => (Number.isInteger(step) ? grouped(step) : valueText(step, 7));

const SUFFIXES = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];

/** A step on an axis: 1,500 is 1.5k. */
export function shortStep(step) {
  const found = SUFFIXES.find(([size]) => Math.abs(step) >= size && Math.abs(step) >= 10000);
  return found ? `${Number((step / found[0]).toPrecision(6))}${found[1]}` : stepText(step);
}

/** Seconds as 42s, 3m 20s, 2h 05m or 3d 4h. */
export function spanText(seconds) {
  if (seconds < 0) return `-${spanText(-seconds)}`;
  if (seconds < 60) return `${Number(seconds.toFixed(seconds < 10 ? 1 : 0))}s`;
  const parts = [seconds / 86400, (seconds / 3600) % 24, (seconds / 60) % 60, seconds % 60];
  const [days, hours, minutes, rest] = parts.map(Math.floor);
  if (days) return `${days}d${hours ? ` ${hours}h` : ""}`;
  if (hours) return `${hours}h${minutes ? ` ${two(minutes)}m` : ""}`;
  return `${minutes}m${rest ? ` ${two(rest)}s` : ""}`;
}

const dayText = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
const clockText = (date, isFine) =>
  [date.getHours(), date.getMinutes(), ...(isFine ? [date.getSeconds()] : [])].map(two).join(":");

/** A moment in the reader's zone, to the second. */
export const momentText = (unix) => `${dayText(new Date(unix * 1000))} ${clockText(new Date(unix * 1000), true)}`;

/** Labels of moments: the clock, and the day below it where it changes. */
export function momentLabels(ticks) {
  const isFine = ticks.length > 1 && (ticks[1] - ticks[0]) % 60 !== 0;
  let day = "";
  return ticks.map((tick) => {
    const date = new Date(tick * 1000);
    const isNew = dayText(date) !== day;
    day = dayText(date);
    return isNew ? `${clockText(date, isFine)}\n${day}` : clockText(date, isFine);
  });
}

/** Where the cursor is, in words of its axis. There is no half step, unless the data have some. */
export function placeText(axis, x, areStepsWhole = true) {
  if (axis === "wall") return momentText(x);
  if (axis === "relative") return `${spanText(x)} after the start`;
  return `step ${stepText(areStepsWhole || Math.abs(x) >= 100 ? Math.round(x) : Number(x.toPrecision(4)))}`;
}

/** "1 point", "2 points". */
export const counted = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
