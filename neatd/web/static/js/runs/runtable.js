// The table of runs: rows by id, changed in place; headings that ask for another order; boxes that choose.

import { h, replace, say } from "../base/dom.js";
import { number, percent, span, step, when } from "../base/format.js";
import { runAddress } from "../base/runaddress.js";
import { badge, severity } from "../base/state.js";

export const MOST_COMPARED = 50;
const COLUMNS = [ // order "" has no heading that sorts
  ["Run", "name"], ["Status", "status"], ["Project", ""], ["Step", "step"], ["Last", "value"], ["Best", "best"], ["Left", ""],
  ["Started", "started"], ["Ended", "ended"],
];
const NUMERIC = new Set(["Step", "Last", "Best", "Left", "Started", "Ended"]);
const UPWARDS = new Set(["name", "status", "best"]); // what a first click asks for
const MEANT = {
  value: "the last value of the project's primary metric, else of the series that tells most; without one a run comes last",
  best: "the best value of the same series, where it is known which way it is good; the best run first",
};

/** {node, show(rows), add(rows), update(shape) -> whether it is here, count(), chooseNone()}. */
export function runTable({ order, onOrder, onChoice }) {
  const rows = new Map();
  const chosen = new Set();
  const body = h("tbody");
  const heads = new Map();
  const node = h(
    "div", { class: "scrolls listed", tabindex: "0", role: "region", "aria-label": "List of runs" },
    h("table", {}, h("thead", {}, h("tr", {}, h("td", {}, h("span", { class: "hidden" }, "Choose")), COLUMNS.map(heading))), body),
  );

  function heading([title, key]) {
    const turn = () => {
      order = order === key ? `-${key}` : order === `-${key}` || UPWARDS.has(key) ? key : `-${key}`;
      ordered();
      onOrder(order);
    };
    const cell = h("th", { scope: "col", class: NUMERIC.has(title) ? "right" : "", dataset: { column: title } },
      key ? h("button", { type: "button", class: "sort", title: MEANT[key], on: { click: turn } }, title) : title);
    if (key) heads.set(key, cell);
    return cell;
  }

  function ordered() {
    for (const [key, cell] of heads) {
      cell.setAttribute("aria-sort", order === key ? "ascending" : order === `-${key}` ? "descending" : "none");
    }
  }

  function choose(id, isChosen) {
    if (isChosen) chosen.add(id);
    else chosen.delete(id);
    rows.get(id)?.choose(isChosen);
    for (const [other, row] of rows) row.allow(chosen.has(other) || chosen.size < MOST_COMPARED);
    onChoice([...chosen]);
  }

  function add(found) {
    for (const one of found) {
      if (rows.has(one.id)) {
        rows.get(one.id).update(one);
        continue;
      }
      const row = runRow(one, (isChosen) => choose(one.id, isChosen));
      row.choose(chosen.has(one.id));
      row.allow(chosen.has(one.id) || chosen.size < MOST_COMPARED);
      rows.set(one.id, row);
      body.append(row.node);
    }
    node.classList.toggle("one-project", new Set([...rows.values()].map((row) => row.project())).size < 2);
  }

  /** These and no others, in this order; rows that are there stay the same elements. */
  function show(found) {
    const wanted = new Set(found.map((one) => one.id));
    for (const [id, row] of rows) {
      if (wanted.has(id)) continue;
      row.node.remove();
      rows.delete(id);
    }
    add(found);
    const nodes = found.map((one) => rows.get(one.id).node);
    if (nodes.some((one, at) => body.children[at] !== one)) replace(body, nodes);
  }

  ordered();
  return {
    node, add, show, count: () => rows.size,
    update: (shape) => Boolean(rows.get(shape.id)?.update(shape)),
    chooseNone: () => [...chosen].forEach((id) => choose(id, false)),
  };
}

function runRow(first, onChoice) {
  let run = first;
  const box = h("input", { type: "checkbox", "aria-label": `Choose ${first.name}`, on: { change: () => onChoice(box.checked) } });
  const [name, why] = [h("a", { href: runAddress(first.id) }), h("div", { class: "why" })];
  const [status, project, left, started, ended] = [h("td", {}, h("div"), h("div", { class: "small" })), h("td", { class: "of-project" }), cell(), cell(), cell()];
  const [state, grave] = status.children;
  const [at, atMore, value, valueOf] = [h("div"), h("div", { class: "small dim" }), h("div"), h("div", { class: "small dim" })];
  const [best, bestAt] = [h("div"), h("div", { class: "small dim" })];
  const node = h("tr", {}, h("td", {}, box), h("th", { scope: "row" }, name, why), status, project,
    h("td", { class: "right" }, at, atMore), h("td", { class: "right" }, value, valueOf), h("td", { class: "right" }, best, bestAt), left, started, ended);

  function update(shape) {
    run = { ...run, ...shape };
    say(name, run.name);
    say(why, run.reason);
    if (state.dataset.is !== run.status) replace(state, badge(run.status)).dataset.is = run.status;
    if (grave.dataset.is !== run.gravest) replace(grave, severity(run)).dataset.is = run.gravest;
    say(project, run.project);
    say(at, step(run.step));
    say(atMore, run.planned_steps ? `of ${step(run.planned_steps)}${run.step === null ? "" : ` · ${percent(Math.min(1, run.step / run.planned_steps))}`}` : "");
    say(value, run.primary ? number(run.primary.value) : "–");
    say(valueOf, run.primary?.name ?? "");
    say(best, number(run.primary?.best));
    say(bestAt, run.primary && run.primary.best !== null ? `at step ${step(run.primary.best_step)}` : "");
    say(left, run.eta_s === null ? "" : span(run.eta_s));
    say(started, when(run.started_at));
    say(ended, run.ended_at ? when(run.ended_at) : "");
    return true;
  }

  update(first);
  return {
    node, update, project: () => run.project_id,
    choose: (isChosen) => { box.checked = isChosen; node.setAttribute("data-chosen", isChosen); },
    allow: (isAllowed) => { box.disabled = !isAllowed; },
  };
}

const cell = () => h("td", { class: "right" });
