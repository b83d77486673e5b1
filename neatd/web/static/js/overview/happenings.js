// The last events, newest first; each leads to its run at that step.

import { h } from "../base/dom.js";
import { ago, step, when } from "../base/format.js";
import { badge, empty } from "../base/state.js";
import { runAddress } from "../base/runaddress.js";

const MOST = 12; // lines
export const ASKED = 100; // events, of which many are alike

/** The list: {node, show(events), add(events), tick()}. */
export function happenings() {
  const node = h("div");
  let kept = [];

  function show(events) {
    kept = events.filter((one) => !isRoutine(one)).slice(0, ASKED);
    node.replaceChildren(kept.length ? h("ul", { class: "list" }, alike(kept).slice(0, MOST).map(item))
      : empty("Nothing has happened yet.", "Anomalies, best values and ends of runs show here. `neat rules list` names what is watched for."));
  }

  function add(events) {
    const known = new Set(kept.map((one) => one.id));
    show([...events.filter((one) => !known.has(one.id)), ...kept]);
  }

  const tick = () => node.querySelectorAll("time").forEach((one) => { one.textContent = ago(one.dateTime); });
  return { node, show, add, tick };
}

/** Maintenance that went well is no news: as in `/api/overview`. */
const isRoutine = (one) => one.rule === "maintenance" && one.severity === "info";

/**
 * Events of the same rule, run and series that follow each other are one line: {event (the newest), count}. Of those that
 * are no warning it may be any run: eight trials with best values do not hide what went wrong before them.
 */
function alike(events) {
  const found = [];
  const key = (one) => `${one.severity === "info" ? "" : one.run}|${one.rule}|${one.metric}`;
  for (const one of events) {
    if (found.length && key(found.at(-1).event) === key(one)) found.at(-1).count += 1;
    else found.push({ event: one, count: 1 });
  }
  return found;
}

function item({ event: one, count }) {
  return h(
    "li", {},
    h("div", { class: "row" }, badge(one.severity), h("span", {}, one.rule),
      one.run ? h("a", { href: runAddress(one.run, one.step) }, one.run_name || one.run, one.step === null ? "" : ` · step ${step(one.step)}`) : null,
      h("time", { class: "dim small fixed", datetime: one.started_at, title: when(one.started_at) }, ago(one.started_at))),
    h("p", { class: "small dim" }, one.message, count > 1 ? ` (and ${count - 1} more of the kind before)` : ""),
  );
}
