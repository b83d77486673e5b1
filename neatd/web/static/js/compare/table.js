/**
 * A comparison in numbers: how each run ended, the last and the best of the series they share, and the difference to the
 * first, or why it says nothing.
 */

import { asNumber } from "../base/api.js";
import { swatchOf } from "../chart/legend.js";
import { h } from "../base/dom.js";
import { number, span, step, when } from "../base/format.js";
import { badge } from "../base/state.js";
import { table } from "../base/table.js";

const FEW = 4; // series that have columns before all of them are asked for

/** The first columns: a run's line and name, with a link. */
export function runColumn(part, label, looks) {
  return {
    key: "run", title: "Run", isHeading: true, sort: (row) => label(row.id),
    cell: (row) => h("span", { class: "run-cell" }, looks().get(row.id) && swatchOf(looks().get(row.id)),
      h("a", { id: `${part}-${row.id}`, href: `/runs/${encodeURIComponent(row.id)}`, title: row.name }, label(row.id))),
  };
}

/** Pure: a difference in words, with its sign. */
export const signed = (value) => (value > 0 ? `+${number(value)}` : number(value));

function deltaCell(row, goal) {
  if (row.at === 0) return h("span", { class: "dim" }, "the first");
  if (row.delta === null) return "–";
  const delta = asNumber(row.delta);
  if (row.is_comparable === false) {
    const why = `not comparable: ${row.not_comparable.join("; ")}`;
    return h("span", { class: "dim" }, `[${signed(delta)}]`, h("span", { class: "reason", title: why }, why));
  }
  const isBetter = goal && delta !== 0 ? (goal === "min") === delta < 0 : null;
  const word = isBetter === null ? "" : isBetter ? " better" : " worse";
  return h("span", { class: isBetter === null ? "" : isBetter ? "good" : "bad" }, signed(delta), word);
}

const stepText = (row) => `${step(row.step)}${row.planned_steps ? ` of ${step(row.planned_steps)}` : ""}`;

function seriesColumns(one) {
  const column = (kind, values, steps) => ({
    key: `${kind} ${one.name}`, title: `${one.name} ${kind}`, align: "right", sort: (row) => asNumber(values[row.at]),
    cell: (row) => (values[row.at] === null ? "–" : h("span", { title: `at step ${step(steps[row.at])}` }, number(asNumber(values[row.at])))),
  });
  return [column("last", one.last, one.last_step), ...(one.goal ? [column("best", one.best, one.best_step)] : [])];
}

/** Whether any run has it: columns that say nothing are left out. */
const isTold = (rows, name) => rows.some((row) => row[name] !== null && row[name] !== "" && row[name] !== undefined);

/**
 * @param {object} found  of `/api/compare`
 * @param {{label: (run: string) => string, looks: () => Map<string, object>, isAll: boolean, showAll: () => void,
 *   sorted: object|null, onSort: (order: object) => void}} view
 */
export function comparisonTable(found, { label, looks, isAll, showAll, sorted, onSort }) {
  const rows = found.runs.map((run, at) => ({ ...run, at }));
  const shared = [...found.series].sort((a, b) => (b.name === found.metric) - (a.name === found.metric) || Boolean(b.goal) - Boolean(a.goal));
  const shown = isAll ? shared : shared.slice(0, FEW);
  const more = [
    ["attempt", "Attempt", (row) => step(row.attempt)], ["data", "Data", (row) => row.data], ["params", "Model parameters", (row) => step(row.params)],
    ["accuracy", "Accuracy", (row) => row.accuracy],
  ].filter(([name]) => isTold(rows, name) && (name !== "attempt" || rows.some((row) => row.attempt > 1)));
  const columns = [
    runColumn("numbers", label, looks),
    { key: "status", title: "Ended", sort: (row) => row.status, cell: (row) => h("span", {}, badge(row.status), h("span", { class: "dim reason", title: row.reason }, row.reason)) },
    { key: "delta", title: found.metric ? `${found.metric} against the first` : "Against the first", align: "right", sort: (row) => asNumber(row.delta), cell: (row) => deltaCell(row, found.goal) },
    ...shown.flatMap(seriesColumns),
    { key: "step", title: "Step", align: "right", sort: (row) => row.step, cell: stepText },
    { key: "started", title: "Began", align: "right", sort: (row) => Date.parse(row.started_at), cell: (row) => when(row.started_at) },
    { key: "hours", title: "Took", align: "right", sort: (row) => row.hours, cell: (row) => (row.hours === null ? "–" : span(3600 * row.hours)) },
    ...more.map(([key, title, cell]) => ({ key, title, cell, sort: (row) => row[key] })),
  ];
  const hidden = shared.length - shown.length;
  return [
    table({ columns, rows, caption: "How the runs ended, with the series they share", sorted, onSort }),
    (hidden > 0 || isAll) && shared.length > FEW && h("button", { type: "button", id: "all-series", on: { click: showAll } },
      isAll ? "Fewer series" : `All ${shared.length} series`),
  ];
}
