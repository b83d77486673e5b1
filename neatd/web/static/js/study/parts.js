/**
 * The parts of a study's page that are no figures: how it stands, importances, the trials as a table.
 */

import { asNumber } from "../base/api.js";
import { h } from "../base/dom.js";
import { number, percent, span, step, when } from "../base/format.js";
import { badge, empty, withCode } from "../base/state.js";
import { KINDS, namesOf, paramOf, paramText, valueOf } from "./trial.js";
import { table } from "../base/table.js";

const runLink = (run, text) => (run ? h("a", { href: `/runs/${encodeURIComponent(run)}` }, text) : text);
const fact = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

/** How it stands: the budget done and left, the best trial, when it ends. */
export function header(study) {
  const left = Math.max(0, study.trials - study.ended);
  const counts = ["finished", "pruned", "failed", "cancelled", "running", "queued"].filter((name) => study[name]).map((name) => `${study[name]} ${name}`);
  const { sampler, pruner, parallel } = study.spec;
  return h("section", { class: "panel study-head", "aria-label": "How it stands" },
    h("div", { class: "row" }, badge(study.status), h("span", { class: "dim" }, study.reason), study.ends_at && h("span", {}, `expected to end at ${when(study.ends_at)}, at the pace so far`)),
    h("div", { class: "row study-budget" }, h("progress", { max: Math.max(1, study.trials), value: study.ended, "aria-label": "Trials ended" }),
      h("span", {}, `${study.ended} of ${study.trials} trials ended, ${left} left`), h("span", { class: "dim" }, counts.join(", "))),
    h("dl", { class: "facts" },
      fact("Goal", `${study.goal === "max" ? "highest" : "lowest"} ${study.metric}`), fact("Best", study.best ? number(asNumber(study.best.value)) : "none yet"),
      fact("Search", `${sampler?.kind ?? "–"}${pruner && pruner.kind !== "none" ? `, ${pruner.kind} pruner` : ""}, ${parallel} at a time`), fact("Began", when(study.created_at)),
      study.ended_at && fact("Ended", when(study.ended_at)), study.diverged.length > 0 && fact("Diverged", `trial ${study.diverged.join(", ")}`)),
    bestPart(study));
}

function bestPart({ best, name, status }) {
  if (!best) return empty("No trial has a value yet.", status === "running" ? "Its trials are jobs: `neat queue` shows where they stand." : `\`neat study resume ${name}\` goes on with it.`);
  const pairs = [...Object.entries(best.params), ...Object.entries(best.derived)];
  return h("div", { class: "best" }, h("h2", {}, "Best: ", runLink(best.run, `trial ${best.trial}`), best.step !== null && h("span", { class: "dim" }, ` at step ${step(best.step)}`)),
    h("dl", { class: "facts" }, pairs.map(([key, value]) => fact(key, h("span", { class: "mono" }, paramText(value))))));
}

/** Importances as bars, with what is to be known of them. */
export function importances(analysis) {
  const parameters = analysis.parameters.filter((one) => !one.is_constant);
  const ranked = parameters.filter((one) => one.importance !== null);
  const { evaluator, trials, note } = analysis.importances;
  const notes = analysis.notes.filter((one) => one !== `importances: ${note}`);
  return [
    ranked.length ? h("ul", { class: "importances", "aria-label": "Importances" }, ranked.map((one) => h("li", {}, h("span", { class: "importance-name" }, one.name),
      h("span", { class: "bar", "aria-hidden": "true" }, h("span", { style: { width: `${Math.max(0, Math.min(100, 100 * one.importance))}%` } })), h("span", { class: "right" }, percent(one.importance, 1)))))
      : empty("No importances yet.", note || "They need some trials with values, and parameters that vary."),
    ranked.length > 0 && h("p", { class: "dim" }, `By ${evaluator} of ${trials} trials.${note ? ` ${note}.` : ""}`),
    notes.map((one) => h("p", { class: "note" }, h("span", { "aria-hidden": "true" }, "△ "), withCode(one))),
  ];
}

