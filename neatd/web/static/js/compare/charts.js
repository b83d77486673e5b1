/**
 * The charts of a comparison: a card for each shared series, the one that runs are compared by first.
 */

import { Card } from "./card.js";
import { h, replace } from "../base/dom.js";
import { empty } from "../base/state.js";

/** Pure: the series whose names have all of the words, the metric first. */
export function namesOf(series, metric, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return series.map(({ name }) => name).sort((a, b) => (b === metric) - (a === metric))
    .filter((name) => words.every((word) => name.toLowerCase().includes(word)));
}

export class Charts {
  /** `page` is what a card needs, and `comparison()`. */
  constructor(page) {
    this.page = page;
    this.cards = new Map();
    this.node = h("div", { class: "grid cards" });
  }

  /** Lays out what is to be shown; cards that are there stay. */
  lay() {
    const { series, metric } = this.page.comparison() ?? { series: [], metric: "" };
    const names = namesOf(series, metric, this.page.shown().charts);
    this.end(names);
    for (const name of names) if (!this.cards.has(name)) this.cards.set(name, new Card(name, this.page));
    const nodes = names.map((name) => this.cards.get(name).node);
    const isSame = nodes.length && nodes.length === this.node.children.length && nodes.every((node, at) => this.node.children[at] === node);
    if (!isSame) replace(this.node, nodes.length ? nodes : nothing(series));
  }

  /** Ends the cards that are not among `names`. */
  end(names = []) {
    for (const [name, card] of this.cards) {
      if (names.includes(name)) continue;
      card.end();
      this.cards.delete(name);
    }
  }

  change() {
    this.cards.forEach((card) => card.change());
  }

  append(run, series) {
    for (const [name, points] of Object.entries(series)) this.cards.get(name)?.append(run, points);
  }

  forget(run) {
    this.cards.forEach((card) => card.forget(run));
  }
}

const nothing = (series) => (series.length ? empty("No series fits.", "Change what is written under Series.") : empty("These runs share no series."));
