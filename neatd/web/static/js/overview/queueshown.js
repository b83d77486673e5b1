// The queue in short: what runs, what waits in its order with the reason, when each is likely to begin and end, pauses.

import { h, replace } from "../base/dom.js";
import { when } from "../base/format.js";
import { badge, empty } from "../base/state.js";

/** The queue as `/api/queue/summary` has it. */
export function showQueue(node, queue) {
  const hasProjects = new Set([...queue.running, ...queue.waiting].map((one) => one.project)).size > 1;
  const more = queue.counts.waiting - queue.waiting.length;
  const jobs = [...queue.running, ...queue.waiting];
  replace(
    node,
    pauses(queue),
    jobs.length ? h("ol", { class: "list" }, jobs.map((one) => job(one, hasProjects)))
      : empty("Nothing runs and nothing waits.", "`neat launch -- COMMAND` queues a job; it outlives neatd."),
    more > 0 ? h("p", { class: "small dim" }, `… ${more} more wait`) : null,
    groups(queue.groups),
  );
}

function job(one, hasProjects) {
  const times = [one.eta_start ? `begins about ${when(one.eta_start)}` : "", one.eta ? `ends about ${when(one.eta)}` : ""].filter(Boolean);
  return h(
    "li", {},
    h("div", { class: "row" }, one.place ? h("span", { class: "dim fixed" }, `${one.place}.`) : null,
      h("span", {}, hasProjects ? `${one.project}: ${one.name}` : one.name), badge(one.status)),
    h("p", { class: "small dim" }, [one.reason, one.until, one.why ? `for: ${one.why}` : ""].filter(Boolean).join("; ")),
    times.length ? h("p", { class: "small fixed" }, times.join(", ")) : null,
  );
}

function pauses({ paused, stopped }) {
  return [
    paused ? h("p", { class: "warn" }, "‖ The queue is paused", paused.why ? `: ${paused.why}` : "", ". ", h("code", {}, "neat queue go-on"), " ends that.") : null,
    stopped.map((one) => h("p", { class: "warn" }, `‖ Paused by a rule: ${one.reason}`)),
  ];
}

function groups(all) {
  const told = all.filter((one) => one.paused || (one.parallel !== null && (one.running || one.waiting)));
  return told.map((one) => h("p", { class: "small dim" }, `group ${one.name}: ${one.running} run, ${one.waiting} wait`,
    one.parallel === null ? "" : `, ${one.parallel} at once`, one.paused ? `; paused${one.why ? `: ${one.why}` : ""}` : ""));
}
