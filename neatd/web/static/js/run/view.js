/**
 * The charts of a run with their controls, the rail and the address; live.
 */
import { h, replace, say } from "../base/dom.js";
import { state } from "../base/frame.js";
import { createRail } from "../chart/rail.js";
import { lookOf, searchOf } from "./address.js";
import { controls } from "./controls.js";
import { Deck } from "./deck.js";
import { followRun } from "./follow.js";
import { groupsOf } from "./groups.js";
import { forgetPins, pinsOf, turnPin } from "./pins.js";
import { leftOut, onCharts } from "./rail.js";
import { layOut, nothingThere } from "./sections.js";
import { densest, Series } from "./series.js";
import { isAllOf, isBeside, rounded, stepsIn, translated } from "./window.js";

const RAIL_MS = 700;
const AROUND = 0.05; // of all steps, on each side of a step that the address names

export class RunCharts {
  /** @param {object} detail  of `/api/runs/ID` @param {{heard: Function, runs: Function, happened: Function, changed: Function, again: Function}} on */
  constructor(detail, on) {
    Object.assign(this, { detail, on });
    this.run = detail.id;
    this.startedAt = Date.parse(detail.started_at) / 1000;
    this.look = lookOf(location.search);
    this.look.range ??= rangeAround(new URLSearchParams(location.search).get("step"), detail);
    this.opened = new Map();
    this.series = new Series({ run: this.run, startedAt: this.startedAt, begun: (cursor) => this.follow.begin(cursor), drawn: () => this.drawn() });
    this.deck = new Deck({
      run: this.run, startedAt: this.startedAt, series: this.series, look: () => this.look,
      choose: (range) => this.change({ range: range && rounded(range, this.look.axis) }), pin: (id, isPinned) => this.pin(id, isPinned), mounted: () => this.follow.widen(),
      aligned: (domain) => this.alignRail(domain),
    });
    this.controls = controls(this.look, { change: (part) => this.change(part), reset: () => this.change({ range: null }) });
    this.follow = this.follower();
    this.railed = h("div");
    this.railNote = h("p", { class: "dim" });
    this.beside = h("div", { role: "status" });
    this.charts = h("div", { class: "run-charts" });
    this.node = h("section", { class: "run-view", "aria-label": "Charts" }, this.controls.node, h("div", { class: "panel run-rail" }, this.railed, this.railNote), this.beside, this.charts);
  }

  start() {
    this.rail = createRail(this.railed, { axis: this.look.axis, sync: this.run, range: this.look.range, starts: new Map([[this.run, this.startedAt]]) });
    this.series.look(this.look.range, this.look.axis);
    this.arrange();
  }

  follower() {
    const system = () => Object.keys(this.detail.system ?? {});
    return followRun({
      run: this.run, project: this.detail.project_id, state, system, names: () => Object.keys(this.detail.series),
      shown: () => this.deck.mounted().flatMap((card) => card.names),
      on: {
        hello: () => this.hello(),
        points: (event) => this.points(event),
        rewritten: ({ run }) => run === this.run && this.again(),
        behind: () => this.again(),
        runs: (shapes) => shapes.filter(({ id }) => id === this.run).forEach((shape) => this.on.runs(shape)),
        happened: (some) => this.on.happened(some),
        changed: ({ topics }) => this.on.changed(topics),
      },
    });
  }

  /** The rail is made anew each time: not as often as points come. */
  alignRail(domain) {
    this.domain = domain;
    this.railTimer ??= setTimeout(() => {
      this.railTimer = null;
      this.rail.setOptions({ domain: this.domain });
      this.weighRange();
    }, this.hasDomain ? RAIL_MS : 0);
    this.hasDomain = true;
  }

  // Which charts.

  arrange() {
    const names = Object.keys(this.detail.series);
    const system = Object.keys(this.detail.system ?? {});
    this.known = new Set([...names, ...system]);
    this.arranged = new Set(this.known);
    const pins = pinsOf(this.detail.project_id);
    const unpinAll = () => {
      forgetPins(this.detail.project_id);
      this.arrange();
    };
    const groups = groupsOf(names, system, { primary: this.detail.primary, pins });
    layOut(this.charts, this.deck, groups, { opened: this.opened, hasPins: pins.added.length + pins.removed.length > 0, unpinAll });
    this.controls.setWhyNoLog(whyNoLog({ ...this.detail.series, ...this.detail.system }));
  }

