/**
 * The event rail that all charts of a page share: a lane per kind of mark, marks as buttons with a shape and words,
 * and all of them as a list. Marks too near to be told apart are one, with their number.
 *
 * The rail is one stop of the Tab key; left and right go from mark to mark. A mark that is pointed at shows its
 * place on the charts of the same group.
 */
import { spaced, within, wordsOf } from "./bundles.js";
import { counted, placeText } from "./words.js";
import { joinGroup } from "./cursors.js";
import { h } from "../base/dom.js";
import { KINDS, gravest, placedMarks, shapeOf } from "./marks.js";

const LISTED = 500; // marks that the list holds; a training of weeks has more
const DEFAULTS = { axis: "step", sync: null, domain: null, range: null, starts: new Map(), title: "What happened" };

class Rail {
  constructor(container, options) {
    this.options = { ...DEFAULTS, ...options };
    this.marks = [];
    this.ending = new AbortController();
    this.lanes = h("div", { class: "rail-lanes", role: "group", "aria-label": this.options.title });
    this.cursor = h("div", { class: "rail-cursor", hidden: true });
    this.said = h("p", { class: "rail-said", "aria-live": "polite" });
    this.list = h("ol", {});
    this.summary = h("summary", {}, "");
    this.details = h("details", { class: "rail-list" }, this.summary, this.list);
    this.root = h("section", { class: "rail", "aria-label": this.options.title }, this.lanes, this.said, this.details);
    container.append(this.root);
    this.listen();
    this.join();
  }

  listen() {
    const { signal } = this.ending;
    this.details.addEventListener("toggle", () => this.fillList(), { signal });
    this.lanes.addEventListener("keydown", (event) => this.press(event), { signal });
    const on = (name, act) => this.lanes.addEventListener(name, act, { signal });
    for (const name of ["focusin", "pointerover"]) on(name, (event) => this.say(event.target));
    for (const name of ["focusout", "pointerleave"]) on(name, () => this.group.tell(null));
    this.resizing = new ResizeObserver(() => this.schedule());
    this.resizing.observe(this.lanes);
  }

  join() {
    this.group?.leave();
    this.group = joinGroup(this.options.sync, { show: (position) => this.showPosition(position) });
  }