/** What stands beside importances, which alone mislead: count, best, mean, median and spread by each value. */
export function byValue(analysis) {
  const parameters = analysis.parameters.filter((one) => !one.is_constant);
  if (!parameters.length) return empty("No parameter varies yet.", "The next trials bring other values.");
  const rows = parameters.flatMap((one) => one.values.map((value, at) => ({ ...value, parameter: one.name, at })));
  const figure = (key, title) => ({ key, title, align: "right", sort: (row) => asNumber(row[key]), cell: (row) => number(asNumber(row[key])) });
  const columns = [
    { key: "parameter", title: "Parameter", isHeading: true, sort: (row) => row.parameter, cell: (row) => row.parameter },
    { key: "label", title: "Value", cell: (row) => h("span", { class: "nowrap" }, row.label) }, figure("trials", "Trials"), figure("count", "With a value"),
    figure("best", "Best"), figure("mean", "Mean"), figure("median", "Median"), figure("sd", "SD"), figure("pruned", "Pruned"), figure("failed", "Failed"), figure("diverged", "Diverged"),
  ];
  return table({ columns, rows, caption: "Count, best, mean, median and spread by each parameter's values" });
}

/** All trials, or those of `numbers`: sortable, each with its run. */
export function trialTable(trials, { space, metric, goal, best, numbers, sorted, onSort }) {
  const names = namesOf(trials, space);
  const rows = numbers ? trials.filter((trial) => numbers.has(trial.number)) : trials;
  if (!rows.length) return empty(trials.length ? "No trial lies within the ranges." : "There is no trial yet.", trials.length ? "Widen them under Parallel coordinates." : "The first begins when `neatd` runs and the queue has room.");
  const columns = [
    { key: "number", title: "Trial", isHeading: true, align: "right", sort: (row) => row.number, cell: (row) => [row.number === best && h("span", { title: "the best" }, h("span", { "aria-hidden": "true" }, "★ "), h("span", { class: "hidden" }, "best: ")), runLink(row.run, row.number)] },
    { key: "status", title: "Status", sort: (row) => row.status, cell: (row) => [badge(row.status), row.is_diverged && h("span", { class: "bad" }, " diverged"), row.reason && h("span", { class: "dim reason" }, row.reason)] },
    { key: "value", title: metric, align: "right", sort: (row) => (row.kind === "counted" ? valueOf(row) : NaN), cell: (row) => (row.value === null ? "–" : h("span", { class: row.kind === "counted" ? "" : "dim", title: row.value_step === null ? "" : `at step ${step(row.value_step)}` }, number(asNumber(row.value)))) },
    ...names.map((name) => ({ key: `p ${name}`, title: name, align: "right", sort: (row) => paramOf(row, name) ?? null, cell: (row) => paramText(paramOf(row, name)) })),
    { key: "seconds", title: "Took", align: "right", sort: (row) => row.seconds, cell: (row) => span(row.seconds) },
    { key: "started", title: "Began", align: "right", sort: (row) => Date.parse(row.started_at), cell: (row) => when(row.started_at) },
    { key: "by", title: "Chosen by", sort: (row) => row.chosen_by, cell: (row) => h("span", { title: row.why }, row.chosen_by || "–") },
  ];
  return table({ columns, rows, caption: "The trials", sorted: sorted ?? { key: "value", isDown: goal === "max" }, onSort });
}

/** The numbers of a figure of trials. */
export function numbersOf(trials, more, metric, title) {
  const columns = [
    { key: "number", title: "Trial", isHeading: true, sort: (row) => row.number, cell: (row) => row.number },
    { key: "kind", title: "Ended", sort: (row) => row.kind, cell: (row) => KINDS[row.kind].title },
    { key: "value", title: metric, align: "right", sort: valueOf, cell: (row) => number(asNumber(row.value)) }, ...more,
  ];
  return table({ columns, rows: trials, caption: `The numbers: ${title}` });
}
