/**
 * A line chart of the series of one run or many. uPlot draws it; cursor, brush, legend, notes and marks are beside it.
 *
 * Drawing waits for a frame and for being in view: whatever comes in between is drawn at once. `destroy` leaves
 * nothing behind, neither listeners nor members of groups.
 *
 * @typedef {{key: string, label: string, run: string, name: string, colour: number, dash?: number|number[],
 *   isFaded?: boolean, scale?: "y"|"y2", points: [number, number|string|null, number|null][], startedAt?: number|null,
 *   restarts?: number[], band?: import("./bands.js").Band}} Line
 */
import { listenToKeys, listenToPointer, zoomed } from "./brush.js";
import { bandColumns, drawBands } from "./bands.js";
import { createLegend } from "./legend.js";
import { Lines, mostPoints } from "./lines.js";
import { describe, notesOf } from "./notes.js";
import { ChartCursor } from "./cursor.js";
import { readTheme } from "./theme.js";
import { valueText } from "./words.js";
import { h } from "../base/dom.js";
import { drawMarks, placedMarks } from "./marks.js";
import { drawNonfinite } from "./nonfinite.js";
import { dataOf, isCrowded, layersOf, plotOptions, scaleOf } from "./plot.js";
import { whyNoLog, xDomain, yDomain } from "./scales.js";

const DEFAULTS = {
  title: "", axis: "step", log: false, smoothing: 0, smoothingKind: "ema", isIgnoringOutliers: false, range: null, isPart: false,
  sync: null, onRange: null, marks: [], height: 220, headingLevel: 3, hasLegend: true,
};
const KEYS = "Arrow keys move the cursor, plus and minus zoom, 0 shows all.";
const AHEAD = "300px"; // drawn before it is scrolled into view

function skeleton(container, options) {
  const title = h(`h${options.headingLevel}`, { class: "chart-title" }, options.title);
  const at = h("span", { class: "chart-at", "aria-hidden": "true" });
  const overlay = h("canvas", { class: "chart-cursor", "aria-hidden": "true" });
  const plot = h("div", { class: "chart-plot", role: "img", tabindex: "0", "aria-label": options.title || "Chart" }, overlay);
  const live = h("p", { class: "chart-live", "aria-live": "polite" });
  const notes = h("ul", { class: "chart-notes" });
  const legend = h("div", { class: "chart-legend" });
  const head = h("div", { class: "chart-head" }, title, at);
  const root = h("div", { class: "chart" }, head, plot, notes, legend, live);
  container.append(root);
  return { root, title, at, overlay, plot, live, notes, legend };
}

const looksOf = ({ entry: { line }, isRaw }) => [line.key, line.colour, line.dash, line.isFaded, line.scale, isRaw];

class Chart {
  constructor(container, options) {
    this.container = container;
    this.options = { ...DEFAULTS, ...options };
    this.parts = skeleton(container, this.options);
    this.lines = new Lines();
    this.hidden = new Set();
    this.theme = readTheme();
    this.frame = 0;
    this.cursor = new ChartCursor(this);
    this.ending = new AbortController();
    this.legend = createLegend(this.parts.legend, {
      toggle: (key, isShown) => this.hide([...[...this.hidden].filter((one) => one !== key), ...(isShown ? [] : [key])]),
      only: (key) => this.hide([...this.lines.entries.keys()].filter((one) => one !== key)),
      all: (isShown) => this.hide(isShown ? [] : this.lines.entries.keys()),
    });
    this.expectDrawing();
    this.listen();
    this.cursor.join();
  }

  expectDrawing() {
    this.isDrawn = new Promise((resolve) => { this.tellDrawn = resolve; });
    delete this.container.dataset.drawn;
  }

