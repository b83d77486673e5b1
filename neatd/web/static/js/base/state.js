// What a part of the page says when there is nothing to show: that it loads, that there is nothing yet and what to do, what
// went wrong and what to do.

import { h } from "./dom.js";

/** While it loads. */
export const loading = (what = "Loading…") => h("p", { class: "dim", role: "status" }, what);

/** Nothing there yet. `todo` says what makes something be there; words in backticks are what to type. */
export function empty(what, todo = "") {
  return h("div", { class: "empty" }, h("p", {}, what), todo && h("p", { class: "dim" }, withCode(todo)));
}

/** What went wrong. `again` is called by a button, where one is given. */
export function failed(error, again = null) {
  return h(
    "div", { class: "failed", role: "alert" },
    h("p", {}, h("span", { "aria-hidden": "true" }, "⚠ "), error.message),
    error.hint && h("p", { class: "dim" }, withCode(error.hint)),
    again && h("button", { type: "button", on: { click: again } }, "Try again"),
  );
}

/** Text with its `backticked` words as code. */
export function withCode(text) {
  return String(text).split("`").map((part, at) => (at % 2 ? h("code", {}, part) : part));
}

const SIGNS = {
  running: ["●", "good"], starting: ["◌", "good"], stalled: ["◐", "warn"], finished: ["✓", "good"], failed: ["✕", "bad"],
  killed: ["✕", "bad"], interrupted: ["◼", "warn"], lost: ["?", "warn"], queued: ["…", "dim"], cancelled: ["–", "dim"],
  pruned: ["✂", "dim"], planned: ["…", "dim"], critical: ["▲", "bad"], warning: ["△", "warn"], info: ["ℹ", "dim"],
  confirmed: ["✓", "good"], supported: ["✓", "good"], refuted: ["✕", "bad"], open: ["○", "dim"], done: ["✓", "good"],
  fixed: ["✓", "good"], closed: ["✓", "dim"], superseded: ["↷", "dim"], undecided: ["?", "warn"], dropped: ["–", "dim"],
  passed: ["✓", "good"], ok: ["✓", "good"], note: ["△", "warn"], bad: ["✕", "bad"], off: ["–", "dim"], due: ["◷", "warn"], allowed: ["✓", "good"],
  "not allowed": ["○", "dim"],
};

/** The gravest event of a run as its severity, "critical non_finite at step 3" as its title; nothing without one. */
export function severity({ anomalies, gravest }) {
  if (!gravest) return null;
  const node = badge(gravest.split(" ", 1)[0]);
  node.title = anomalies > 1 ? `${gravest}, ${anomalies} in all` : gravest;
  return node;
}

/** A status as a sign and a word: never by colour alone. */
export function badge(status) {
  const [sign, kind] = SIGNS[status] ?? ["•", "dim"];
  return h("span", { class: `badge ${kind}` }, h("span", { "aria-hidden": "true" }, sign), " ", status);
}
