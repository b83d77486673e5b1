// The queue in short: what runs, what waits in its order with the reason, when each is likely to begin and end, pauses. A job
// can be ended here, as `neat stop` ends it.

import { confirmed } from "../base/confirming.js";
import { done, doButton, sayer } from "../base/doing.js";
import { h, replace } from "../base/dom.js";
import { when } from "../base/format.js";
import { badge, empty } from "../base/state.js";

const told = sayer("queue-said"); // stands while the list is drawn anew

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
    groups(queue.groups), told.node,
  );
}

async function stop({ id, name, status }) {
  const isRunning = status === "running";
  const lines = [isRunning ? "It is interrupted, so that it can save; TERM and KILL follow if it goes on." : "It waits, and will not begin."];
  if (!(await confirmed({ title: `End ${name}?`, lines, action: "End it" }))) return "";
  const result = await done(`jobs/${id}/stop`, {}, name, told);
  return `${name}: ${result.status ?? "ended"}`;
}

function job(one, hasProjects) {
  const times = [one.eta_start ? `begins about ${when(one.eta_start)}` : "", one.eta ? `ends about ${when(one.eta)}` : ""].filter(Boolean);
  return h(
    "li", {},
    h("div", { class: "row" }, one.place ? h("span", { class: "dim fixed" }, `${one.place}.`) : null,
      h("span", {}, hasProjects ? `${one.project}: ${one.name}` : one.name), badge(one.status),
      doButton({ key: `stop-${one.id}`, label: "Stop", does: `end the job ${one.name}`, kind: "small", told, run: () => stop(one) })),
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