  listen() {
    const { plot } = this.parts;
    const { signal } = this.ending;
    plot.style.minHeight = `${this.options.height}px`;
    listenToPointer(plot, () => this.u, {
      point: (x) => this.cursor.point(x), leave: () => this.cursor.point(NaN),
      zoom: (range) => this.choose(range), reset: () => this.choose(null),
    }, signal);
    listenToKeys(plot, {
      move: (by) => this.cursor.move(by), end: (way) => this.cursor.end(way), leave: () => this.cursor.point(NaN),
      zoom: (by) => this.u && this.choose(zoomed(this.xDomain, by, this.cursor.x, this.fullDomain)),
      reset: () => this.choose(null),
    }, signal);
    window.addEventListener("neat-theme", () => { this.theme = readTheme(); this.schedule(); }, { signal });
    window.addEventListener("dppxchange", () => this.schedule(), { signal });
    this.resizing = new ResizeObserver(() => { if (Math.floor(plot.clientWidth) !== this.width) this.schedule(); });
    this.resizing.observe(plot);
    const { top, bottom } = plot.getBoundingClientRect();
    this.isNear = top < innerHeight + 300 && bottom > -300;
    this.seeing = new IntersectionObserver((seen) => this.see(seen.at(-1).isIntersecting), { rootMargin: AHEAD });
    this.seeing.observe(plot);
  }

  see(isNear) {
    this.isNear = isNear;
    if (!isNear) return;
    if (this.isWaiting) this.schedule();
    else this.cursor.paint();
  }

  // What the page does with a chart.

  set(lines) {
    this.lines.set(lines, mostPoints(this.parts.plot.clientWidth));
    this.legend.set(this.options.hasLegend ? lines : [], this.hidden);
    this.isSet = true;
    this.expectDrawing();
    this.schedule();
  }

  append(key, points) {
    if (this.lines.append(key, points, mostPoints(this.parts.plot.clientWidth))) this.schedule();
  }

  setOptions(partial) {
    const wasSynced = this.options.sync;
    Object.assign(this.options, partial);
    this.parts.title.textContent = this.options.title;
    this.parts.plot.style.minHeight = `${this.options.height}px`;
    if (this.options.sync !== wasSynced) this.cursor.join();
    this.lines.spoil();
    this.schedule();
  }

  setRange(range) {
    this.options.range = range;
    this.schedule();
  }

  hide(keys) {
    this.hidden = new Set(keys);
    this.legend.show(this.hidden);
    this.schedule();
  }

  destroy() {
    this.ending.abort();
    this.resizing.disconnect();
    this.seeing.disconnect();
    this.cursor.leave();
    cancelAnimationFrame(this.frame);
    this.isEnded = true;
    this.u?.destroy();
    this.u = null;
    this.lines.set([], 0);
    delete this.container.dataset.drawn;
    this.parts.root.remove();
  }

  // Drawing.

  schedule() {
    this.isWaiting = true;
    if (this.frame || !this.isNear || !this.isSet || this.isEnded) return;
    this.frame = requestAnimationFrame(() => this.draw());
  }

  shown() {
    return this.lines.all().filter(({ line }) => !this.hidden.has(line.key));
  }

  /** Those of them that were drawn: lines that were set since then wait for the next frame. */
  pictured() {
    return this.shown().filter(({ drawn }) => drawn);
  }

  draw() {
    this.frame = 0;
    this.width = Math.floor(this.parts.plot.clientWidth);
    if (!this.width) return;
    this.isWaiting = false;
    this.work();
    this.paint();
    this.tell();
  }

  /** Works out domains and what is drawn. */
  work() {
    const { options } = this;
    const all = this.lines.all();
    const shown = this.shown();
    this.whyNoLog = whyNoLog(shown.map(({ columns }) => columns.values));
    if ((options.log && !this.whyNoLog) !== this.isLog) this.lines.spoil();
    this.isLog = options.log && !this.whyNoLog;
    this.lines.refresh({ ...options, log: this.isLog }, options.marks);
    this.axis = options.axis;
    this.isEmpty = !all.some(({ columns }) => columns.steps.length);
    this.height = options.height;
    this.fullDomain = xDomain((shown.length ? shown : all).map(({ drawn }) => drawn));
    this.xDomain = options.range ?? this.fullDomain;
    const ofScale = (scale) => shown.filter(({ line }) => scaleOf(line) === scale);
    const columns = (scale) => ofScale(scale).map(({ drawn }) => ({ xs: drawn.xs, ys: drawn.raw ?? drawn.ys }));
    const taken = { log: this.isLog, isIgnoringOutliers: options.isIgnoringOutliers, range: options.range };
    this.yDomain = yDomain([...columns("y"), ...bandColumns(shown)], taken);
    this.y2Domain = yDomain(columns("y2"), taken);
    this.hasSecond = all.some(({ line }) => scaleOf(line) === "y2");
    this.placed = placedMarks(options.marks, options.axis, this.lines.starts);
  }

