// The strip at the top of a run: how it goes now. What ticks ticks by itself; nothing is asked for it.

import { h, replace, say } from "../base/dom.js";
import { ago, number, percent, span, step, when } from "../base/format.js";
import { badge } from "../base/state.js";

const TICK_MS = 1000;
const SLOW = 1.5; // times the median from which a step is said to be slow

const fact = (title, ...children) => h("div", {}, h("dt", {}, title), h("dd", {}, children));

/** {node, set(detail), heard(unix ms)}: `heard` when points came. */
export function header() {
  const node = h("section", { class: "panel run-strip", "aria-label": "How it goes" });
  const ticking = { line: h("span", { id: "last-point" }), save: h("span") };
  let now = null;

  function tick() {
    if (!now || document.hidden) return;
    say(ticking.line, now.updated_at ? ago(now.updated_at) : "–");
    say(ticking.save, newest(now) ? ago(newest(now).completed_at) : "none yet");
  }
  setInterval(tick, TICK_MS);
  document.addEventListener("visibilitychange", tick);

  return {
    node,
    set(detail) {
      now = { ...now, ...detail, ...paceOf(now, detail) };
      replace(node, standing(now), progress(now), facts(now, ticking), command(now));
      tick();
    },
    heard(unixMs) {
      if (now) now.updated_at = new Date(Math.max(unixMs, Date.parse(now.updated_at) || 0)).toISOString();
      tick();
    },
  };
}

const newest = (run) => (run.checkpoints ?? []).reduce((best, one) => (!best || one.completed_at > best.completed_at ? one : best), null);

/** Short shapes tell no pace of a run that has ended: it is the one that it had. */
const paceOf = (before, now) => (now.step_s === null && before?.step_s ? { step_s: before.step_s, step_ratio: before.step_ratio } : {});

const standing = (run) => h("p", { class: "row", id: "standing" }, badge(run.status), h("span", { class: "dim" }, run.reason),
  h("a", { class: "run-compare", href: `/compare?run=${encodeURIComponent(run.id)}` }, "Compare with others"));

function progress(run) {
  if (!run.planned_steps || run.step === null) return null;
  const share = isThrough(run) ? 1 : Math.min(1, run.step / run.planned_steps);
  return h("progress", { max: 1, value: share, "aria-label": `${percent(share)} of the planned steps` });
}

/** A trainer that counts from 0 is through at the last step before the planned number. */
const isThrough = (run) => run.status === "finished" && run.step + 1 >= run.planned_steps;

function facts(run, ticking) {
  return h(
    "dl", { class: "facts" },
    fact("Step", h("span", { id: "step" }, step(run.step)), run.planned_steps && ` of ${step(run.planned_steps)}`),
    run.eta_s !== null && fact("Left", span(run.eta_s), run.ends_at && h("span", { class: "dim" }, ` until ${when(run.ends_at)}`)),
    run.step_s !== null && fact("Step time", pace(run)),
    fact("Last point", ticking.line),
    best(run),
    fact("Checkpoint", ticking.save),
    fact("Commit", commit(run)),
    run.study && fact("Study", study(run.study)),
    (run.host || run.device) && fact("Machine", [run.host, run.device].filter(Boolean).join(" · ")),
    run.attempts > 1 && fact("Attempts", step(run.attempts)),
  );
}

/** The last step's time against the median. */
function pace({ step_s: median, step_ratio: ratio }) {
  const now = `${duration(median * (ratio ?? 1))}`;
  if (ratio === null || Math.abs(ratio - 1) < 0.05) return `${now}, as usual`;
  const said = `${number(ratio, 2)} × the median ${duration(median)}`;
  return [now, " ", h("span", { class: ratio > SLOW ? "warn" : "dim" }, ratio > SLOW ? `▲ ${said}` : said)];
}

const duration = (seconds) => (seconds < 1 ? `${number(seconds * 1000, 3)} ms` : seconds < 60 ? `${number(seconds, 3)} s` : span(seconds));

/** The best value of the metric that runs are compared by, and where. */
function best(run) {
  const name = headlineOf(run);
  const found = name && run.series[name];
  if (!found || found.best === null) return null;
  return fact(`Best ${name}`, number(found.best), h("span", { class: "dim" }, ` at step ${step(found.best_step)}`));
}

/** The project's metric; else the first by which the best checkpoints are chosen. */
export function headlineOf(run) {
  const named = [run.primary?.metric, ...(run.best_checkpoints ?? []).map(({ metric }) => metric)];
  const known = Object.keys(run.series ?? {});
  return named.find((name) => name && known.includes(name)) ?? known.find((name) => run.series[name].best !== null);
}

/** Of which study it is a trial, and how that stands: a trial may have failed whose process ended well. */
const study = ({ id, name, trial, status, reason }) => [
  h("a", { href: `/studies/${encodeURIComponent(id)}` }, name), ` trial ${trial}`,
  h("span", { class: "dim", title: reason }, ` ${status}`),
];

function commit({ git = {} }) {
  if (!git.commit) return git.is_repo ? "none yet" : "not known";
  const changed = (git.dirty ?? []).length;
  const dirty = changed ? h("span", { class: "warn", title: git.dirty.slice(0, 20).join("\n") }, ` ± ${changed} changed file${changed === 1 ? "" : "s"}`) : null;
  return [h("code", { title: git.subject }, git.commit.slice(0, 10)), git.branch && h("span", { class: "dim" }, ` ${git.branch}`), dirty];
}

const command = ({ process }) => process?.command && h("p", { class: "run-command" }, h("span", { class: "dim" }, "Command "), h("code", {}, process.command));
