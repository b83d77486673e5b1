// What belongs to a run besides its numbers: checkpoints with why each is kept, events, configuration, code, records.

import { h } from "../base/dom.js";
import { ago, bytes, number, step, when } from "../base/format.js";
import { badge, empty } from "../base/state.js";
import { table } from "../base/table.js";

const FEW = 12;

/** @param {object} found  of `/api/runs/…/checkpoints` */
export function checkpoints(found) {
  if (!found.checkpoints.length) return empty(found.note || "No checkpoint was saved yet.", "Files such as `checkpoints/step_000100.pt` are found by themselves.");
  return [
    bestOnes(found.best),
    h("p", { class: "dim" }, sumOf(found)),
    table({ caption: "Checkpoints, the newest first", rows: found.checkpoints, columns: [
      { key: "path", title: "File", isHeading: true, cell: (one) => h("code", {}, one.path), sort: (one) => one.path },
      { key: "step", title: "Step", align: "right", cell: (one) => step(one.step), sort: (one) => one.step },
      { key: "size", title: "Size", align: "right", cell: (one) => bytes(one.size_bytes), sort: (one) => one.size_bytes },
      { key: "saved", title: "Saved", cell: (one) => h("time", { datetime: one.completed_at, title: when(one.completed_at) }, ago(one.completed_at)), sort: (one) => one.completed_at },
      { key: "stands", title: "Stands", cell: stands, sort: (one) => one.stands },
      { key: "reasons", title: "Why", cell: (one) => one.reasons.join("; ") || "–" },
    ] }),
    found.more > 0 && h("p", { class: "dim" }, `and ${found.more} earlier ones`),
  ];
}

const STANDS = { keep: ["✓ kept", "good"], go: ["○ would go", "warn"] };

function stands(one) {
  const [word, kind] = STANDS[one.stands] ?? [one.stands, "dim"];
  return [h("span", { class: `badge ${kind}` }, word), ...one.best_of.map((metric) => h("span", { class: "dim" }, ` ★ best ${metric}`))];
}

function sumOf({ bytes_before: before, bytes_freed: freed }) {
  if (!freed) return `${bytes(before)}; the policy keeps all of them.`;
  return `${bytes(before)}; by the policy ${bytes(freed)} would go, once somebody lets it (Maintenance).`;
}

function bestOnes(best) {
  if (!best.length) return null;
  return h("ul", { class: "list" }, best.map((one) => h("li", {},
    h("span", {}, h("strong", {}, `Best ${one.metric}: ${number(one.value)}`), ` at step ${step(one.step)}`, !one.is_best && h("span", { class: "dim" }, ` (the best value itself, ${number(one.best_value)}, was not saved)`)),
    h("code", {}, one.path),
    h("details", {}, h("summary", {}, "How to load it"), h("pre", {}, one.load)))));
}

/** Events, the newest first: `isAll` shows more than the first few, `isMore` says that there are others. */
export function events(found, { isAll = false, isMore = false, more = () => {} } = {}) {
  if (!found.length) return empty("Nothing happened that a rule looks for.", "`neat rules` shows what is looked for.");
  const shown = isAll ? found : found.slice(0, FEW);
  return [
    h("div", { class: "run-events", tabindex: "0", role: "region", "aria-label": "Events, the newest first" }, h("ol", { class: "list" }, shown.map((one) => h("li", { dataset: { event: one.id } },
      h("span", { class: "row" }, badge(one.severity), h("span", { class: "dim" }, one.rule), one.step !== null && h("span", {}, `step ${step(one.step)}`),
        h("time", { class: "dim", datetime: one.started_at, title: when(one.started_at) }, ago(one.started_at))),
      h("span", {}, one.message),
      one.snapshot && h("span", { class: "dim" }, "kept: ", h("code", {}, one.snapshot)))))),
    found.length > shown.length && h("button", { type: "button", on: { click: more } }, isMore ? "Show all" : `Show all ${found.length}`),
  ];
}

/** Parameters, one a line: nested ones by their path. */
export function flattened(config, path = "") {
  return Object.entries(config ?? {}).flatMap(([name, value]) => {
    const at = path ? `${path}.${name}` : name;
    const isNested = value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length;
    return isNested ? flattened(value, at) : [[at, typeof value === "string" ? value : JSON.stringify(value)]];
  });
}

export function configuration(config) {
  const rows = flattened(config);
  if (!rows.length) return empty("No parameters are known.", "A `config.json`, `config.yaml` or `hparams.yaml` in the run's folder is read.");
  return table({ caption: "Parameters", rows, columns: [
    { key: "name", title: "Parameter", isHeading: true, cell: ([name]) => h("code", {}, name), sort: ([name]) => name },
    { key: "value", title: "Value", cell: ([, value]) => h("span", { class: "run-text mono" }, value) },
  ] });
}

/** The code that a run began from. */
export function code({ git = {}, start, folder, process }) {
  const list = (title, some) => some?.length > 0 && h("details", {}, h("summary", {}, `${some.length} ${title}`), h("ul", {}, some.slice(0, 200).map((one) => h("li", {}, h("code", {}, one)))));
  return [
    git.commit ? h("p", {}, h("code", {}, git.commit), " ", git.branch, h("br"), h("span", { class: "dim" }, git.subject)) : h("p", { class: "dim" }, "No commit."),
    list("changed files", git.dirty), list("untracked files", start?.untracked),
    h("p", {}, h("span", { class: "dim" }, "Folder "), h("code", {}, folder)),
    process?.interpreter && h("p", {}, h("span", { class: "dim" }, "Interpreter "), h("code", {}, process.interpreter)),
  ];
}

/** Records that name the run as their evidence: marks of the rail. */
export function records(marks) {
  const found = marks.filter(({ kind }) => kind === "note").reverse();
  if (!found.length) return empty("No note or decision names this run.", "`neat note \"…\" --evidence RUN` writes one, `neat decide` a decision.");
  return h("ul", { class: "list" }, found.map((one) => h("li", {},
    h("a", { href: `/knowledge?id=${encodeURIComponent(one.id)}` }, one.text),
    h("span", { class: "dim" }, [one.step !== null && `step ${step(one.step)}`, one.time && ago(new Date(one.time * 1000).toISOString())].filter(Boolean).join(" · ")))));
}
