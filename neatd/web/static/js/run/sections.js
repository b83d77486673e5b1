/**
 * The charts of a run in their order: pinned ones, the machine's, then sections by the prefix of their names. A section of
 * many is closed at first; what is closed asks for nothing.
 */
import { h, replace } from "../base/dom.js";
import { empty } from "../base/state.js";
import { placeText } from "../chart/words.js";

/**
 * @param {HTMLElement} node
 * @param {import("./deck.js").Deck} deck
 * @param {ReturnType<import("./groups.js").groupsOf>} groups
 * @param {{opened: Map<string, boolean>, hasPins: boolean, unpinAll: () => void}} how  `opened` is kept over drawing anew
 */
export function layOut(node, deck, groups, { opened, hasPins, unpinAll }) {
  deck.clear();
  const grid = (cards, isPinned = false) => h("div", { class: "run-grid" }, cards.map((card) => deck.add(card, isPinned).node));
  const { pinned, machine, sections } = groups;
  if (!pinned.length && !machine.length && !sections.length) {
    replace(node, empty("No numbers yet.", "They come as soon as the run writes a line with metrics."));
    return;
  }
  replace(
    node,
    h("section", { class: "run-section", "aria-label": "Pinned charts" },
      h("header", { class: "row" }, h("h2", {}, "Pinned"), hasPins && h("button", { type: "button", class: "plain", on: { click: unpinAll } }, "Pins as at first")),
      pinned.length ? grid(pinned, true) : empty("Nothing is pinned.", "The star of a chart pins it.")),
    machine.length > 0 && section({ title: "Memory and GPU", cards: machine }, opened, grid),
    sections.map((one) => section({ ...one, title: one.title || "Other series" }, opened, grid)),
  );
}

/** What stands above charts of a range in which nothing lies. */
export function nothingThere({ axis, domain: [first, last], showAll }) {
  const what = `The run has no points in this range: they go from ${placeText(axis, first)} to ${placeText(axis, last)}.`;
  return h("div", { class: "empty" }, h("p", {}, what), h("button", { type: "button", on: { click: showAll } }, "Show all of them"));
}

function section({ title, cards, isClosed = false }, opened, grid) {
  const isOpen = opened.get(title) ?? !isClosed;
  const body = h("div");
  const node = h("details", { class: "run-section", open: isOpen }, h("summary", {}, h("h2", {}, title), " ", h("span", { class: "dim" }, `${cards.length} chart${cards.length === 1 ? "" : "s"}`)), body);
  const fill = () => {
    opened.set(title, node.open);
    if (node.open && !body.hasChildNodes()) body.append(grid(cards));
  };
  if (isOpen) body.append(grid(cards));
  node.addEventListener("toggle", fill);
  return node;
}
