/**
 * One chart of a comparison: a series, with a line for each run or each group. It asks for points when it comes into view:
 * a preview first, then about two points a pixel, then the stretch that is zoomed into. Out of view it holds points only.
 */

import { createChart } from "../chart/chart.js";
import { MOST_POINTS, PREVIEW, merged, pointsOf, wholePoints } from "./fetch.js";
import { groupLines } from "./lines.js";
import { h, replace, say } from "../base/dom.js";
import { failed } from "../base/state.js";

const NEAR = "600px";
const LEGEND = 12; // lines that have a legend of their own; above, the list of runs is it
const PAINT_MS = 30; // for what came to be on the screen before more is asked for
const REDRAW_MS = 1000; // of groups, while points come
const MOST_HELD = 8000; // points of a line that goes on, before it is asked for anew

/**
 * @param {string} name  of the series
 * @param {{shown: () => object, runs: () => string[], groups: () => object[]|null, label: (run: string) => string,
 *   looks: () => Map<string, object>, zoom: (range: [number, number]|null) => void, read: (found: Map<string, object>) => void}} page
 */
export class Card {
  constructor(name, page) {
    Object.assign(this, { name, page, held: new Map(), fine: null, early: [], age: 0, isNear: false, isReading: false });
    this.place = h("div", { class: "card-plot" });
    this.note = h("p", { class: "dim card-note", role: "status" });
    this.node = h("article", { class: "panel card", "aria-label": name, dataset: { series: name } }, this.place, this.note);
    this.seeing = new IntersectionObserver(([seen]) => this.see(seen.isIntersecting), { rootMargin: NEAR });
    this.seeing.observe(this.node);
  }

  see(isNear) {
    this.isNear = isNear;
    if (isNear) {
      this.draw();
      this.read();
    } else if (this.chart && !this.node.contains(document.activeElement)) {
      this.chart.destroy();
      this.chart = null;
    }
  }

  mount() {
    if (this.chart) return;
    const { axis, log, smoothing, isIgnoringOutliers, range, group } = this.page.shown();
    this.chart = createChart(this.place, {
      title: this.name, axis: group ? "step" : axis, log, smoothing, isIgnoringOutliers, range, sync: "compare",
      onRange: (one) => this.page.zoom(one),
    });
  }

  /** What is shown, or how, has changed. */
  change() {
    const chosen = new Set(this.page.runs());
    for (const run of this.held.keys()) if (!chosen.has(run)) this.held.delete(run);
    if (!this.isNear) return;
    const { axis, log, smoothing, isIgnoringOutliers, range, group } = this.page.shown();
    this.chart?.setOptions({ axis: group ? "step" : axis, log, smoothing, isIgnoringOutliers, range });
    this.draw();
    this.read();
  }

  // Reading.

  /** Reads what is missing: one pass at a time, and another when something changed meanwhile. */
  async read() {
    this.isWanted = true;
    if (this.isReading) return;
    this.isReading = true;
    try {
      while (this.isWanted && this.isNear) {
        this.isWanted = false;
        await this.readAll();
      }
    } catch (error) {
      if (this.isNear) replace(this.note, failed(error, () => this.read()));
    } finally {
      this.isReading = false;
      this.early = [];
    }
  }

  async readAll() {
    const isGrouped = Boolean(this.page.groups());
    const width = this.place.clientWidth || 400;
    const wanted = isGrouped ? wholePoints(this.page.runs().length) : Math.min(MOST_POINTS, 2 * width);
    const missing = (least) => this.page.runs().filter((run) => !(this.held.get(run)?.isWhole || this.held.get(run)?.asked >= least));
    if (!isGrouped) await this.take(missing(PREVIEW), PREVIEW, 0);
    await this.take(missing(wanted), wanted, 1);
    await this.readFine(wanted);
  }

  async take(runs, points, rank) {
    if (!runs.length) return;
    const { age } = this;
    const found = await pointsOf({ name: this.name, runs, points, rank });
    if (age !== this.age) return; // other points since: they are read again
    const chosen = new Set(this.page.runs());
    for (const [run, one] of found) if (chosen.has(run)) this.held.set(run, { ...one, asked: points });
    for (const run of runs) if (!found.has(run)) this.held.set(run, { points: [], total: 0, isWhole: true, restarts: [], asked: points });
    this.page.read(found);
    this.takeEarly();
    this.draw();
    await new Promise((go) => setTimeout(go, PAINT_MS));
  }

