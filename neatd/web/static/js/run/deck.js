/**
 * All cards of a run: each becomes a chart when it comes near the view, and few stay that are far from it. What holds for
 * all charts - axis, smoothing, range, marks - is told to them here, and they stand on one x axis.
 */
import { Card } from "./card.js";
import { domainOf } from "./window.js";

const NEAR = "400px";
const MOST_AWAY = 16; // charts out of view that are kept

export class Deck {
  /** @param {{run: string, startedAt: number, series: import("./series.js").Series, look: () => object, choose: Function, pin: Function, mounted: () => void, aligned: (domain: number[]|null) => void}} how */
  constructor(how) {
    this.how = how;
    this.cards = new Map();
    this.away = new Set();
    this.marks = [];
    this.domain = null;
    this.seeing = new IntersectionObserver((entries) => entries.forEach((entry) => this.see(entry)), { rootMargin: NEAR });
  }

  /** @returns {Card} a card whose node is to be put on the page */
  add(card, isPinned) {
    const { run, startedAt, series, pin } = this.how;
    const made = new Card(card, { run, startedAt, series, isPinned, pin, options: () => this.options() });
    this.cards.set(made.node, made);
    this.seeing.observe(made.node);
    return made;
  }

  clear() {
    for (const [node, card] of this.cards) {
      this.seeing.unobserve(node);
      card.unmount();
    }
    this.cards.clear();
    this.away.clear();
  }

  see({ target, isIntersecting }) {
    const card = this.cards.get(target);
    if (!card) return;
    this.away.delete(card);
    if (isIntersecting && !card.chart) {
      card.mount();
      this.how.mounted();
    } else if (!isIntersecting && card.chart) this.away.add(card);
    for (const far of this.away) {
      if (this.away.size <= MOST_AWAY) break;
      this.away.delete(far);
      far.node.style.minHeight = `${far.node.offsetHeight}px`;
      far.unmount();
    }
  }

  mounted() {
    return [...this.cards.values()].filter((card) => card.chart);
  }

  options() {
    const { axis, log, smoothing, isIgnoringOutliers, range } = this.how.look();
    return {
      axis, log, smoothing, isIgnoringOutliers, range: range ?? this.domain, isPart: range !== null, marks: this.marks, sync: this.how.run,
      onRange: (chosen) => this.how.choose(chosen),
    };
  }

  /** The way of looking changed. */
  update() {
    this.domain = this.wholeDomain();
    const options = this.options();
    for (const card of this.mounted()) card.chart.setOptions(options);
    this.how.aligned(this.domain);
  }

  setMarks(marks) {
    this.marks = marks;
    for (const card of this.mounted()) card.chart.setOptions({ marks });
  }

  /** After points came: the charts go on together, at most once a frame. */
  align() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      const domain = this.wholeDomain();
      if (String(domain) === String(this.domain)) return;
      this.domain = domain;
      this.how.aligned(domain);
      if (!this.how.look().range) for (const card of this.mounted()) card.chart.setRange(domain);
    });
  }

  wholeDomain() {
    const names = new Set([...this.cards.values()].flatMap((card) => card.names));
    const held = [...this.how.series.base].filter(([name]) => names.has(name)).map(([, one]) => one.points);
    return domainOf(held, this.how.look().axis, this.how.startedAt);
  }
}
