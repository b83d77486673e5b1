// The runs that go on, a row each: status with its reason, how far, when done, how fast, the value looked at first, memory.
// A row is made once and then changed in place.

import { h, replace, say } from "../base/dom.js";
import { ago, bytes, number, percent, span, step, when } from "../base/format.js";
import { spark } from "./spark.js";
import { badge, empty } from "../base/state.js";

const SLOW = 1.5; // times the median step: said, not only shown
const GOES_ON = new Set(["starting", "running", "stalled"]);

/** Whether a status is one of a run that goes on. */
export const goesOn = (status) => GOES_ON.has(status);

/** The list: {node, show(runs, hasProjects), update(shape), points(run, series), rows, names()}. */
export function goingList() {
  const list = h("ul", { class: "going" });
  const rows = new Map();

  function show(runs, hasProjects) {
    for (const id of [...rows.keys()]) if (!runs.some((one) => one.id === id)) rows.delete(id);
    for (const one of runs) {
      if (!rows.has(one.id)) rows.set(one.id, goingRow());
      rows.get(one.id).show(one, hasProjects);
    }
    const wanted = runs.map((one) => rows.get(one.id).node);
    if (wanted.length !== list.childElementCount || wanted.some((one, at) => list.children[at] !== one)) replace(list, wanted);
  }

  return {
    node: list, rows, show,
    update: (shape) => rows.get(shape.id)?.show(shape),
    points: (run, series) => rows.get(run)?.add(series),
    tick: () => rows.forEach((row) => row.tick()),
    primaries: () => new Set([...rows.values()].map((row) => row.primary()).filter(Boolean)),
  };
}

function goingRow() {
  const [name, project] = [h("a", { class: "going-name" }), h("span", { class: "dim" })];
  const [status, reason, noted] = [h("span"), h("span", { class: "dim going-why" }), h("span", { class: "small going-noted" })];
  const [steps, share, bar] = [h("span", { class: "fixed" }), h("span", { class: "dim fixed" }), h("progress", { max: 1 })];
  const left = fact("Left");
  const pace = fact("Step time");
  const memory = fact("Memory");
  const value = fact("");
  let metric = "";
  const line = spark(() => metric);
  let run = {};
  const node = h(
    "li", { class: "going-row" },
    h("div", { class: "going-head" }, h("div", { class: "row" }, name, status, project), reason, noted),
    h("div", { class: "going-far" }, h("div", { class: "row spread" }, steps, share), bar),
    h("dl", { class: "going-facts" }, left.node, pace.node, memory.node),
    h("div", { class: "going-value" }, h("dl", {}, value.node), line.node),
  );

  function show(shape, hasProjects) {
    run = { ...run, ...shape };
    if (hasProjects !== undefined) say(project, hasProjects ? run.project : "");
    name.href = `/runs/${encodeURIComponent(run.id)}`;
    say(name, run.name);
    if (status.dataset.is !== run.status) replace(status, badge(run.status)).dataset.is = run.status;
    say(reason, run.reason);
    progress(run);
    left.say(run.eta_s === null ? "–" : span(run.eta_s), run.ends_at ? `ends ${when(run.ends_at)}` : "");
    tellPace(run);
    tellMemory();
    anomalies(run);
    if ("primary" in shape) tellValue(shape.primary);
    tick();
  }

  function progress({ step: at, planned_steps: planned, planned_epochs: epochs }) {
    const done = planned && at !== null ? Math.min(1, at / planned) : doneByTime(run) ?? run.progress;
    say(steps, planned ? `${step(at)} / ${step(planned)}` : at === null ? "no line yet" : `step ${step(at)}`);
    say(share, done === null || done === undefined ? (epochs ? `${number(epochs)} epochs planned` : "no plan known") : percent(done));
    bar.setAttribute("aria-label", `progress of ${run.name}`);
    bar.hidden = done === null || done === undefined;
    if (!bar.hidden) bar.value = done;
  }

  function tellPace({ step_s: median, step_ratio: ratio }) {
    if (median === null || median === undefined) return pace.say("–", "");
    const isSlow = ratio >= SLOW;
    pace.say(duration(median * (ratio ?? 1)), isSlow ? `${number(ratio, 2)} × ${duration(median)}` : `median ${duration(median)}`);
    pace.node.classList.toggle("warn", isSlow);
    pace.node.title = isSlow ? `the last step took ${number(ratio, 2)} times the median of the last ones` : "";
  }

  function tellMemory() {
    memory.say(bytes(run.rss_bytes), run.headroom_bytes ? `${bytes(run.headroom_bytes)} left` : "");
  }

  /** The gravest event, as "critical spike at step 182", and how many there are. */
  function anomalies({ anomalies: count, gravest }) {
    const text = count ? `${gravest}${count > 1 ? `, ${count} in all` : ""}` : "";
    if (noted.dataset.is === text) return;
    noted.dataset.is = text;
    const [severity, ...rest] = text.split(" ");
    replace(noted, text ? [badge(severity), ` ${rest.join(" ")}`] : []);
  }

  function tellValue(told) {
    metric = told?.name ?? metric;
    value.say(told ? number(told.value) : "–", told ? `at step ${step(told.step)}` : "no value yet", metric || "Value");
  }

  function add(series) {
    const points = series[metric];
    if (points?.length) {
      line.add(points);
      const [at, last] = points.at(-1);
      tellValue({ name: metric, value: last, step: at });
    }
    const last = (name_) => series[name_]?.at(-1)?.[1];
    run.rss_bytes = last("system/rss_bytes") ?? run.rss_bytes;
    run.headroom_bytes = last("system/headroom_bytes") ?? run.headroom_bytes;
    tellMemory();
  }

  function tick() {
    if (run.updated_at) reason.title = `last line ${ago(run.updated_at)}`;
  }

  return { node, show, add, tick, primary: () => metric, reset: (points) => line.set(points) };
}

/** How much is done, by the time that is left. */
function doneByTime({ eta_s: left, ends_at: end, started_at: start }) {
  const whole = (new Date(end) - new Date(start)) / 1000;
  return left === null || !end || !(whole > 0) ? null : Math.max(0, Math.min(1, 1 - left / whole));
}

/** A term and what it says, with a line of small print. */
function fact(term) {
  const [title, main, small] = [h("dt", {}, term), h("dd", { class: "fixed" }), h("dd", { class: "small dim fixed" })];
  const node = h("div", {}, title, main, small);
  const tell = (text, more = "", name = "") => {
    say(main, text);
    say(small, more);
    if (name) say(title, name);
  };
  return { node, say: tell };
}

/** Seconds of a step: milliseconds, or seconds with three digits. */
export function duration(seconds) {
  if (seconds < 1) return `${number(1000 * seconds, 3)} ms`;
  return seconds < 100 ? `${number(seconds, 3)} s` : span(seconds);
}

/** What is said when nothing runs: how the first run comes, where the project is known; how one is made known, else. */
export function nothingRuns(projects, counted) {
  if (!projects.length) {
    return empty("No project is registered on this machine yet.", "Name the folder of your training: `cd TRAINING && neat init --yes`. It is watched from then on.");
  }
  if (counted) return empty("Nothing runs now.", "A run shows here as soon as its folder has a `metrics.jsonl` that grows.");
  return empty(
    "No run was found yet.",
    `A run is a folder whose \`metrics.jsonl\` grows; a training is not changed for it. To see one: \`cd ${projects[0].roots[0] ?? "PROJECT"} && mkdir -p runs/first && echo '{"step": 1, "loss": 2.5}' >> runs/first/metrics.jsonl\``,
  );
}
