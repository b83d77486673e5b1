// One record with all that it says, what it is tied to, and what became of it.

import { h } from "../base/dom.js";
import { when } from "../base/format.js";
import { fields } from "./recordfields.js";
import { KINDS, evidence, marks, recordLink, runLink, tie } from "./recordwords.js";

/** The page part of a record, as `/api/records/{id}` tells it. `back` is the address of the list. */
export function recordPage(one, back) {
  const kind = KINDS[one.kind] ? one.kind : "record";
  return h(
    "article", { class: "panel recordpage", "aria-labelledby": "record-title", id: `record-${one.id}` },
    h("p", { class: "small" }, h("a", { href: back, dataset: { record: "" } }, "← All records")),
    h("header", {},
      h("h2", { id: "record-title", tabindex: "-1" }, h("span", { class: "dim" }, `${kind} `), one.title || one.id),
      h("span", { class: "row small" }, one.is_deleted && h("span", { class: "badge bad" }, "✕ deleted"), marks(one))),
    one.stale && h("p", { class: "warn" }, `May no longer hold: ${one.stale}`),
    one.unverified.length > 0 && h("p", { class: "warn" }, `Nothing in its evidence has the numbers in: ${one.unverified.join(", ")}.`),
    one.body && h("p", { class: "body whole" }, one.body),
    fields(one, one.linked),
    named("Superseded by", one.superseded_by, one.linked), named("Records", one.records, one.linked), named("Tests", one.tests, one.linked),
    ties(one), origin(one), history(one),
  );
}

function named(title, ids, linked) {
  if (!ids?.length) return null;
  return h("div", {}, h("h3", {}, title), h("ul", { class: "plainlist" }, ids.map((id) => h("li", {}, tie(id, linked[id])))));
}

function ties(one) {
  if (!one.links.length) return null;
  const other = (id) => (id === one.id ? h("b", {}, "this") : tie(id, one.linked[id]));
  return h("div", {}, h("h3", {}, "Links"),
    h("ul", { class: "plainlist" }, one.links.map((link) => h("li", {}, other(link.a), " ", h("i", {}, link.relation), " ", other(link.b)))));
}

function origin(one) {
  const facts = [
    ["Id", h("code", {}, one.id)], ["Kept", `${when(one.created_at)} by ${one.source}`],
    one.updated_at !== one.created_at && ["Changed", when(one.updated_at)],
    one.branch && ["Branch", h("code", {}, one.branch)], one.commit && ["Commit", h("code", {}, one.commit.slice(0, 10))],
    one.tags.length && ["Tags", one.tags.join(", ")], one.origin.length && ["Imported from", one.origin.join(", ")],
    one.valid_while.length && ["Valid while", h("ul", { class: "plainlist" }, one.valid_while.map((text) => h("li", {}, h("code", {}, text))))],
  ].filter(Boolean);
  return h("dl", { class: "facts" }, facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function history(one) {
  const rows = one.history.map((change) => h("li", {},
    h("time", { class: "dim", datetime: change.at }, when(change.at)), ` ${change.who}: `, changed(change, one)));
  return h("section", { "aria-labelledby": "history" }, h("h3", { id: "history" }, "History"),
    rows.length ? h("ol", { class: "plainlist" }, rows) : h("p", { class: "dim" }, "Nothing changed since it was kept."));
}

function changed(change, one) {
  if (change.new === null || change.new === undefined) return change.field;
  const text = (value) => (value === "" || value === null ? "nothing" : typeof value === "string" ? value : JSON.stringify(value));
  if (change.field === "evidence") return [h("b", {}, "evidence"), evidence({ ...one, evidence: listed(change.new) }) ?? " = nothing"];
  const parts = [h("b", {}, change.field), " = ", linked(change, one) ?? text(change.new)];
  if (change.old !== null && change.old !== undefined && change.old !== "") parts.push(h("span", { class: "dim" }, ` (was ${text(change.old)})`));
  return parts;
}

/** A list as the history has it: as JSON, in text. */
function listed(value) {
  try {
    const found = typeof value === "string" ? JSON.parse(value) : value;
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

function linked(change, one) {
  if (change.field === "run" && one.run_id && change.new === one.run) return runLink(one.run_id, one.run);
  return change.field === "supersedes" && change.new ? recordLink(change.new, change.new) : null;
}
