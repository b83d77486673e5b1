/**
 * The lines that a chart holds: their points as columns, what is drawn of them, bounded however long they grow.
 */
import { columnsOf, drawnOf, extend, startTimes, summed, tally } from "./data.js";
import { condenseTo } from "./condense.js";
import { restartsOf } from "./marks.js";
import { usualGap } from "./smooth.js";

/** Lines shorter than this are kept whole, however narrow the chart. */
const WHOLE = 4000;

/** How many points a line may hold on a plot of `width` CSS pixels. */
export const mostPoints = (width) => Math.max(WHOLE, 4 * Math.ceil(width * devicePixelRatio));

const areWhole = (points) => points.every(([step]) => Number.isInteger(step));

function entryOf({ points, ...line }, most) {
  const whole = columnsOf(points);
  const { columns, size } = condenseTo(whole, most);
  return { line, columns, size, counts: tally(whole), areStepsWhole: areWhole(points), gap: 0, isDirty: true, drawn: null };
}

export class Lines {
  constructor() {
    this.entries = new Map();
    this.starts = new Map();
  }

  set(lines, most) {
    this.entries = new Map(lines.map((line) => [line.key, entryOf(line, most)]));
  }

  /** Adds points to a line; false when there is no such line. */
  append(key, points, most) {
    const entry = this.entries.get(key);
    if (!entry) return false;
    const from = entry.columns.steps.length;
    extend(entry.columns, points);
    entry.areStepsWhole &&= areWhole(points);
    entry.counts = summed([entry.counts, tally(entry.columns, from)]);
    // Half of what may be: the next thousands of points are added without condensing again.
    if (entry.columns.steps.length > most) Object.assign(entry, condenseTo(entry.columns, most / 2, entry.size));
    entry.isDirty = true;
    return true;
  }

  /** All are to be worked out again: other options, other marks. */
  spoil() {
    for (const entry of this.entries.values()) entry.isDirty = true;
  }

  /** Works out what is drawn of the lines that changed. */
  refresh(options, marks) {
    const all = this.all();
    this.starts = startTimes(all.map(({ line, columns }) => ({ run: line.run, startedAt: line.startedAt, columns })));
    for (const entry of all) {
      if (!entry.isDirty) continue;
      const restarts = entry.line.restarts ?? restartsOf(marks, entry.line.run);
      // The gap is that of the first points: were it worked out again, the line's past would change with each new one.
      if (options.smoothingKind === "time") entry.gap ||= usualGap(entry.columns.steps);
      const { columns, gap, line } = entry;
      entry.drawn = drawnOf({ columns, gap, restarts, isExact: line.isExact }, options, this.starts.get(line.run));
      entry.isDirty = false;
    }
  }

  /** Whether no line has a point between two steps. */
  areStepsWhole() {
    return this.all().every(({ areStepsWhole }) => areStepsWhole);
  }

  all() {
    return [...this.entries.values()];
  }
}