  pin(id, isPinned) {
    turnPin(this.detail.project_id, id, isPinned);
    this.arrange();
    this.charts.querySelector(`[data-card="${CSS.escape(id)}"] .run-pin`)?.focus({ preventScroll: true });
  }

  setDetail(detail) {
    this.detail = detail;
    const names = [...Object.keys(detail.series), ...Object.keys(detail.system ?? {})];
    if (names.some((name) => !this.arranged.has(name))) this.arrange();
  }

  setMarks(marks, left) {
    this.rail.set(marks);
    say(this.railNote, leftOut(left));
    this.deck.setMarks(onCharts(marks));
  }

  // How they are looked at.

  change(part) {
    const look = { ...this.look, ...part };
    if (look.axis !== this.look.axis && this.look.range) look.range = this.onAxis(look.axis);
    const isElsewhere = String(look.range) !== String(this.look.range) || look.axis !== this.look.axis;
    this.look = look;
    history.replaceState(null, "", searchOf(look, withoutStep(location.search)) || location.pathname);
    this.controls.show(look);
    this.deck.update();
    this.rail.setOptions({ axis: look.axis, range: look.range });
    if (isElsewhere) this.series.look(look.range, look.axis);
    this.weighRange();
  }

  /** A range that holds every step is none; one in which nothing lies is said, with a way back. */
  weighRange() {
    const { axis, range } = this.look;
    const domain = this.reach();
    if (range && domain && axis === "step" && isAllOf(range, domain)) this.change({ range: null });
    else if (range && domain && isBeside(range, domain)) replace(this.beside, nothingThere({ axis, domain, showAll: () => this.change({ range: null }) }));
    else if (this.beside.hasChildNodes()) replace(this.beside);
  }

  /** From the first to the last place of what is known: of the series that charts were not drawn of too, where those tell it. */
  reach() {
    const drawn = this.deck.wholeDomain();
    const told = this.look.axis === "step" ? stepsIn({ ...this.detail.series, ...this.detail.system }) : null;
    return drawn && told ? [Math.min(drawn[0], told[0]), Math.max(drawn[1], told[1])] : told ?? drawn;
  }

  /** The range on another axis, by the densest series that is known. */
  onAxis(axis) {
    const points = densest([...this.series.base.keys()], this.series.base);
    const range = translated(this.look.range, this.look.axis, axis, { points, startedAt: this.startedAt });
    return range && rounded(range, axis);
  }

  // What came.

  drawn() {
    this.deck.align();
    this.weighRange();
    this.on.drawn();
  }

  hello() {
    if (this.hasGreeted) this.series.retry();
    this.hasGreeted = true;
    this.on.again();
  }

  points({ series, from, cursor }) {
    this.series.append(series, { from, to: cursor });
    this.deck.align();
    const times = Object.values(series).flat().map(([, , time]) => time).filter(Number.isFinite);
    this.on.heard(times.length ? 1000 * Math.max(...times) : Date.now());
    if (Object.keys(series).some((name) => !this.known.has(name))) this.discover(series);
  }

  /** A series that was not there before. */
  discover(series) {
    for (const name of Object.keys(series)) this.known.add(name);
    this.on.found();
  }

  again() {
    this.series.spoil();
    this.on.again();
  }
}

function withoutStep(search) {
  const words = new URLSearchParams(search);
  words.delete("step");
  return words.toString();
}

function rangeAround(word, { series }) {
  const last = Math.max(0, ...Object.values(series).map((one) => one.last_step ?? 0));
  const step = word === null || word === "" ? NaN : Math.min(last, Math.max(0, Number(word)));
  const room = Math.max(10, Math.round(AROUND * last));
  return Number.isFinite(step) && last > 0 ? [Math.max(0, step - room), Math.min(last, step + room)] : null;
}

/** Why no chart can have a log axis. */
function whyNoLog(series) {
  const isAny = Object.values(series).some(({ max }) => Number(max) > 0);
  return isAny ? "" : "no value is above 0";
}
