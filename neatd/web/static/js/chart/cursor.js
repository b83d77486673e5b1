/**
 * The cursor of one chart: where it is, what is read there, what is spoken when the keyboard moved it, what the other
 * charts of its group are told.
 */
import { colourName } from "./theme.js";
import { placeText, valueText } from "./words.js";
import { drawCursor, joinGroup, pointsAt, positionAt, stepFrom, translated } from "./cursors.js";
import { scaleOf } from "./plot.js";

const SPOKEN = 6; // lines that are spoken
const NEAR_MARK = 5; // CSS pixels
const BEYOND = 1 / 50; // of the view: so far beyond a line's end its last value is still read

export class ChartCursor {
  constructor(chart) {
    this.chart = chart;
    this.x = NaN;
    this.frame = 0;
  }

  join() {
    this.group?.leave();
    this.group = joinGroup(this.chart.options.sync, { show: (position) => this.follow(position) });
  }

  leave() {
    this.group.leave();
    cancelAnimationFrame(this.frame);
  }

  /** The reader points at x; NaN is nowhere. */
  point(x) {
    this.show(x);
    this.group.tell(Number.isFinite(x) && this.chart.u ? positionAt(this.chart.axis, this.chart.pictured(), x) : null);
  }

  /** Another chart's reader points at a position. */
  follow(position) {
    if (this.chart.u) this.show(position ? translated(position, this.chart.axis, this.chart.pictured()) : NaN);
  }

  show(x) {
    if (Object.is(x, this.x)) return;
    this.x = x;
    if (!this.frame && this.chart.isNear && this.chart.u) {
      this.frame = requestAnimationFrame(() => { this.frame = 0; this.paint(); });
    }
  }

  /** To the next point of the leading line, or to the first one in view. */
  move(by) {
    if (!this.chart.u) return;
    const [min, max] = this.chart.xDomain;
    const shown = this.chart.pictured();
    const x = Number.isFinite(this.x) ? stepFrom(shown, this.x, by) : stepFrom(shown, by > 0 ? min : max, 0);
    this.speakAt(Math.min(max, Math.max(min, x)));
  }

  /** To an end of the view. */
  end(way) {
    if (this.chart.u) this.speakAt(this.chart.xDomain[way < 0 ? 0 : 1]);
  }

  /** Moves the cursor and says what is there. */
  speakAt(x) {
    if (!Number.isFinite(x)) return;
    this.point(x);
    const texts = this.texts();
    const labels = this.chart.pictured().map(({ line: { key, label } }) => [key, label]);
    const spoken = labels.filter(([key]) => texts.has(key)).map(([key, label]) => `${label} ${texts.get(key)}`);
    const more = spoken.length > SPOKEN ? `, and ${spoken.length - SPOKEN} more` : "";
    this.chart.parts.live.textContent = `${this.place()}: ${spoken.slice(0, SPOKEN).join(", ")}${more}`;
  }

  /** Per line the index of its point at the cursor. */
  indices() {
    const [min, max] = this.chart.xDomain;
    return Number.isFinite(this.x) ? pointsAt(this.chart.pictured(), this.x, (max - min) * BEYOND) : new Map();
  }

  /** Per line its value at the cursor in words; of a smoothed line the raw one too. */
  texts(indices = this.indices()) {
    const texts = new Map();
    for (const [key, i] of indices) {
      const { drawn } = this.chart.lines.entries.get(key);
      const raw = valueText(drawn.values[i]);
      texts.set(key, drawn.raw && Number.isFinite(drawn.ys[i]) ? `${valueText(drawn.ys[i])} (raw ${raw})` : raw);
    }
    return texts;
  }

  /** The cursor's place, and the marks that are there. */
  place() {
    const { axis, placed, u, xDomain: [min, max] } = this.chart;
    const near = ((max - min) / u.over.clientWidth) * NEAR_MARK;
    const marks = placed.filter(({ x }) => Math.abs(x - this.x) <= near).slice(0, 3).map(({ mark }) => mark.label);
    return [placeText(axis, this.x, this.chart.lines.areStepsWhole()), ...marks].join(" · ");
  }

  paint() {
    const { chart } = this;
    if (!chart.u || chart.isEnded) return;
    const indices = this.indices();
    drawCursor(chart.parts.overlay, chart.u, this.x, [...indices].map(([key, i]) => this.dot(key, i)), chart.theme);
    chart.parts.at.textContent = Number.isFinite(this.x) ? this.place() : "";
    chart.legend.values(this.texts(indices));
  }

  dot(key, i) {
    const { line, drawn } = this.chart.lines.entries.get(key);
    return { x: drawn.xs[i], y: drawn.ys[i], scale: scaleOf(line), colour: colourName(line.colour) };
  }
}
