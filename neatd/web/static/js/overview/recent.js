// What ended last, and how many runs stand how.

import { h } from "../base/dom.js";
import { ago, step } from "../base/format.js";
import { runAddress } from "../base/runaddress.js";
import { badge, empty, severity } from "../base/state.js";

/** Runs that have ended, newest end first. */
export function recent(runs, hasProjects) {
  if (!runs.length) return empty("No run has ended yet.");
  return h("ul", { class: "list" }, runs.map((one) =>
    h("li", {},
      h("div", { class: "row" }, h("a", { href: runAddress(one.id) }, one.name), badge(one.status), severity(one),
        hasProjects && h("span", { class: "dim" }, one.project),
        h("span", { class: "dim small fixed" }, one.step === null ? "" : `step ${step(one.step)}`, one.ended_at ? ` · ${ago(one.ended_at)}` : "")),
      h("p", { class: "small dim" }, one.reason))));
}

/** How many runs stand how, each a link to them. */
export function tallies(counts) {
  return h("p", { class: "row" }, Object.entries(counts).sort(([, a], [, b]) => b - a).map(([status, count]) =>
    h("a", { class: "tally", href: `/runs?filter=${encodeURIComponent(status)}` }, h("span", { class: "fixed" }, count), " ", badge(status))));
}
