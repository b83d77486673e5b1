/**
 * Parallel coordinates without a screen: axes, where a trial lies on each, and which trials lie within ranges.
 *
 * Pure. A place on an axis is a share of it, from 0 at its foot to 1 at its head.
 *
 * @typedef {{name: string, title: string, places: (number|null)[], text: (share: number) => string, ticks: [number, string][]}} Axis
 */

import { number } from "../base/format.js";
import { choices } from "./traces.js";
import { isLog, isNumeric, paramOf, paramText, valueOf, variedNames } from "./trial.js";

const MOST_TICKS = 6;
const FEW = 8; // whole numbers that have a tick each

/** An axis of numbers; null where a trial has none. */
function numberAxis(name, title, values, log) {
  const to = log ? Math.log10 : (value) => value;
  const from = log ? (value) => 10 ** value : (value) => value;
  const placed = values.filter(Number.isFinite).map(to);
  const [low, high] = [Math.min(...placed), Math.max(...placed)];
  const share = (value) => (high > low ? (to(value) - low) / (high - low) : 0.5);
  const at = (one) => from(low + one * (high - low));
  const marked = [...new Set(values.filter(Number.isFinite))];
  const isFew = marked.length <= FEW && marked.every(Number.isInteger);
  const ticks = isFew ? marked.map((value) => [share(value), number(value)]) : (high > low ? [0, 0.25, 0.5, 0.75, 1] : [0.5]).map((one) => [one, number(at(one), 3)]);
  return {
    name, title: log ? `${title} (log)` : title, places: values.map((value) => (Number.isFinite(value) ? share(value) : null)),
    text: (one) => number(at(one), 3), ticks,
  };
}

/** An axis of choices, evenly apart. */
function choiceAxis(trials, name) {
  const words = choices(trials, name);
  const share = (word) => (words.length > 1 ? words.indexOf(word) / (words.length - 1) : 0.5);
  const every = Math.ceil(words.length / MOST_TICKS);
  return {
    name, title: name, places: trials.map((trial) => (paramOf(trial, name) === undefined ? null : share(paramText(paramOf(trial, name))))),
    text: (one) => words[Math.round(one * (words.length - 1))], ticks: words.map((word) => [share(word), word]).filter((_, at) => at % every === 0),
  };
}

/** An axis for each parameter that varies, and the goal's at last. @returns {Axis[]} */
export function axesOf(trials, { metric, space }) {
  const axes = variedNames(trials, space).map((name) => (isNumeric(trials, name, space)
    ? numberAxis(name, name, trials.map((trial) => paramOf(trial, name) ?? NaN), isLog(trials, name, space)) : choiceAxis(trials, name)));
  const values = trials.map(valueOf);
  return values.some(Number.isFinite) ? [...axes, numberAxis("", metric, values, false)] : axes;
}

/**
 * For each trial whether it lies within all ranges. A trial that has no place on a narrowed axis does not.
 * @param {Axis[]} axes
 * @param {Map<string, [number, number]>} ranges  by the axis' name
 */
export function within(axes, ranges, count) {
  const told = new Array(count).fill(true);
  for (const { name, places } of axes) {
    const range = ranges.get(name);
    if (!range) continue;
    places.forEach((place, at) => {
      if (place === null || place < range[0] - 1e-9 || place > range[1] + 1e-9) told[at] = false;
    });
  }
  return told;
}

/** The line of one trial through axes at `xs`: pieces, where it is missing from an axis. `yOf` turns a share into a height. */
export function pathOf(axes, at, xs, yOf) {
  let isDown = false;
  return axes.map(({ places }, i) => {
    if (places[at] === null) {
      isDown = false;
      return "";
    }
    const word = `${isDown ? "L" : "M"}${xs[i].toFixed(1)} ${yOf(places[at]).toFixed(1)}`;
    isDown = true;
    return word;
  }).join("");
}
