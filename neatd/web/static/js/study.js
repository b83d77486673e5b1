// A study: how it stands, what its trials showed, the trials.

import { get } from "./base/api.js";
import { $, h, replace } from "./base/dom.js";
import { span, when } from "./base/format.js";
import { frame, state } from "./base/frame.js";
import { live } from "./base/live.js";
import { empty, failed, loading } from "./base/state.js";
import { Figure } from "./study/figure.js";
import { Parallel } from "./study/parallelplot.js";
import { byValue, header, importances, numbersOf, trialTable } from "./study/parts.js";
import { historyFigure, sliceFigure, timelineFigure } from "./study/traces.js";
import { isLog, isNumeric, paramOf, paramText, variedNames } from "./study/trial.js";

const WAIT_MS = 1000; // between two looks at a study that goes on
const word = decodeURIComponent(location.pathname.split("/")[2] ?? "");
const path = (more = "") => `studies/${encodeURIComponent(word)}${more}`;
const openRun = (point) => { if (point.customdata) location.assign(`/runs/${encodeURIComponent(point.customdata)}`); };

class StudyPage {
  constructor(node, study, trials) {
    Object.assign(this, { study, trials, isLogY: false, slices: new Map(), narrowed: null });
    this.head = h("div", {});
    this.rows = h("div", { class: "part" });
    this.importance = h("div", { class: "part" }, loading("Working out importances…"));
    this.values = h("div", { class: "part values" }, loading());
    this.slicesPlace = h("div", { class: "grid small slices" });
    this.parallel = new Parallel({ metric: study.metric, goal: study.goal, space: study.spec.space, narrowed: (numbers) => this.narrow(numbers) });
    this.history = this.historyPart();
    this.timeline = this.timelinePart();
    const part = (id, title, ...parts) => h("section", { class: "panel", "aria-labelledby": id }, h("h2", { id }, title), parts);
    replace(node, h("div", { class: "study" }, this.head,
      h("div", { class: "grid wide" }, this.history.node, part("h-importances", "Importances", this.importance)),
      part("h-values", "By each value", this.values), this.parallel.node,
      part("h-slices", "Slices", h("p", { class: "dim" }, `${study.metric} by each parameter.`), this.slicesPlace), this.timeline.node, part("h-trials", "Trials", this.rows)));
  }

  historyPart() {
    const log = h("input", { type: "checkbox", id: "log", on: { change: () => this.turnLog(log.checked) } });
    return new Figure({
      title: "History", tools: [h("label", { for: "log", class: "check" }, log, " log scale")], open: openRun,
      draw: (theme) => historyFigure(this.trials, { ...this.study, log: this.isLogY }, theme), rows: () => numbersOf(this.trials, [], this.study.metric, "history"),
    });
  }

  timelinePart() {
    const more = [
      { key: "job", title: "Job", cell: (row) => h("code", {}, row.job || "–") }, { key: "started", title: "Began", align: "right", sort: (row) => Date.parse(row.started_at), cell: (row) => when(row.started_at) },
      { key: "seconds", title: "Took", align: "right", sort: (row) => row.seconds, cell: (row) => span(row.seconds) },
    ];
    return new Figure({
      title: "Timeline", lead: "When each trial's job ran.", open: openRun, draw: (theme) => timelineFigure(this.trials, new Date(), theme),
      rows: () => numbersOf(this.trials.filter((one) => one.started_at), more, this.study.metric, "timeline"),
    });
  }

  turnLog(isLogY) {
    this.isLogY = isLogY;
    this.history.update();
    this.slices.forEach((one) => one.update());
  }

  narrow(numbers) {
    const isSame = [...(numbers ?? [])].join() === [...(this.narrowed ?? [])].join() && Boolean(numbers) === Boolean(this.narrowed);
    this.narrowed = numbers;
    if (!isSame && this.isShown) this.showTrials();
  }

  // Showing.

  show() {
    this.isShown = true;
    $("#title").textContent = this.study.name;
    document.title = `${this.study.name} · Study · neat`;
    replace(this.head, header(this.study));
    this.parallel.set(this.trials);
    this.history.update();
    this.timeline.update();
    this.showSlices();
    this.showTrials();
  }

  showTrials() {
    replace(this.rows, trialTable(this.trials, {
      space: this.study.spec.space, metric: this.study.metric, goal: this.study.goal, best: this.study.best?.trial, numbers: this.narrowed,
      sorted: this.order, onSort: (order) => { this.order = order; },
    }));
  }

  showSlices() {
    const names = variedNames(this.trials, this.study.spec.space);
    for (const [name, figure] of this.slices) {
      if (names.includes(name)) continue;
      figure.end();
      this.slices.delete(name);
    }
    for (const name of names) if (!this.slices.has(name)) this.slices.set(name, this.slice(name));
    const nodes = names.map((name) => this.slices.get(name).node);
    if (nodes.some((node, at) => this.slicesPlace.children[at] !== node) || !nodes.length) {
      replace(this.slicesPlace, nodes.length ? nodes : empty("No parameter varies yet.", "The next trials bring other values."));
    }
    this.slices.forEach((one) => one.update());
  }

  slice(name) {
    const { space } = this.study.spec;
    const more = () => [{ key: "p", title: name, align: "right", sort: (row) => paramOf(row, name) ?? null, cell: (row) => paramText(paramOf(row, name)) }];
    return new Figure({
      title: name, level: 3, open: openRun, rows: () => numbersOf(this.trials, more(), this.study.metric, name),
      draw: (theme) => sliceFigure(this.trials, name, {
        metric: this.study.metric, log: this.isLogY, isLogX: isLog(this.trials, name, space), isNumeric: isNumeric(this.trials, name, space),
      }, theme),
    });
  }

  // Reading.

  /** What the trials showed: slow where Optuna is asked for the first time, so it comes last. */
  async readAnalysis() {
    const mark = `${this.study.ended} ${this.study.status}`;
    if (mark === this.analysed) return;
    this.analysed = mark;
    try {
      const analysis = await get(path("/analysis"));
      replace(this.importance, importances(analysis));
      replace(this.values, byValue(analysis));
    } catch (error) {
      this.analysed = "";
      replace(this.importance, failed(error, () => this.readAnalysis()));
      replace(this.values);
    }
  }

  async readAgain() {
    if (this.timer) return;
    this.timer = setTimeout(async () => {
      this.timer = 0;
      try {
        [this.study, this.trials] = await read();
      } catch {
        return; // the frame says that neatd does not answer; the next change brings it
      }
      this.show();
      this.readAnalysis();
    }, WAIT_MS);
  }
}

const read = () => Promise.all([get(path()), get(path("/trials"))]);

frame(async (node) => {
  const [study, trials] = await read();
  const page = new StudyPage(node, study, trials);
  page.show();
  const again = () => page.readAgain();
  live({ ask: () => ({ topics: ["studies"] }), on: { changed: again, behind: again, hello: again }, state });
  await page.readAnalysis();
});
