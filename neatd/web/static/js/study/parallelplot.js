/**
 * Parallel coordinates as SVG: a line for each trial through its parameters to its value. Ranges are set on an axis by
 * dragging, or below it by two sliders.
 */

import { fresh, h, replace, say, svg } from "../base/dom.js";
import { axesOf, pathOf, within } from "./parallel.js";
import { paramsText, valueOf } from "./trial.js";
import { number } from "../base/format.js";
import { empty } from "../base/state.js";
import { table } from "../base/table.js";

const HEIGHT = 300;
const [TOP, BOTTOM] = [34, 14];
const LEAST_WIDTH = 120; // of an axis
const FINENESS = 200; // positions of a slider

const yOf = (share) => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
const shareAt = (y) => Math.min(1, Math.max(0, (HEIGHT - BOTTOM - y) / (HEIGHT - TOP - BOTTOM)));

export class Parallel {
  /** `narrowed(numbers)` is told which trials lie within the ranges; null for all. */
  constructor({ metric, goal, space, narrowed }) {
    Object.assign(this, { metric, goal, space, narrowed, ranges: new Map(), trials: [], axes: [] });
    const id = fresh("parallel");
    this.said = h("p", { class: "dim", role: "status" });
    this.reset = h("button", { type: "button", disabled: true, on: { click: () => this.clear() } }, "Show all trials");
    this.picture = svg("svg", { class: "parallel-picture", role: "img", height: HEIGHT });
    this.sliders = h("div", { class: "parallel-sliders" });
    this.wide = h("div", {}, this.picture, this.sliders);
    this.plot = h("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": "The picture of the parallel coordinates" }, this.wide);
    this.numbers = h("details", { class: "figure-rows" }, h("summary", {}, h("span", { class: "hidden" }, "Parallel coordinates: "), "The numbers"));
    this.numbers.addEventListener("toggle", () => this.fill());
    this.node = h("section", { class: "panel figure", "aria-labelledby": id },
      h("header", {}, h("h2", { id }, "Parallel coordinates"), h("div", { class: "row" }, this.said, this.reset)), this.plot, this.numbers);
    this.resizing = new ResizeObserver(() => this.draw());
    this.resizing.observe(this.plot);
    this.listen();
  }

  /** Other trials. Ranges stay where their axes do. */
  set(trials) {
    this.trials = trials.filter((trial) => trial.kind !== "open");
    const before = this.axes.map(({ name }) => name).join("\n");
    this.axes = axesOf(this.trials, this);
    const isNew = this.axes.map(({ name }) => name).join("\n") !== before;
    if (isNew) this.laySliders();
    this.draw();
    this.fill();
  }

  // Ranges.

  laySliders() {
    this.inputs = new Map();
    replace(this.sliders, this.axes.map((axis) => {
      const slider = (end, word) => {
        const input = h("input", { type: "range", min: 0, max: FINENESS, step: 1, value: end * FINENESS, "aria-label": `${axis.name || this.metric}: ${word}`, on: { input: () => this.slide(axis.name) } });
        input.value = end * FINENESS;
        return input;
      };
      const [low, high] = [slider(0, "from"), slider(1, "to")];
      const said = h("span", { class: "dim parallel-range" });
      this.inputs.set(axis.name, { low, high, said });
      return h("div", { role: "group", "aria-label": `Range of ${axis.name || this.metric}` }, low, high, said);
    }));
  }

  slide(name) {
    const { low, high } = this.inputs.get(name);
    const ends = [low.value, high.value].map((value) => Number(value) / FINENESS).sort((a, b) => a - b);
    this.narrow(name, ends);
  }

  narrow(name, [from, to], isDragged = false) {
    if (from <= 0 && to >= 1) this.ranges.delete(name);
    else this.ranges.set(name, [from, to]);
    if (isDragged) {
      const { low, high } = this.inputs.get(name);
      low.value = from * FINENESS;
      high.value = to * FINENESS;
    }
    this.draw();
  }

  clear() {
    this.ranges.clear();
    for (const { low, high } of this.inputs?.values() ?? []) {
      low.value = 0;
      high.value = FINENESS;
    }
    this.draw();
  }

  /** Dragging along an axis sets its range; a click on it takes it away. */
  listen() {
    let from = null;
    const place = (event) => {
      const { left, top } = this.picture.getBoundingClientRect();
      return { x: event.clientX - left, share: shareAt(event.clientY - top) };
    };
    this.picture.addEventListener("pointerdown", (event) => {
      const { x, share } = place(event);
      const at = this.xs?.findIndex((one) => Math.abs(one - x) < 16) ?? -1;
      if (at < 0 || event.button) return;
      from = { name: this.axes[at].name, share };
      this.picture.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    this.picture.addEventListener("pointermove", (event) => {
      if (from && Math.abs(place(event).share - from.share) > 0.01) this.narrow(from.name, [from.share, place(event).share].sort((a, b) => a - b), true);
    });
    this.picture.addEventListener("pointerup", (event) => {
      if (from && Math.abs(place(event).share - from.share) <= 0.01) this.narrow(from.name, [0, 1], true);
      from = null;
    });
  }

  // Drawing.

  draw() {
    const { axes, trials } = this;
    if (axes.length < 2) {
      replace(this.wide, empty("There is nothing to draw yet.", "Two things that vary are needed: a parameter, and a value or another parameter."));
      return;
    }
    if (!this.picture.isConnected) replace(this.wide, this.picture, this.sliders);
    const width = Math.max(this.plot.clientWidth, axes.length * LEAST_WIDTH);
    const part = width / axes.length;
    this.xs = axes.map((_, at) => part * (at + 0.5));
    this.wide.style.width = `${width}px`;
    this.sliders.style.gridTemplateColumns = `repeat(${axes.length}, 1fr)`;
    const isIn = within(axes, this.ranges, trials.length);
    this.picture.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.picture.setAttribute("width", width);
    replace(this.picture, this.lines(isIn), axes.map((axis, at) => this.axis(axis, this.xs[at])));
    this.tell(isIn);
  }

  /** Faded ones first, the best last; what did not end well is dashed. */
  lines(isIn) {
    const ranks = this.ranks();
    const order = this.trials.map((_, at) => at).sort((a, b) => isIn[a] - isIn[b] || ranks[a] - ranks[b]);
    return order.map((at) => svg("path", {
      d: pathOf(this.axes, at, this.xs, yOf), fill: "none",
      class: `parallel-line ${isIn[at] ? "" : "is-out"} ${ranks[at] === 1 ? "is-best" : ""} ${this.trials[at].kind}`, style: { "--rank": ranks[at] < 0 ? 0 : ranks[at].toFixed(2) },
    }, svg("title", {}, `trial ${this.trials[at].number}: ${paramsText(this.trials[at].params)}, ${this.metric} ${number(this.trials[at].value)}`)));
  }

  /** 1 for the best trial, 0 for the worst, -1 for those without a value that counts. */
  ranks() {
    const counted = this.trials.map((trial, at) => [valueOf(trial), at]).filter(([value, at]) => this.trials[at].kind === "counted" && Number.isFinite(value));
    counted.sort(([a], [b]) => (this.goal === "max" ? a - b : b - a));
    const ranks = new Array(this.trials.length).fill(-1);
    counted.forEach(([, at], place) => { ranks[at] = counted.length > 1 ? place / (counted.length - 1) : 1; });
    return ranks;
  }

  axis(axis, x) {
    const range = this.ranges.get(axis.name);
    return svg("g", {},
      svg("text", { x, y: 16, class: "parallel-title", "text-anchor": "middle" }, axis.title),
      svg("line", { x1: x, x2: x, y1: yOf(0), y2: yOf(1), class: "parallel-axis" }),
      range && svg("rect", { x: x - 6, width: 12, y: yOf(range[1]), height: Math.max(2, yOf(range[0]) - yOf(range[1])), class: "parallel-brush" }),
      axis.ticks.map(([share, word]) => svg("text", { x: x + 7, y: yOf(share) + 4, class: "parallel-tick" }, word.length > 16 ? `${word.slice(0, 15)}…` : word)));
  }

  tell(isIn) {
    const count = isIn.filter(Boolean).length;
    const isAll = !this.ranges.size;
    const text = isAll ? `${this.trials.length} trials` : `${count} of ${this.trials.length} trials`;
    say(this.said, text);
    this.reset.disabled = isAll;
    this.picture.setAttribute("aria-label", `${text} through ${this.axes.map(({ title }) => title).join(", ")}. The sliders below set the range of each.`);
    for (const [name, { low, high, said }] of this.inputs) {
      const { text: textOf } = this.axes.find((axis) => axis.name === name);
      const [from, to] = [low.value, high.value].map((value) => Number(value) / FINENESS).sort((a, b) => a - b);
      low.setAttribute("aria-valuetext", textOf(Number(low.value) / FINENESS));
      high.setAttribute("aria-valuetext", textOf(Number(high.value) / FINENESS));
      say(said, from <= 0 && to >= 1 ? "all" : `${textOf(from)} to ${textOf(to)}`);
    }
    this.narrowed(isAll ? null : new Set(this.trials.filter((_, at) => isIn[at]).map(({ number }) => number)));
    this.picture.dataset.within = count;
    this.fill();
  }

  fill() {
    if (!this.numbers.open) return;
    const isIn = within(this.axes, this.ranges, this.trials.length);
    const rows = this.trials.map((trial, at) => ({ trial, at })).filter(({ at }) => isIn[at]);
    const columns = [{ key: "number", title: "Trial", isHeading: true, sort: ({ trial }) => trial.number, cell: ({ trial }) => trial.number },
      ...this.axes.map((axis) => ({ key: axis.name || "value", title: axis.name || this.metric, align: "right", sort: ({ at }) => axis.places[at], cell: ({ at }) => (axis.places[at] === null ? "–" : axis.text(axis.places[at])) }))];
    replace(this.numbers, this.numbers.firstElementChild, table({ columns, rows, caption: "The trials within the ranges" }));
  }
}
