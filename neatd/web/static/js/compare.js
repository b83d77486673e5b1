/**
 * Compare: the runs that are chosen, their shared series as charts, and what else differs between them.
 */

import { get } from "./base/api.js";
import { keep, shownOf } from "./compare/address.js";
import { Charts } from "./compare/charts.js";
import { Following } from "./compare/live.js";
import { codeParts, parameterParts } from "./compare/parts.js";
import { MOST, RunList, shortName } from "./compare/runs.js";
import { comparisonTable } from "./compare/table.js";
import { tools } from "./compare/tools.js";
import { h, replace } from "./base/dom.js";
import { frame, project } from "./base/frame.js";
import { groupable, groupsOf } from "./compare/grouping.js";
import { looks } from "./compare/runcolours.js";
import { empty, failed, loading } from "./base/state.js";

const LATER_MS = 1500;
const soon = window.requestIdleCallback ?? ((work) => setTimeout(work, 300)); // the lines come first
const AGAIN_MS = 5000; // between two looks at numbers that change

/** Until the first lines are drawn, and no longer than this. */
function drawn(node, ms) {
  return new Promise((go) => {
    const watch = new MutationObserver(() => node.querySelector("[data-drawn]") && end());
    const late = setTimeout(end, ms);
    function end() {
      watch.disconnect();
      clearTimeout(late);
      go();
    }
    watch.observe(node, { subtree: true, childList: true, attributeFilter: ["data-drawn"] });
  });
}

class Compare {
  constructor(node) {
    this.shown = shownOf();
    this.comparison = null;
    this.colours = new Map();
    this.open = { series: false, parameters: false };
    this.list = new RunList({ project: project(), chosen: () => this.shown.runs, looks: () => this.colours, choose: (ids) => this.choose(ids) });
    this.tools = tools(this.shown, (change) => this.change(change));
    this.charts = new Charts(this.forCards());
    this.parts = Object.fromEntries(["numbers", "parameters", "code"].map((id) => [id, h("div", { class: `part ${id}` })]));
    this.body = h("div", { class: "compare-body" });
    this.missing = h("div", { class: "compare-missing", role: "status" });
    replace(node, this.missing, h("div", { class: "compare" }, this.list.node, this.body));
    this.following = new Following({
      project: project(), runs: () => this.shown.runs, known: this.list.known,
      points: (run, series) => this.charts.append(run, series),
      rewritten: (run) => this.charts.forget(run),
      changed: (runs) => this.heard(runs), again: () => this.again(),
    });
  }

  /** What an address names is drawn before the list of all runs is asked for. */
  async begin() {
    if (this.shown.runs.length) {
      await this.settle();
      await drawn(this.body, LATER_MS);
      await this.list.read();
      if (!this.shown.runs.length) this.show(); // none of them is there
    } else {
      await this.list.read();
      this.shown.runs = this.list.usual();
      await this.settle();
    }
    this.list.show();
  }

  // What is chosen.

  choose(ids) {
    replace(this.missing);
    this.shown.runs = ids.slice(0, MOST);
    this.settle();
  }

  /** The choice is another one. */
  async settle() {
    this.shown.runs = this.shown.runs.slice(0, MOST);
    this.colours = looks(this.shown.runs);
    keep(this.shown);
    soon(() => this.list.show(), { timeout: LATER_MS });
    await this.read();
    this.following.follow();
  }

  change(change) {
    Object.assign(this.shown, change);
    keep(this.shown);
    if ("charts" in change) this.charts.lay();
    this.showTools();
    this.charts.change();
  }

  /** Runs changed, as the stream says. */
  heard(runs) {
    const chosen = new Set(this.shown.runs);
    const mine = runs.filter(({ id }) => chosen.has(id));
    const isOther = mine.some((run) => this.list.known.get(run.id)?.status !== run.status);
    const isNew = runs.some(({ id }) => !this.list.known.has(id));
    this.list.learn(runs);
    if (isNew) this.list.look();
    else if (isOther) this.list.show();
    if (mine.length) this.timer ??= setTimeout(() => this.readAgain(), AGAIN_MS);
  }

  /** From now on the stream tells what changes: what changed before is read. */
  again() {
    this.list.look();
    if (this.comparison) this.timer ??= setTimeout(() => this.readAgain(), AGAIN_MS);
  }

  /** The numbers of runs that go on: the charts follow by themselves. */
  async readAgain() {
    this.timer = null;
    const turn = this.turn;
    const found = await this.ask(this.shown.runs).catch(() => null); // the frame says when neatd does not answer
    if (!found || turn !== this.turn) return;
    this.comparison = found;
    this.charts.lay();
    this.showNumbers();
  }

  // Reading.

