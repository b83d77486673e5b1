// How the accuracy of a run goes, and the predictions that look wrong.

import { h } from "../base/dom.js";
import { number, percent, step } from "../base/format.js";
import { empty, withCode } from "../base/state.js";
import { table } from "../base/table.js";

const WAYS = { improving: ["▲", "good", "improving"], regressing: ["▼", "bad", "regressing"], stable: ["▬", "dim", "stable"] };
const OF = { 20: "last 20 evaluations", 50: "last 50 evaluations", all: "all evaluations" };

/** @param {object|null} trends  of `/api/runs/…/predictions` */
export function accuracy(trends) {
  if (!trends) return empty("No accuracy is known yet.", "Write `predictions.jsonl` (step, id, correct, loss) or a metric such as `val/accuracy`.");
  const source = trends.source === "predictions" ? "by the answers in predictions.jsonl" : `by ${trends.name}`;
  const shown = trends.windows.filter(({ accuracy: share }) => share !== null);
  return [
    h("p", { class: "dim" }, `${step(trends.evaluations)} evaluations, ${source}.`),
    table({ caption: "Accuracy over evaluations", rows: shown, columns: [
      { key: "window", title: "Over", isHeading: true, cell: ({ window, evaluations }) => (window === "all" || evaluations === Number(window) ? OF[window] : `${OF[window]} (there are ${evaluations})`) },
      { key: "accuracy", title: "Accuracy", align: "right", cell: ({ accuracy: share }) => value(trends, share) },
      { key: "before", title: "Before", align: "right", cell: ({ before }) => value(trends, before) },
      { key: "change", title: "Change", align: "right", cell: ({ change_percent: change }) => signed(change) },
      { key: "trend", title: "Trend", cell: ({ trend }) => way(trend) },
    ] }),
    h("details", {}, h("summary", {}, "How the trend is told"), h("p", { class: "dim" }, capital(trends.rule), ".")),
  ];
}

const value = (trends, share) => (share === null ? "–" : trends.source === "predictions" ? percent(share, 1) : number(share));
const signed = (change) => (change === null ? "–" : `${change > 0 ? "+" : change < 0 ? "−" : ""}${number(Math.abs(change), 3)} %`);
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function way(trend) {
  if (!trend) return h("span", { class: "dim" }, "too few to tell");
  const [arrow, kind, word] = WAYS[trend];
  return h("span", { class: kind }, h("span", { "aria-hidden": "true" }, arrow), " ", word);
}

/** @param {{limits: object, examples: object[], is_cut: boolean}} found */
export function suspects(found) {
  if (!found.examples.length) return empty("No prediction looks wrong.", "Told from `predictions.jsonl` lines with a `loss`: wrong answers with a low one, right answers with a high one.");
  return [
    h("p", { class: "dim" }, limitText(found.limits)),
    table({ caption: "Answers and their losses", rows: found.examples, columns: [
      { key: "kind", title: "What", cell: ({ kind }) => (kind === "wrong_low_loss" ? h("span", { class: "bad" }, "✕ wrong, and sure") : h("span", { class: "warn" }, "✓ right, and unsure")) },
      { key: "step", title: "Step", align: "right", cell: (one) => step(one.step), sort: (one) => one.step },
      { key: "loss", title: "Loss", align: "right", cell: (one) => number(one.loss), sort: (one) => one.loss },
      { key: "id", title: "Example", isHeading: true, cell: (one) => one.id, sort: (one) => one.id },
      { key: "prompt", title: "Prompt", cell: (one) => text(one.prompt) },
      { key: "expected", title: "Expected", cell: (one) => text(one.expected) },
      { key: "answer", title: "Answer", cell: (one) => text(one.answer) },
    ] }),
    found.is_cut && h("p", { class: "dim" }, `There are more than these ${found.examples.length}.`),
  ];
}

const text = (one) => (one === null || one === undefined ? "–" : h("span", { class: "run-text" }, one));
const SOURCES = { rule: "as the rule says", answers: "by this run's own answers", fixed: "until enough answers are known" };

function limitText({ overconfident, unsure }) {
  const of = (limit, words) => (limit && limit.loss !== null ? `${words} ${number(limit.loss)} (${SOURCES[limit.source] ?? limit.source})` : null);
  const parts = [of(overconfident, "wrong answers with a loss below"), of(unsure, "right answers with one above")].filter(Boolean);
  return parts.length ? `${capital(parts.join("; "))}.` : withCode("Both rules are switched off: `neat rules` shows them.");
}
