// The plan of one run, file by file: what goes and why, what stays with every reason, and what each reason keeps.

import { h } from "../base/dom.js";
import { bytes, step } from "../base/format.js";
import { table } from "../base/table.js";

const MOST = 200; // rows of a table

/** What goes, what stays, and the reasons in numbers. */
export function planDetail(plan) {
  return h("div", { class: "records" }, plan.note && h("p", { class: "warn" }, plan.note),
    plan.delete.length > 0 && files(plan.delete, `What would go of ${plan.name}`, "goes because", (one) => one.reason),
    plan.keep.length > 0 && files(plan.keep, `What stays of ${plan.name}`, "stays because", (one) => one.reasons.join("; ")),
    reasons(plan));
}

function files(rows, caption, why, reasonOf) {
  const columns = [
    { key: "step", title: "step", align: "right", cell: (one) => step(one.step), sort: (one) => one.step },
    { key: "path", title: "file", isHeading: true, cell: (one) => h("code", {}, one.path), sort: (one) => one.path },
    { key: "size", title: "size", align: "right", cell: (one) => bytes(one.size_bytes), sort: (one) => one.size_bytes },
    { key: "why", title: why, cell: reasonOf, sort: reasonOf },
  ];
  return h("div", {}, h("h3", {}, `${caption.split(" of ")[0]}: ${rows.length}`),
    table({ columns, rows: rows.slice(0, MOST), caption }),
    rows.length > MOST && h("p", { class: "dim small" }, `The first ${MOST} of ${rows.length}; `, h("code", {}, "neat retention plan --json"), " has all."));
}

function reasons(plan) {
  if (!plan.reasons.length) return null;
  const columns = [
    { key: "why", title: "reason", isHeading: true, cell: (one) => `${one.goes ? "goes: " : ""}${one.why}`, sort: (one) => one.why },
    { key: "count", title: "checkpoints", align: "right", cell: (one) => one.checkpoints, sort: (one) => one.checkpoints },
    { key: "bytes", title: "bytes", align: "right", cell: (one) => bytes(one.bytes), sort: (one) => one.bytes },
    { key: "only", title: "nothing else keeps", align: "right", cell: (one) => bytes(one.only_bytes), sort: (one) => one.only_bytes },
  ];
  return h("div", {}, h("h3", {}, "By reason"), table({ columns, rows: plan.reasons, caption: `Reasons of the plan of ${plan.name}` }));
}
