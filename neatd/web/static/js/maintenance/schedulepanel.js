// The schedule: each job with when it comes, how it went, and a button that runs it now.

import { ApiError, get } from "../base/api.js";
import { confirmed } from "../base/confirming.js";
import { done, doButton, sayer } from "../base/doing.js";
import { h, replace } from "../base/dom.js";
import { ago, span, when } from "../base/format.js";
import { badge, empty, failed, loading, withCode } from "../base/state.js";

// What is gone for good asks first.
const ASKS = { trash: ["What lies in the trash for longer than its days is removed for good.", "That cannot be undone."] };

/** The panel: {node, read()}. `changed()` is called after a job ended. */
export function schedulePanel(changed) {
  const told = sayer("schedule-said");
  const content = h("div", {}, loading());
  const node = h("section", { class: "panel", "aria-labelledby": "schedule-title" },
    h("header", {}, h("h2", { id: "schedule-title" }, "Schedule"), h("span", { class: "dim small" }, "times of this machine; maintenance.yaml under NEAT_HOME changes it")),
    told.node, content);
  async function read() {
    try {
      const jobs = await get("schedule");
      replace(content, jobs.length ? shown(jobs, told, changed) : empty("No jobs are scheduled.", "maintenance.yaml under NEAT_HOME says what is"));
    } catch (error) {
      replace(content, failed(error, read));
    }
  }
  return { node, read };
}

const shown = (jobs, told, changed) => h("ul", { class: "list jobs" }, jobs.map((one) => h("li", { id: `job-${one.job}` },
  h("div", {}, h("h3", {}, one.job, one.is_own && h("span", { class: "dim small" }, " yours")), h("p", { class: "dim small" }, withCode(one.what))),
  h("div", {}, next(one)), h("div", {}, last(one)), runNow(one, told, changed))));

function next(one) {
  const comes = !one.enabled ? badge("off") : one.is_due ? badge("due") : h("time", { datetime: one.next, title: when(one.next) }, ago(one.next));
  return [h("p", {}, h("span", { class: "dim small" }, "next "), comes), one.enabled && h("p", { class: "dim small" }, one.times)];
}

function last(one) {
  if (!one.last) return h("p", {}, h("span", { class: "dim small" }, "last "), h("span", { class: "dim" }, "never"));
  const took = one.last.took_s === null ? "" : `, took ${one.last.took_s < 10 ? `${one.last.took_s.toFixed(1)} s` : span(one.last.took_s)}`;
  return [
    h("p", {}, h("span", { class: "dim small" }, "last "), badge(one.last.status), " ",
      h("time", { datetime: one.last.started_at, title: when(one.last.started_at) }, ago(one.last.started_at)), took),
    h("p", { class: "dim small" }, one.last.summary),
  ];
}

function runNow(one, told, changed) {
  return doButton({
    key: `run-${one.job}`, label: "Run now", told, does: `${one.job}, ${one.what}`,
    run: async () => {
      const lines = ASKS[one.job];
      if (lines && !(await confirmed({ title: `Run ${one.job} now?`, lines, action: "Run now" }))) return "";
      const result = await done("maintain", { job: one.job }, one.job, told);
      changed();
      if (result.status !== "done") throw new ApiError(409, `${one.job} ${result.status}: ${result.summary}`, "`neat schedule` and `neat logs` tell more");
      return `${one.job} done: ${result.summary}`;
    },
  });
}
