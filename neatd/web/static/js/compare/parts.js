/**
 * In what compared runs differ besides their numbers: parameters and code.
 */

import { runColumn } from "./table.js";
import { h } from "../base/dom.js";
import { empty } from "../base/state.js";
import { table } from "../base/table.js";
import { valueWords } from "./grouping.js";

const sortable = (value) => (typeof value === "number" ? value : value === null || value === undefined ? null : valueWords(value));

/** The parameters that differ, a column each; those that do not in a list, where `isAll`. */
export function parameterParts(found, { label, looks, isAll, showAll }) {
  const rows = found.runs.map((run, at) => ({ ...run, at }));
  const names = Object.keys(found.parameters);
  const same = Object.entries(found.same);
  const columns = [runColumn("parameters", label, looks), ...names.map((name) => {
    const values = found.parameters[name];
    const isNumbers = values.every((value) => value === null || typeof value === "number");
    return {
      key: name, title: name, align: isNumbers ? "right" : "", sort: (row) => sortable(values[row.at]),
      cell: (row) => (values[row.at] === null ? h("span", { class: "dim" }, "not set") : valueWords(values[row.at])),
    };
  })];
  const isKnown = names.length || same.length;
  return [
    names.length ? table({ columns, rows, caption: "The parameters of each run that differ" })
      : empty(isKnown ? "The runs have the same parameters." : "No parameters are known of these runs.",
        isKnown ? "" : "A `config.json` or `config.yaml` beside a run's metrics tells them."),
    same.length > 0 && h("button", { type: "button", id: "all-parameters", "aria-expanded": String(isAll), on: { click: showAll } },
      isAll ? "Only those that differ" : `All parameters: ${same.length} more, the same in all runs`),
    isAll && h("dl", { class: "facts" }, same.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, valueWords(value))))),
  ];
}

/** Pure: what there is to say of the code of all of the runs; "" when they differ. */
export function codeWords(changes) {
  const commits = new Set(changes.map(({ commit }) => commit));
  const isClean = changes.every((one) => !one.dirty.length && !one.untracked.length && !one.unnamed);
  if (commits.size !== 1 || !isClean) return "";
  const [commit] = commits;
  return commit ? `All runs stand on commit ${commit.slice(0, 8)}, without changes.` : "";
}

/** Commit, changes and the difference to the first, a row for each run. */
export function codeParts(found, { label, looks }) {
  const same = codeWords(found.changes);
  if (same) return [h("p", {}, same)];
  if (found.changes.every(({ commit }) => !commit)) {
    return [empty("No commit is known of these runs.", "neat notes it when a training starts in a git repository that has a commit.")];
  }
  const rows = found.runs.map((run, at) => ({ ...run, ...found.changes[at], at }));
  const columns = [
    runColumn("code", label, looks),
    { key: "commit", title: "Commit", sort: (row) => row.commit, cell: (row) => (row.commit ? h("code", { title: row.commit }, row.commit.slice(0, 8)) : "–") },
    { key: "subject", title: "Subject", cell: (row) => [row.subject, row.branch && h("span", { class: "dim" }, ` (${row.branch})`)] },
    { key: "changed", title: "Changed files", sort: (row) => row.dirty.length + row.untracked.length + row.unnamed, cell: changedCell },
    { key: "code", title: "Against the first", cell: (row) => (row.at === 0 ? h("span", { class: "dim" }, "the first") : row.code || "the same code") },
  ];
  return [table({ columns, rows, caption: "The code that each run stood on" })];
}

function changedCell({ dirty, untracked, unnamed }) {
  const count = dirty.length + untracked.length + unnamed;
  if (!count) return h("span", { class: "dim" }, "none");
  const files = [...dirty.map((path) => h("li", {}, h("code", {}, path))), ...untracked.map((path) => h("li", {}, h("code", {}, path), " (not in git)"))];
  const list = h("ul", { class: "paths" }, files, unnamed > 0 && h("li", {}, `and ${unnamed} more`));
  return count <= 3 ? list : h("details", {}, h("summary", {}, `${count} files`), list);
}
