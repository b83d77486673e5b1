// The view of one run: how it goes, its charts, what happened, what it keeps. The charts are `run/view.js`.

import { get } from "./base/api.js";
import { $, h, replace, say } from "./base/dom.js";
import { frame } from "./base/frame.js";
import { accuracy, suspects } from "./run/accuracy.js";
import { header } from "./run/header.js";
import { checkpoints, code, configuration, events, records } from "./run/lists.js";
import { marksOf } from "./run/rail.js";
import { RunCharts } from "./run/view.js";
import { failed, loading } from "./base/state.js";

const QUIET_MS = 2000; // between two questions for what changed
const FIRST_MS = 1000; // lines come first: other questions wait for them so long
const EVENTS = 100; // the newest; more are asked for
const MOST_EVENTS = 2000;

frame(async (node) => {
  const id = await runId(decoded(location.pathname.replace(/^\/runs\//, "")));
  const detail = await get(`runs/${id}`, { events: EVENTS });
  document.title = `${detail.name} · neat`;
  say($("#title"), detail.name);
  new RunPage(node, detail).start();
});

/** What the address says; what is no text in an address is no run's name either. */
function decoded(word) {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

/** Pages link to ids. A name may hold slashes, which no address of the API can: it is looked up. */
async function runId(word) {
  if (!word.includes("/")) return encodeURIComponent(word);
  const found = (await get("runs", { filter: word })).filter(({ name }) => name === word);
  if (found.length) return found[0].id;
  throw Object.assign(new Error(`No run is called ${word}.`), { hint: "`neat runs` lists the runs." });
}

class RunPage {
  constructor(node, detail) {
    this.detail = detail;
    this.events = detail.events;
    this.strip = header();
    this.lines = new Promise((go) => {
      this.goOn = go;
      setTimeout(go, FIRST_MS);
    });
    this.charts = new RunCharts(detail, {
      drawn: () => requestAnimationFrame(() => setTimeout(this.goOn)), // after the charts' own frame
      heard: (time) => this.strip.heard(time), runs: (shape) => this.strip.set(shape), happened: (some) => this.happened(some),
      again: () => this.refresh(), found: () => this.soon(), changed: (topics) => this.changed(topics),
    });
    this.parts = {};
    const part = (name, title, ...more) => {
      this.parts[name] = h("div", { class: "run-part" }, loading());
      return h("section", { class: "panel", id: name, "aria-label": title }, h("h2", {}, title), this.parts[name], more);
    };
    replace(
      node, this.strip.node, this.charts.node,
      h("div", { class: "grid wide" }, part("accuracy", "Accuracy"), part("events", "Events")),
      part("suspects", "Predictions that look wrong"), part("checkpoints", "Checkpoints"),
      h("div", { class: "grid" }, part("records", "Notes and decisions"), part("code", "Code"), part("config", "Configuration")),
    );
  }

  start() {
    this.strip.set(this.detail);
    this.charts.start();
    this.showDetail();
    this.lines.then(() => this.ask());
  }

  showDetail() {
    this.showEvents();
    replace(this.parts.code, code(this.detail));
    replace(this.parts.config, configuration(this.detail.config));
  }

  showEvents() {
    const more = () => {
      this.isAll = true;
      this.refresh();
    };
    replace(this.parts.events, events(this.events, { isAll: this.isAll, isMore: this.events.length === EVENTS, more }));
  }

  mostEvents() {
    return this.isAll ? MOST_EVENTS : EVENTS;
  }

  /** What has questions of its own. */
  ask() {
    const { id } = this.detail;
    this.put("rail", ["records"], ({ marks, left_out: left }) => {
      this.charts.setMarks(marksOf(marks, id), left);
      replace(this.parts.records, records(marks));
    });
    this.put("predictions", ["accuracy", "suspects"], (found) => {
      replace(this.parts.accuracy, accuracy(found.trends));
      replace(this.parts.suspects, suspects(found.suspects));
    });
    this.put("checkpoints", ["checkpoints"], (found) => replace(this.parts.checkpoints, checkpoints(found)));
  }

  async put(path, parts, show) {
    try {
      show(await get(`runs/${this.detail.id}/${path}`));
    } catch (error) {
      for (const name of parts) replace(this.parts[name], failed(error, () => this.put(path, parts, show)));
    }
  }

  // What came.

  happened(some) {
    const own = some.filter(({ run, id }) => run === this.detail.id && !this.events.some((one) => one.id === id));
    if (!own.length) return;
    this.events = [...own, ...this.events].slice(0, this.mostEvents());
    this.showEvents();
    this.soon();
  }

  changed(topics) {
    if (topics.some((one) => one === "checkpoints" || one === "records")) this.soon();
  }

  /** Ask again, not at once: what comes comes in crowds. */
  soon() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.refresh();
    }, QUIET_MS);
  }

  async refresh() {
    if (document.hidden) return;
    try {
      this.detail = await get(`runs/${this.detail.id}`, { events: this.mostEvents() });
    } catch {
      return; // the stream tells that nothing answers; it asks again when something does
    }
    this.events = this.detail.events;
    this.strip.set(this.detail);
    this.charts.setDetail(this.detail);
    this.showDetail();
    this.ask();
  }
}