  /** Gives uPlot the data; a new uPlot only where lines or axes are other ones. */
  paint() {
    const layers = layersOf(this.lines.all(), this.options.smoothing > 0);
    Object.assign(this, { layers, isCrowded: isCrowded(layers) });
    const data = layers.length ? dataOf(layers) : [null, [[], [], [], true]];
    const signature = JSON.stringify([layers.map(looksOf), this.axis, this.isLog, this.hasSecond, devicePixelRatio]);
    if (signature !== this.signature) this.build(layers, data);
    else this.update(layers, data);
    this.signature = signature;
  }

  build(layers, data) {
    this.u?.destroy();
    const hooks = {
      before: (u) => { drawBands(u, this.shown(), this.theme); drawMarks(u, this.placed, this.theme); },
      draw: (u) => { drawNonfinite(u, this.pictured().map(({ drawn }) => drawn), this.theme); this.drawn(); },
    };
    this.u = new window.uPlot(plotOptions(this, layers, hooks), data, this.parts.plot);
    this.parts.plot.append(this.parts.overlay);
  }

  update(layers, data) {
    const { u } = this;
    if (u.width !== this.width || u.height !== this.height) u.setSize({ width: this.width, height: this.height });
    layers.forEach(({ entry }, i) => { u.series[i + 1].show = !this.hidden.has(entry.line.key); });
    u.setData(data, false);
    u.setScale("x", { min: this.xDomain[0], max: this.xDomain[1] });
  }

  drawn() {
    this.cursor.paint();
    const count = this.pictured().filter(({ drawn }) => drawn.xs.length).length;
    if (!count) return;
    this.container.dataset.drawn = String(count);
    this.tellDrawn();
  }

  /** Notes and the name that a screen reader says. */
  tell() {
    const shown = this.shown();
    const notes = notesOf({ shown, isEmpty: this.isEmpty, options: this.options, whyNoLog: this.whyNoLog });
    if (notes.join("\n") !== this.told) this.parts.notes.replaceChildren(...notes.map((note) => h("li", {}, note)));
    this.told = notes.join("\n");
    const label = `${describe(this.options.title, shown, valueText)} ${KEYS}`;
    if (this.parts.plot.getAttribute("aria-label") !== label) this.parts.plot.setAttribute("aria-label", label);
  }

  /** The reader chose a range: by brush, keys or a double click. */
  choose(range) {
    this.setRange(range);
    this.options.onRange?.(range);
  }
}

/**
 * @param {HTMLElement} container  gets `data-drawn` with the number of lines, once they are drawn
 * @param {Partial<typeof DEFAULTS>} [options]
 */
export function createChart(container, options = {}) {
  const chart = new Chart(container, options);
  return {
    /** @param {Line[]} lines */
    set: (lines) => chart.set(lines),
    append: (key, points) => chart.append(key, points),
    setOptions: (partial) => chart.setOptions(partial),
    setRange: (range) => chart.setRange(range),
    destroy: () => chart.destroy(),
    /** Why a log axis is not possible for the lines shown; "" when it is. */
    whyNoLog: () => whyNoLog(chart.shown().map(({ columns }) => columns.values)),
    /** The x domain of all points: what the range is when it is null. */
    fullDomain: () => chart.fullDomain ?? null,
    /** When each run began (unix s): what relative times count from, and what a rail is told. */
    starts: () => chart.lines.starts,
    /** Resolves when the lines that were set last are drawn. */
    get isDrawn() { return chart.isDrawn; },
  };
}