  schedule() {
    if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.draw(); });
  }

  set(marks) {
    this.marks = marks.filter((mark) => mark.kind in KINDS);
    this.schedule();
  }

  setOptions(partial) {
    const wasSynced = this.options.sync;
    Object.assign(this.options, partial);
    if (this.options.sync !== wasSynced) this.join();
    this.schedule();
  }

  view(placed) {
    const { range, domain } = this.options;
    const [min, max] = range ?? domain ?? [placed[0]?.x ?? 0, placed[placed.length - 1]?.x ?? 1];
    return min < max ? [min, max] : [min - 0.5, max + 0.5];
  }

  draw() {
    const placed = placedMarks(this.marks, this.options.axis, this.options.starts).sort((a, b) => a.x - b.x);
    this.domain = this.view(placed);
    const seen = within(placed, this.domain, this.options.axis, this.options.range !== null);
    const kinds = Object.keys(KINDS).filter((kind) => this.marks.some((mark) => mark.kind === kind));
    const focused = this.focusedKey();
    this.places = new Map();
    const ofKind = (kind) => seen.filter(({ mark }) => mark.kind === kind);
    this.lanes.replaceChildren(...kinds.map((kind) => this.lane(kind, ofKind(kind))), this.cursor);
    this.buttons = [...this.lanes.querySelectorAll("button")].sort((a, b) => this.places.get(a).x - this.places.get(b).x);
    this.setStop(this.buttons.find((button) => button.dataset.key === focused) ?? this.buttons[0], focused !== null);
    const away = this.marks.length - placed.length;
    const note = away ? ` (${away} without a place on this axis)` : "";
    this.summary.textContent = `${counted(this.marks.length, "mark")} as a list${note}`;
    this.details.hidden = !this.marks.length;
    this.fillList();
  }

  lane(kind, placed) {
    const width = this.lanes.clientWidth - 140;
    const [min, max] = this.domain;
    const buttons = spaced(placed, this.domain, width).map(({ x, marks }) => {
      const words = wordsOf(kind, marks);
      const count = marks.length > 1 ? h("span", { "aria-hidden": "true" }, `×${marks.length}`) : null;
      const severity = gravest(marks);
      const props = { type: "button", class: `rail-mark rail-${kind}`, tabindex: "-1", "aria-label": words, title: words };
      const button = h("button", { ...props, dataset: { key: `${kind} ${x}`, severity: severity ?? "" } }, shapeOf(kind, 12, severity), count);
      button.style.left = `${((x - min) / (max - min)) * 100}%`;
      this.places.set(button, { x, marks, words });
      return h("li", {}, button);
    });
    const names = `${kind}s`;
    const name = h("span", { class: "rail-name" }, shapeOf(kind), h("span", {}, names));
    return h("div", { class: "rail-lane" }, name, h("ul", { class: "rail-track", "aria-label": names }, ...buttons));
  }

  focusedKey() {
    return this.lanes.contains(document.activeElement) ? (document.activeElement.dataset.key ?? null) : null;
  }

  setStop(button, isFocused) {
    for (const other of this.buttons) other.tabIndex = other === button ? 0 : -1;
    if (isFocused && button) button.focus();
  }

  press(event) {
    const at = this.buttons.indexOf(event.target);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: this.buttons.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    this.setStop(this.buttons[Math.min(Math.max(to, 0), this.buttons.length - 1)], true);
  }

  /** Says a mark in words and shows its place on the charts. */
  say(target) {
    const place = this.places?.get(target.closest?.("button"));
    if (!place) return;
    const [{ run, step, time }] = place.marks;
    const { axis } = this.options;
    this.said.textContent = `${place.words} (${placeText(axis, axis === "step" ? step : place.x)})`;
    const runs = new Map([[run, { step: step ?? NaN, time: time ?? NaN }]]);
    this.group.tell({ axis, x: place.x, runs });
  }

  showPosition(position) {
    const isHere = position !== null && position.axis === this.options.axis && this.domain
      && position.x >= this.domain[0] && position.x <= this.domain[1];
    const track = this.lanes.querySelector(".rail-track");
    this.cursor.hidden = !isHere || !track;
    if (this.cursor.hidden) return;
    const part = (position.x - this.domain[0]) / (this.domain[1] - this.domain[0]);
    this.cursor.style.left = `${track.offsetLeft + part * track.clientWidth}px`;
  }

  fillList() {
    if (!this.details.open) return;
    const itemOf = (mark) => h("li", {}, shapeOf(mark.kind, 10, mark.severity), ` ${wordsOf(mark.kind, [mark])}`);
    const items = this.marks.slice(-LISTED).map(itemOf);
    const more = this.marks.length - items.length;
    this.list.replaceChildren(...(more > 0 ? [h("li", {}, `${more} earlier ones`)] : []), ...items);
  }

  destroy() {
    this.ending.abort();
    this.resizing.disconnect();
    this.group.leave();
    cancelAnimationFrame(this.frame);
    this.root.remove();
  }
}

/**
 * @param {HTMLElement} container
 * @param {Partial<typeof DEFAULTS>} [options]  `domain` is what a chart's `fullDomain()` says, `starts` what its
 *   `starts()` says
 */
export function createRail(container, options = {}) {
  const rail = new Rail(container, options);
  return {
    /** @param {import("./marks.js").Mark[]} marks */
    set: (marks) => rail.set(marks),
    setOptions: (partial) => rail.setOptions(partial),
    setRange: (range) => rail.setOptions({ range }),
    destroy: () => rail.destroy(),
  };
}
