// What records are called and how they point: kinds in their order, links to records and runs, marks of what may not hold.

import { h } from "../base/dom.js";
import { number, step } from "../base/format.js";
import { badge } from "../base/state.js";

/** Kind -> what several of it are called, in the order in which people read them. */
export const KINDS = {
  hypothesis: "Hypotheses", decision: "Decisions", bug: "Bugs", task: "Tasks", insight: "Insights", note: "Notes",
  lesson: "Lessons", challenge: "Challenges", goal: "Goals", preference: "Preferences", phase: "Phases",
  assessment: "Assessments", experiment: "Experiments", change: "Changes", test: "Test runs", data: "Data versions",
  document: "Documents", machine: "Machines", service: "Services", command: "Commands", style: "Style rules",
  session: "Sessions", handoff: "Handoffs",
};

/** What makes a record of a kind. */
export const MAKERS = {
  hypothesis: '`neat hypothesis "…" --predict "val/loss < 0.3" --run runs/NAME` keeps one, and computes its verdict when the run has ended',
  decision: '`neat decide "…" --why "…"` keeps one', bug: '`neat bug "…" --cause "…" --fix "…"` keeps one',
  task: '`neat task "…"` keeps one', insight: '`neat insight "…"` keeps one', note: '`neat note "…"` keeps one',
};

/** The address of a record on this page; what is searched for stays in it. */
export function recordAddress(id) {
  const words = new URLSearchParams(location.search);
  words.set("id", id);
  return `/knowledge?${words}`;
}

/** A link to a record. `view.open(id)` of the page shows it in place (see knowledge.js). */
export const recordLink = (id, text) => h("a", { href: recordAddress(id), dataset: { record: id } }, text);

/** A link to a run, or its name where it is not there yet. */
export const runLink = (id, name) => (id ? h("a", { href: `/runs/${encodeURIComponent(id)}` }, name) : h("span", {}, name, " (not there yet)"));

/** A link to whatever an id names: `told` is {id, kind, title, status}, or nothing where it is not there. */
export function tie(word, told) {
  if (!told) return h("code", {}, word);
  if (told.kind === "run") return runLink(told.id, told.title);
  const text = `${told.kind} “${told.title || told.id}”`;
  return told.kind in KINDS ? recordLink(told.id, text) : h("span", {}, text);
}

/** The marks of a record: its verdict or status, and that it may no longer hold or that nothing vouches for its numbers. */
export function marks(one) {
  const found = [badge(one.verdict || one.status)];
  if (one.stale) found.push(h("span", { class: "badge warn", title: one.stale }, h("span", { "aria-hidden": "true" }, "◷"), " may no longer hold"));
  if (one.unverified.length) {
    const why = `no evidence has the numbers in: ${one.unverified.join(", ")}`;
    found.push(h("span", { class: "badge warn", title: why }, h("span", { "aria-hidden": "true" }, "△"), " unverified"));
  }
  return found;
}

/** The evidence of a record: each number with the run, the series and the step that it came from. */
export function evidence(one) {
  if (!one.evidence.length) return null;
  return h("ul", { class: "proof" }, one.evidence.map((piece) => h("li", {}, proofOf(piece, one.run_names))));
}

function proofOf(piece, names) {
  const name = piece.run ? (names[piece.run] ?? piece.run_name ?? piece.run) : piece.name ?? piece.experiment ?? piece.claim ?? "?";
  const who = piece.run && names[piece.run] ? runLink(piece.run, name) : String(name);
  const parts = [who];
  if (piece.metric) parts.push(" ", h("code", {}, piece.metric));
  if (piece.value !== undefined && piece.value !== null) parts.push(" = ", h("b", {}, number(piece.value, 6)));
  if (piece.step !== undefined && piece.step !== null && piece.step !== "") parts.push(` at step ${step(piece.step)}`);
  if (piece.role === "baseline") parts.push(" (the baseline)");
  if (piece.source) parts.push(h("span", { class: "dim" }, ` · ${piece.source}`));
  return parts;
}
