// What a record says, field by field: the words of its kind, in the order in which they are asked for.

import { h } from "../base/dom.js";
import { bytes, number, span } from "../base/format.js";
import { evidence, recordLink, runLink, tie } from "./recordwords.js";

const TITLES = {
  why: "Why", context: "Context", alternative: "Alternatives", implication: "Implications", supersedes: "Supersedes",
  predict: "Predicts", study: "Study", experiment: "Experiment", verdict_reason: "Verdict", cause: "Cause", fix: "Fix",
  before: "Before", after: "After", follow_up: "Still to do", file: "Files", horizon: "When", parent: "Part of", phase: "Phase",
  component: "Component", about: "About", url: "Address", path: "Path", command: "Command", failing: "Failing", metric: "Metric",
  value: "Value", commits: "Commits", provider: "Provider", gpu: "GPU", driver: "Driver", memory: "Memory", host: "Host", port: "Port",
  key: "Key", stage: "Stage", rows: "Rows", previous: "Before it", started: "Began", ended: "Ended", assistant: "By",
};
const ORDER = Object.keys(TITLES);
const CODE = new Set(["predict", "command", "path", "metric"]);

/** The fields of a record as a list of terms; null without any. `linked` is what its references name, where that is known. */
export function fields(one, linked = {}) {
  const rows = [];
  for (const name of ORDER) {
    const value = valueOf(one, name, linked);
    if (value !== null) rows.push(h("dt", {}, titleOf(one, name)), h("dd", {}, value));
    if (name === "predict" && one.run) rows.push(h("dt", {}, "For"), h("dd", {}, runLink(one.run_id, one.run)));
  }
  if (one.kind !== "hypothesis" && one.run) rows.push(h("dt", {}, "Run"), h("dd", {}, runLink(one.run_id, one.run)));
  if (one.kind === "test") rows.push(h("dt", {}, "Result"), h("dd", {}, tested(one)));
  if (one.size_bytes) rows.push(h("dt", {}, "Size"), h("dd", {}, bytes(one.size_bytes)));
  for (const [name, value] of Object.entries(one.params ?? {})) rows.push(h("dt", {}, name), h("dd", {}, String(value)));
  const proof = evidence(one);
  if (proof) rows.push(h("dt", {}, "Evidence"), h("dd", {}, proof));
  return rows.length ? h("dl", { class: "fields" }, rows) : null;
}

const titleOf = (one, name) => (one.kind === "task" && name === "after" ? "Comes after" : TITLES[name]);

function valueOf(one, name, linked) {
  const value = one[name];
  if (value === undefined || value === null || value === "" || (Array.isArray(value) && !value.length)) return null;
  if (name === "supersedes" || name === "parent" || name === "previous" || (name === "after" && one.kind === "task")) {
    return linked[value] ? tie(value, linked[value]) : recordLink(value, value);
  }
  if (Array.isArray(value)) return h("ul", { class: "plainlist" }, value.map((text) => h("li", {}, text)));
  if (typeof value === "number" || name === "value") return number(value, 6);
  return CODE.has(name) ? h("code", {}, value) : String(value);
}

function tested(one) {
  const counts = [["passed", one.passed], ["failed", one.failed], ["skipped", one.skipped]].filter(([, count]) => count !== null);
  const said = counts.map(([name, count]) => `${count} ${name}`);
  if (one.exit_code !== null) said.push(`exit code ${one.exit_code}`);
  if (one.seconds !== null) said.push(span(one.seconds));
  return said.join(", ") || "–";
}
