/**
 * What a chart does not show, said below it: values that are not finite, values that a log axis has no place for,
 * points without a time.
 */
import { summed } from "./data.js";
import { counted } from "./words.js";
import { nonfiniteText } from "./nonfinite.js";

/** Pure: the notes of a chart, each a sentence. */
export function notesOf({ shown, isEmpty, options, whyNoLog }) {
  const counts = summed(shown.map((entry) => entry.counts));
  const notes = [];
  if (options.isPart && shown.length && isBare(shown, options.range)) notes.push("No points in this range.");
  else if (isEmpty) notes.push("No points yet.");
  else if (!shown.length) notes.push("All lines are hidden.");
  if (options.log && whyNoLog && shown.length) notes.push(`${whyNoLog} The axis is linear.`);
  if (options.log && !whyNoLog && counts.low) {
    notes.push(`${counted(counts.low, "value")} at or below 0 not drawn: a log axis has no place for them.`);
  }
  if (options.axis !== "step" && counts.timeless) {
    notes.push(`${counted(counts.timeless, "point")} without a time left out on this axis.`);
  }
  if (nonfiniteText(counts)) notes.push(nonfiniteText(counts));
  if (options.isIgnoringOutliers && shown.length) notes.push("The axis leaves out the outer 2 % of the values at each end.");
  return notes;
}

const isBare = (shown, [from, to]) => !shown.some(({ drawn }) => drawn.xs.some((x) => x >= from && x <= to));

const LAST = 5;

/** Pure: the chart in one sentence: its title, its lines and where each of them stands. */
export function describe(title, shown, valueText) {
  const lasts = shown.slice(0, LAST).map(({ line, columns }) => {
    const last = columns.values.length - 1;
    if (last < 0) return `${line.label} no points`;
    return `${line.label} ${valueText(columns.values[last])} at step ${columns.steps[last]}`;
  });
  const more = shown.length > LAST ? `, and ${shown.length - LAST} more` : "";
  const values = lasts.length ? `. Last values: ${lasts.join(", ")}${more}` : "";
  return `${title || "Chart"}: ${counted(shown.length, "line")}${values}.`;
}
