// The records of a project by kind: those that stand first, what is over below them.

import { h } from "../base/dom.js";
import { card } from "./recordcard.js";
import { KINDS, MAKERS } from "./recordwords.js";
import { empty } from "../base/state.js";

const MOST = 6; // of a kind, while all kinds are shown
const MAIN = ["hypothesis", "decision", "bug", "task", "insight", "note"];
const ANSWERED = new Set(["hypothesis", "bug"]); // how they ended is what one looks for: it is not put away
const LIMIT = 500; // of a kind, as the API gives them

/** What was opened on this page stays open when the list is drawn anew. */
const opened = new Set();

/** Kind -> its records. */
export function byKind(records) {
  const found = new Map(Object.keys(KINDS).map((kind) => [kind, []]));
  for (const one of records) found.get(one.kind)?.push(one);
  return found;
}

/** Buttons that choose a kind, with how many there are. `choose(kind)`; "" is all. */
export function kindChoice(groups, chosen, choose) {
  const all = [...groups.values()].reduce((sum, some) => sum + some.length, 0);
  const button = (kind, title, count) => h(
    "button", { type: "button", id: `kind-${kind || "all"}`, "aria-pressed": String(kind === chosen), on: { click: () => choose(kind) } },
    title, " ", h("span", { class: "dim" }, count >= LIMIT && kind ? `${count}+` : count));
  const some = [...groups].filter(([kind, records]) => records.length || MAIN.includes(kind));
  return h("div", { class: "row kinds", role: "group", "aria-label": "Kinds of records" },
    button("", "All", all), some.map(([kind, records]) => button(kind, KINDS[kind], records.length)));
}

/** The sections: of the chosen kind all of it, else the beginning of each. `choose(kind)` shows all of one. */
export function sections(groups, chosen, choose) {
  const kinds = chosen ? [chosen] : [...groups.keys()].filter((kind) => groups.get(kind).length);
  if (!kinds.length) {
    return empty("Nothing is kept yet.", "`neat decide`, `neat hypothesis`, `neat bug`, `neat note` keep records; `neat import FILE` takes in notes that you have");
  }
  const linked = Object.fromEntries([...groups.values()].flat().map((one) => [one.id, one]));
  return kinds.map((kind) => section(kind, groups.get(kind) ?? [], linked, Boolean(chosen), choose));
}

function section(kind, records, linked, isWhole, choose) {
  const id = `records-${kind}`;
  const [open, over] = [records.filter((one) => !one.is_closed), records.filter((one) => one.is_closed)];
  const first = ANSWERED.has(kind) ? [...open, ...over] : open;
  const rest = ANSWERED.has(kind) ? [] : over;
  const shown = isWhole ? first : first.slice(0, MOST);
  return h(
    "section", { class: "panel", "aria-labelledby": id },
    h("header", {}, h("h2", { id }, KINDS[kind]), h("span", { class: "dim small" }, counted(open.length, over.length))),
    !records.length && empty(`No ${KINDS[kind].toLowerCase()} yet.`, MAKERS[kind] ?? `\`neat list ${kind}\` lists them`),
    shown.length > 0 && h("ul", { class: "list" }, shown.map((one, at) => card(one, kind === "task" && !one.is_closed ? at + 1 : null, linked))),
    shown.length < first.length && h("button", { type: "button", id: `all-${kind}`, on: { click: () => choose(kind) } },
      `Show all ${first.length} ${KINDS[kind].toLowerCase()}`),
    rest.length > 0 && ended(kind, isWhole ? rest : rest.slice(0, 3 * MOST), rest.length, linked),
  );
}

function counted(open, over) {
  return over ? `${open} open, ${over} closed` : `${open}`;
}

function ended(kind, records, count, linked) {
  const toggle = (event) => (event.target.open ? opened.add(kind) : opened.delete(kind));
  return h("details", { open: opened.has(kind), on: { toggle } },
    h("summary", { id: `over-${kind}` }, `${count} closed`),
    h("ul", { class: "list" }, records.map((one) => card(one, null, linked))),
    records.length < count && h("p", { class: "dim small" }, `The newest ${records.length} of ${count}.`));
}