  /** The stretch that is zoomed into, in finer points. */
  async readFine(points) {
    const window = this.steps();
    const runs = this.page.runs().filter((run) => this.held.get(run) && !this.held.get(run).isWhole);
    if (!window || !runs.length) {
      this.fine = null;
      return;
    }
    const mark = JSON.stringify([window, runs, points]);
    if (this.fine?.mark === mark) return;
    const found = await pointsOf({ name: this.name, runs, points, window, rank: 1 });
    this.fine = { mark, window, found };
    this.draw();
  }

  /** The steps that the range shows, of all runs: another axis has them where its points are. */
  steps() {
    const { range, axis, group } = this.page.shown();
    if (!range) return null;
    if (axis === "step" || group) return [Math.floor(range[0]), Math.ceil(range[1])];
    let [low, high] = [Infinity, -Infinity];
    for (const { points, startedAt } of this.held.values()) {
      const from = axis === "relative" ? startedAt : 0;
      const within = points.map(([, , time]) => time !== null && time - from >= range[0] && time - from <= range[1]);
      const [first, last] = [within.indexOf(true), within.lastIndexOf(true)];
      if (first < 0) continue;
      low = Math.min(low, points[Math.max(0, first - 1)][0]);
      high = Math.max(high, points[Math.min(points.length - 1, last + 1)][0]);
    }
    return low <= high ? [low, high] : null;
  }

  /** A run's points are others now. */
  forget(run) {
    this.held.delete(run);
    this.fine = null;
    this.age += 1;
    if (this.isNear) this.read();
  }

  // Points that come.

  append(run, points) {
    if (this.isReading) this.early.push([run, points]); // what is being read may have them or not
    const held = this.held.get(run);
    if (!held) return;
    const last = held.points.at(-1)?.[0] ?? -Infinity;
    const fresh = points.filter(([step]) => step > last);
    if (!fresh.length) return;
    held.points.push(...fresh);
    held.total += fresh.length;
    if (this.page.groups()) this.redraw();
    else this.chart?.append(run, fresh);
    if (held.points.length > Math.max(MOST_HELD, 4 * held.asked)) this.forget(run);
  }

  takeEarly() {
    const early = this.early;
    this.early = [];
    for (const [run, points] of early) {
      const held = this.held.get(run);
      const last = held?.points.at(-1)?.[0] ?? -Infinity;
      held?.points.push(...points.filter(([step]) => step > last));
    }
  }

  redraw() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.draw();
    }, REDRAW_MS);
  }

  // Drawing.

  pointsOf(run) {
    const { points } = this.held.get(run);
    const fine = this.fine?.found.get(run);
    return fine?.points.length ? merged(points, fine.points, this.fine.window) : points;
  }

  draw() {
    if (!this.isNear || !this.held.size) return;
    this.mount();
    const groups = this.page.groups();
    const runs = this.page.runs().filter((run) => this.held.get(run)?.points.length);
    const { lines, notes } = groups ? groupLines(groups, runs, this) : { lines: runs.map((run) => this.line(run)), notes: [] };
    this.chart.setOptions({ hasLegend: lines.length <= LEGEND });
    this.chart.set(lines);
    this.node.classList.toggle("is-grouped", Boolean(groups));
    const isAll = this.page.runs().every((run) => this.held.has(run));
    if (isAll && lines.length > LEGEND) notes.push("Lines are as in the list of runs.");
    say(this.note, isAll ? notes.join(" ") : "Loading…");
  }

  line(run) {
    const { startedAt, restarts } = this.held.get(run);
    return { key: run, run, name: this.name, label: this.page.label(run), ...this.page.looks().get(run), points: this.pointsOf(run), startedAt, restarts };
  }

  /** Whether a mean can be made of a run's points: none of them is left out. */
  isWhole(run) {
    return this.held.get(run).isWhole;
  }

  end() {
    this.seeing.disconnect();
    clearTimeout(this.timer);
    this.chart?.destroy();
    this.chart = null;
    this.held.clear();
  }
}
