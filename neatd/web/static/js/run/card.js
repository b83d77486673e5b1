/**
 * A chart's card: a place on the page that becomes a chart when it comes into view, and can be pinned.
 */
import { createChart } from "../chart/chart.js";
import { asNumber } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { failed } from "../base/state.js";

const HEIGHT = 220;
const LEAST_POINTS = 512;
const MOST_POINTS = 8192;

/** Points in another unit. */
const scaled = (points, by) => (by && by !== 1 ? points.map(([step, value, time]) => [step, asNumber(value) * by, time]) : points);

/** Pure: the lines of a chart; what restarts gave up comes as lines of its own, faded. */
export function linesOf(card, held, run, startedAt) {
  return card.lines.flatMap(({ name, label, scale = "y", by = 1 }, at) => {
    const found = held.get(name);
    const common = { run, name, colour: at, dash: at, scale, startedAt };
    const given = (found?.abandoned ?? []).map((points, attempt) => ({
      ...common, key: `${name}#${attempt}`, label: `${label}, given up by restart ${attempt + 1}`, isFaded: true, points: scaled(points, by),
    }));
    return [...given, { ...common, key: name, label, points: scaled(found?.points ?? [], by) }];
  });
}

export class Card {
  /**
   * @param {import("./groups.js").Card} card
   * @param {{run: string, startedAt: number, series: import("./series.js").Series, options: () => object,
   *   isPinned: boolean, pin: (id: string, isPinned: boolean) => void}} how
   */
  constructor(card, how) {
    Object.assign(this, { card, how });
    this.by = new Map(card.lines.map(({ name, by = 1 }) => [name, by]));
    this.names = [...this.by.keys()];
    this.body = h("div", { class: "run-chart" }, this.title());
    this.said = h("div");
    this.node = h("section", { class: "panel run-card", "aria-label": card.title, dataset: { card: card.id } }, this.pinButton(), this.body, this.said);
    this.chart = null;
  }

  pinButton() {
    const { id, title } = this.card;
    const { isPinned, pin } = this.how;
    const label = isPinned ? `Take ${title} from the top` : `Pin ${title} to the top`;
    const turn = () => pin(id, !isPinned);
    return h("button", { type: "button", class: "plain run-pin", "aria-label": label, title: label, "aria-pressed": String(isPinned), on: { click: turn } }, isPinned ? "★" : "☆");
  }

  /** What stands there before there is a chart. */
  title() {
    return h("h3", { class: "chart-title" }, this.card.title);
  }

  mount() {
    if (this.chart) return;
    replace(this.body);
    this.chart = createChart(this.body, { title: this.card.title, height: HEIGHT, ...this.how.options() });
    this.how.series.join(this);
  }

  unmount() {
    if (!this.chart) return;
    this.how.series.leave(this);
    this.chart.destroy();
    this.chart = null;
    replace(this.body, this.title());
  }

  /** Two points a pixel, in powers of two: a window that is made a little wider asks for nothing new. */
  size() {
    const wanted = 2 * this.body.clientWidth * Math.min(2, devicePixelRatio);
    return Math.min(MOST_POINTS, Math.max(LEAST_POINTS, 2 ** Math.ceil(Math.log2(wanted || 1))));
  }

  draw(held) {
    replace(this.said);
    this.body.dataset.points = String(this.names.reduce((sum, name) => sum + (held.get(name)?.points.length ?? 0), 0));
    this.chart?.set(linesOf(this.card, held, this.how.run, this.how.startedAt));
  }

  append(name, points) {
    this.body.dataset.points = String(Number(this.body.dataset.points) + points.length);
    this.chart?.append(name, scaled(points, this.by.get(name)));
  }

  fine() {
    replace(this.said);
  }

  fail(error) {
    replace(this.said, failed(error, () => this.how.series.wait(this)));
  }
}
