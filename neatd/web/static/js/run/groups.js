/**
 * Which charts a run has, and what is on each: found by the names of its series. Pure.
 *
 * Each series is on one chart. Pinned ones come first: the loss of training and evaluation on one, scores, the learning
 * rate with the norm of the gradients; the project's primary metric before the others. Users pin and unpin; a pin of a
 * series that this run does not have is kept and changes nothing.
 *
 * @typedef {import("./machine.js").Card} Card
 * @typedef {{added: string[], removed: string[]}} Pins  ids of cards
 */
import { byName, dataOf, kindOf, quantityOf } from "./names.js";
import { machineCards } from "./machine.js";

const MOST_LINES = 8; // on a chart that is made by names
const SCORES = 1; // charts of scores that are pinned
export const MANY = 12; // charts from which a section is closed at first

const DATA = { train: 0, "": 0, "held out": 1 };

/**
 * @param {string[]} names  of the training
 * @param {string[]} system  of the machine
 * @param {{primary?: {metric: string}|null, pins?: Pins}} [how]
 * @returns {{pinned: Card[], machine: Card[], sections: {title: string, cards: Card[], isClosed?: boolean}[]}}
 */
export function groupsOf(names, system, { primary = null, pins = { added: [], removed: [] } } = {}) {
  const chosen = headline(names, primary?.metric).filter((card) => !pins.removed.includes(card.id));
  const taken = new Set(chosen.flatMap(({ lines }) => lines.map(({ name }) => name)));
  const machine = machineCards(system);
  const rest = names.filter((name) => !taken.has(name)).sort(byName).map(single);
  const own = [...rest, ...machine.main, ...machine.more].filter((card) => pins.added.includes(card.id));
  const isElsewhere = (card) => !own.includes(card);
  return {
    pinned: [...chosen, ...own],
    machine: machine.main.filter(isElsewhere),
    sections: [...sectionsOf(rest.filter(isElsewhere)), ...moreOf(machine.more.filter(isElsewhere))],
  };
}

const moreOf = (cards) => (cards.length ? [{ title: "More of the machine", cards, isClosed: true }] : []);

/** The charts that people look at first. */
export function headline(names, primary) {
  const of = (kind) => names.filter((name) => kindOf(name) === kind).sort(byName);
  const losses = quantities(of("loss"), primary);
  const scores = quantities(of("score"), primary).slice(0, SCORES);
  const cards = [...losses.slice(0, 1), ...scores];
  const known = cards.some(({ lines }) => lines.some(({ name }) => name === primary));
  if (names.includes(primary) && !known) cards.unshift(overlaid(quantityOf(primary), names.filter((name) => quantityOf(name) === quantityOf(primary))));
  cards.sort((a, b) => has(b, primary) - has(a, primary) || 0);
  return [...cards, ...ratesOf(of("rate"), of("gradient"))];
}

const has = (card, name) => Number(card.lines.some((line) => line.name === name));

/** A chart for each quantity: the primary one first, then those of training and evaluation both, then by name. */
function quantities(names, primary) {
  const by = new Map();
  for (const name of names) by.set(quantityOf(name), [...(by.get(quantityOf(name)) ?? []), name]);
  const worth = ([, some]) => (some.includes(primary) ? 4 : 0) + (new Set(some.map(dataOf)).size > 1 ? 2 : 0) + (some.some((name) => dataOf(name) === "held out") ? 1 : 0);
  const plain = ([quantity]) => quantity.split(" ").length;
  return [...by].sort((a, b) => plainFirst(a, b, primary) || worth(b) - worth(a) || plain(a) - plain(b)).map(([quantity, some]) => overlaid(quantity, some));
}

/** Of losses "loss" itself stands before "aux loss", unless that is the primary one. */
function plainFirst([a, as], [b, bs], primary) {
  if (as.includes(primary) || bs.includes(primary)) return 0;
  return Number(b === "loss") - Number(a === "loss");
}

function overlaid(quantity, names) {
  const some = [...names].sort((a, b) => DATA[dataOf(a)] - DATA[dataOf(b)] || byName(a, b)).slice(0, MOST_LINES);
  const lines = some.map((name) => ({ name, label: name }));
  return { id: `pinned ${quantity}`, title: titleOf(quantity, some), lines };
}

const titleOf = (quantity, names) => (names.length === 1 ? names[0] : capital(quantity));
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The learning rate, and on the second axis the norm of the gradients; each alone where the other is not there. */
function ratesOf(rates, gradients) {
  if (!rates.length && !gradients.length) return [];
  const left = rates.slice(0, MOST_LINES).map((name) => ({ name, label: name }));
  const right = gradients.slice(0, 2).map((name) => ({ name, label: left.length ? `${name} (right)` : name, scale: left.length ? "y2" : "y" }));
  const title = left.length && right.length ? "Learning rate, gradient norm" : left.length ? "Learning rate" : "Gradient norm";
  return [{ id: "pinned rate", title, lines: [...left, ...right] }];
}

const single = (name) => ({ id: name, title: name, lines: [{ name, label: name }] });

/** By what stands before the first slash; the ones without come first. */
export function sectionsOf(cards) {
  const by = new Map();
  for (const card of cards) by.set(prefixOf(card.id), [...(by.get(prefixOf(card.id)) ?? []), card]);
  return [...by].sort(([a], [b]) => Number(a !== "") - Number(b !== "") || a.localeCompare(b)).map(([title, some]) => ({ title, cards: some, isClosed: some.length > MANY }));
}

export const prefixOf = (name) => (name.includes("/") ? name.slice(0, name.indexOf("/")) : "");
