/**
 * A group's mean with its band, as a chart draws it. Pure.
 */

import { counted } from "../chart/words.js";
import { aggregate } from "./grouping.js";

/**
 * @param {{label: string, runs: string[]}[]} groups
 * @param {string[]} runs  that have points of the series
 * @param {{name: string, pointsOf: (run: string) => Array, isWhole: (run: string) => boolean, page: object}} card
 */
export function groupLines(groups, runs, card) {
  const there = new Set(runs);
  const whole = new Set(runs.filter((run) => card.isWhole(run)));
  const notes = [];
  const lines = groups.flatMap((group, at) => {
    const members = group.runs.filter((run) => whole.has(run));
    const found = aggregate(members.map((run) => card.pointsOf(run)));
    if (found.left && members.length) {
      notes.push(`${group.label}: ${counted(found.left, "step")} that not all ${members.length} runs have left out.`);
    }
    return found.steps.length ? [lineOf(card.name, group, at, found)] : [];
  });
  const long = there.size - whole.size;
  if (long) notes.push(`${counted(long, "run")} left out of the means: too many points to have all of them.`);
  return { lines, notes };
}

function lineOf(name, group, at, { steps, means, lows, highs, count }) {
  return {
    key: `group ${group.label}`, run: `group ${group.label}`, name, label: `${group.label} (mean, n = ${count})`, colour: at, dash: at,
    points: steps.map((step, i) => [step, means[i], null]), band: { xs: steps, lows, highs },
  };
}