  /** Reads the comparison, and shows it; of answers that overtake one another the last that was asked for. */
  async read() {
    const asked = this.shown.runs.join(" ");
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      if (asked && !this.comparison && !this.body.children.length) replace(this.body, loading());
      const found = await this.ask(this.shown.runs);
      if (turn !== this.turn) return;
      this.comparison = found;
      this.show();
    } catch (error) {
      if (turn !== this.turn || (error.status === 404 && (await this.leftOut(turn)))) return;
      replace(this.body, failed(error, () => this.read()));
      this.comparison = null;
    }
  }

  /** Says which of the runs are not there, and goes on without them; false where that is not what went wrong. */
  async leftOut(turn) {
    const words = this.shown.runs;
    const missing = await absent(words);
    if (turn !== this.turn) return true;
    if (!missing.size) return false;
    const names = [...missing].map((word, at) => [at > 0 && ", ", h("code", {}, word)]);
    replace(this.missing, h("p", { class: "notice" }, h("span", { "aria-hidden": "true" }, "⚠ "), "There is no run ", names, ": left out."));
    this.shown.runs = words.filter((word) => !missing.has(word));
    this.comparison = null;
    await this.settle();
    return true;
  }

  /** What `/api/compare` says; of one run its series. The words of the address become ids. */
  async ask(words) {
    if (!words.length) return null;
    const found = words.length > 1 ? await compared(words) : alone(await detail(words[0]));
    const ids = found.runs.map(({ id }) => id);
    this.list.learn(found.runs);
    if (ids.join(" ") !== words.join(" ") && this.shown.runs === words) {
      this.shown.runs = ids;
      this.colours = looks(ids);
      keep(this.shown);
      this.list.show();
    }
    return found;
  }

  label(id) {
    const run = this.list.known.get(id);
    return run ? shortName(run) : id;
  }

  groups() {
    const values = this.comparison?.parameters[this.shown.group];
    if (!values) return null;
    return groupsOf(this.comparison.runs.map(({ id }) => id), values)
      .map((group) => ({ ...group, label: `${this.shown.group} = ${group.label}` }));
  }

  // Showing.

  show() {
    if (!this.comparison) {
      this.charts.end();
      const hasRuns = this.list.found.length > 0;
      replace(this.body, hasRuns ? empty("No run is chosen.", "Choose runs in the list, or the newest ones by the button above it.")
        : empty("There is no run yet.", "Start a training in a folder where `neat init` was called; its runs are listed here once `neatd` has read a line."));
      return;
    }
    if (!this.charts.node.isConnected) replace(this.body, this.skeleton());
    this.showTools();
    this.charts.lay();
    this.charts.change();
    soon(() => this.showParts(), { timeout: LATER_MS });
  }

  skeleton() {
    const part = (id, title) => h("section", { class: "panel", "aria-labelledby": `h-${id}` }, h("h2", { id: `h-${id}` }, title), this.parts[id]);
    return [
      this.tools.node,
      h("section", { "aria-labelledby": "h-charts" }, h("h2", { id: "h-charts", class: "hidden" }, "Charts"), this.charts.node),
      part("numbers", "Numbers"), part("parameters", "Parameters that differ"), part("code", "Code"),
    ];
  }

  showTools() {
    this.tools.show(this.shown, this.comparison ? groupable(this.comparison.parameters) : []);
  }

  view() {
    return { label: (id) => this.label(id), looks: () => this.colours };
  }

  turned(name) {
    return () => {
      this.open[name] = !this.open[name];
      this.showParts();
    };
  }

  showNumbers() {
    if (this.comparison.isAlone) return;
    const from = this.parts.numbers.querySelector(".scrolls")?.scrollLeft ?? 0;
    replace(this.parts.numbers, comparisonTable(this.comparison, {
      ...this.view(), isAll: this.open.series, showAll: this.turned("series"), sorted: this.order ?? null, onSort: (order) => { this.order = order; },
    }));
    this.parts.numbers.querySelector(".scrolls").scrollLeft = from;
  }

  showParts() {
    if (!this.comparison) return;
    if (this.comparison.isAlone) {
      for (const one of Object.values(this.parts)) replace(one, empty("One run is no comparison.", "Choose another one in the list."));
      return;
    }
    this.showNumbers();
    replace(this.parts.parameters, parameterParts(this.comparison, { ...this.view(), isAll: this.open.parameters, showAll: this.turned("parameters") }));
    replace(this.parts.code, codeParts(this.comparison, this.view()));
  }

  forCards() {
    return {
      comparison: () => this.comparison,
      shown: () => this.shown, runs: () => this.shown.runs, groups: () => this.groups(), label: (run) => this.label(run),
      looks: () => this.colours, zoom: (range) => this.change({ range }), read: (found) => this.following.read(found),
    };
  }
}

const ask = (words) => get("compare", { run: words });
const named = shownOf().runs.slice(0, MOST);
let asked = named.length > 1 ? ask(named) : null; // before the frame is there: one wait less
asked?.catch(() => {});

/** The comparison of runs; what the address names was asked for at first. */
function compared(words) {
  const found = asked && words.join(" ") === named.join(" ") ? asked : ask(words);
  asked = null;
  return found;
}

/** Those of the words that name no run. */
async function absent(words) {
  const { missing } = await get("series", { run: words, name: "-", points: 8 }); // the one question that tells them by name
  return new Set(missing);
}

/** One run; a name that is a path is no part of an address. */
async function detail(word) {
  const named = word.includes("/") ? (await get("runs", { filter: word })).find(({ name }) => name === word) : null;
  return get(`runs/${encodeURIComponent(named?.id ?? word)}`);
}

/** One run as a comparison of itself: its series, nothing to compare. */
function alone(run) {
  const series = Object.entries(run.series).map(([name]) => ({ name, goal: null, last: [], last_step: [], best: [], best_step: [] }));
  return { isAlone: true, metric: run.primary?.name ?? "", goal: null, runs: [run], series, parameters: {}, same: {}, changes: [] };
}

frame(async (node) => {
  await new Compare(node).begin();
}, { hasProject: true });
