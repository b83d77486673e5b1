/**
 * The points of a run's series for the charts that are shown: first few of all, then about two a pixel, of a window at
 * its full resolution, and then what is appended.
 *
 * Nothing is drawn twice and nothing is missing: what is told while a question is under way is added to its answer, and
 * points that an answer has already are left out. What was drawn stays until the next answer comes.
 *
 * @typedef {import("./window.js").Points} Points
 * @typedef {import("./questions.js").Held} Held
 * @typedef {{names: string[], size: () => number, draw: (held: Map<string, Held>) => void,
 *   append: (name: string, points: Points) => void, fail: (error: Error) => void, fine: () => void}} Member  a chart
 */
import { Questions } from "./questions.js";
import { take } from "./cursor.js";
import { stepsOf, withMargin } from "./window.js";

const PREVIEW = 200; // points of a series that are drawn first
const MOST_KEPT = 12000; // points held of a series that goes on; then it is read again
const MOST_NAMES = 50; // in one question
const NARROWER = 0.5; // a window on an axis of time is asked for again while it narrows by this
const MOST_TURNS = 4;

export class Series {
  /** @param {{run: string, startedAt: number, begun: (cursor: string) => void, drawn: () => void}} how */
  constructor({ run, startedAt, begun, drawn }) {
    Object.assign(this, { startedAt, drawn });
    /** @type {Map<string, Held>} whole series, as far as they were asked for */
    this.base = new Map();
    /** @type {Map<Member, {held: Map<string, Held>|null, ending: AbortController|null}>} */
    this.members = new Map();
    const last = (name) => this.base.get(name)?.points.at(-1)?.[0] ?? -Infinity;
    this.questions = new Questions(run, { begun, last });
    this.waiting = new Set();
    this.range = null;
    this.axis = "step";
  }

  // Charts come and go.

  join(member) {
    this.members.set(member, { held: null, ending: null });
    if (member.names.every((name) => this.base.has(name))) member.draw(this.base);
    this.wait(member);
  }

  leave(member) {
    this.members.get(member)?.ending?.abort();
    this.members.delete(member);
    this.waiting.delete(member);
  }

  /** The range that is looked at, on an axis; null for all. */
  look(range, axis) {
    this.range = range;
    this.axis = axis;
    for (const [member, state] of this.members) {
      state.ending?.abort();
      if (!range && state.held && member.names.every((name) => this.base.has(name))) member.draw(this.base);
      if (!range) state.held = null;
      this.wait(member);
    }
  }

  /** All of it is to be asked for again: the series were rewritten, or too much was missed. */
  spoil() {
    for (const held of this.base.values()) Object.assign(held, { size: 0, isWhole: false });
    this.questions.begin();
    for (const member of this.members.keys()) this.wait(member);
  }

  /**
   * Points that were told by the stream.
   * @param {Object<string, Points>} series
   * @param {import("./cursor.js").Told} told  from where to where
   */
  append(series, told) {
    for (const [name, points] of Object.entries(series)) {
      this.questions.hear(name, points, told);
      const fresh = this.base.has(name) ? this.extend(name, this.base.get(name), points, told) : [];
      for (const [member, { held }] of this.members) {
        if (member.names.includes(name)) this.appendTo(member, name, held ? this.within(held.get(name), points, told) : fresh);
      }
    }
  }

  extend(name, held, points, told) {
    const fresh = take(held, points, told);
    if (held.points.length > MOST_KEPT) this.askAnew(name, held);
    return fresh;
  }

  askAnew(name, held) {
    const users = [...this.members.keys()].filter((member) => member.names.includes(name));
    if (!users.length) this.base.delete(name);
    held.size = 0;
    held.isWhole = false;
    users.forEach((member) => this.wait(member));
  }

  /** A window that ends before the newest points takes none. */
  within(held, points, told) {
    return held?.isOpen ? take(held, points, told) : [];
  }

  appendTo(member, name, fresh) {
    if (fresh.length) member.append(name, fresh);
  }

  // Asking.

  wait(member) {
    this.waiting.add(member);
    this.timer ??= setTimeout(() => this.flush(), 0);
  }

  async flush() {
    this.timer = null;
    if (this.isAsking) return;
    this.isAsking = true;
    const some = [...this.waiting];
    this.waiting.clear();
    await this.preview(some);
    this.isAsking = false;
    for (const member of some) if (this.members.has(member)) this.refine(member);
    if (this.waiting.size) this.timer ??= setTimeout(() => this.flush(), 0);
  }

  /** A coarse look at all series that nothing is known of: one question for all charts that came into view. */
  async preview(some) {
    const names = [...new Set(some.flatMap((member) => member.names).filter((name) => !this.base.has(name)))];
    for (let at = 0; at < names.length; at += MOST_NAMES) {
      try {
        const found = await this.questions.ask(names.slice(at, at + MOST_NAMES), PREVIEW);
        for (const [name, held] of found) this.base.set(name, held);
      } catch (error) {
        some.forEach((member) => member.fail(error));
        return;
      }
    }
    if (!names.length) return;
    for (const member of some) if (this.members.has(member)) member.draw(this.base);
    this.drawn();
  }

  /** A chart at the resolution of its width: of the window that is looked at, or of all. */
  async refine(member) {
    const state = this.members.get(member);
    const size = member.size();
    if (!member.names.every((name) => this.base.has(name))) return;
    state.ending?.abort();
    if (!this.range && member.names.every((name) => this.isEnough(name, size))) return;
    const ending = (state.ending = new AbortController());
    try {
      if (this.range) await this.refineWindow(member, state, size, ending.signal);
      else await this.refineBase(member, size, ending.signal);
    } catch (error) {
      if (error.name !== "AbortError") member.fail(error);
    }
  }

  isEnough(name, size) {
    const held = this.base.get(name);
    return held.isWhole || held.size >= size;
  }

  async refineBase(member, size, signal) {
    const found = await this.questions.ask(member.names, size, null, signal);
    for (const [name, held] of found) this.base.set(name, held);
    member.draw(this.base);
    this.drawn();
  }

  async refineWindow(member, state, size, signal) {
    let steps = this.stepsFor(member, this.base);
    for (let turn = 0; steps && turn < MOST_TURNS; turn += 1) {
      const isWhole = member.names.every((name) => this.base.get(name).isWhole);
      const found = isWhole ? this.base : await this.questions.ask(member.names, size, withMargin(steps), signal);
      state.held = isWhole ? null : found;
      member.draw(found);
      if (isWhole || this.axis === "step") return;
      const narrower = this.stepsFor(member, found);
      if (!narrower || narrower[1] - narrower[0] > NARROWER * (steps[1] - steps[0])) return;
      steps = narrower;
    }
  }

  /** The steps of the range, by the densest of a chart's series. */
  stepsFor(member, held) {
    return stepsOf(this.range, this.axis, { points: densest(member.names, held), startedAt: this.startedAt });
  }

  /** Charts that could not be filled are asked for again. */
  retry() {
    for (const member of this.members.keys()) {
      member.fine();
      this.wait(member);
    }
  }
}

/** The points of the series that has most of them. */
export function densest(names, held) {
  return names.reduce((best, name) => (held.get(name)?.points.length > best.length ? held.get(name).points : best), []);
}
