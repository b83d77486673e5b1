// The list of runs: newest first, a hundred at a time, filtered and ordered by the store; several chosen to be compared.
// Filter and order are in the address. Rows change in place as the stream says.

import { listed } from "./base/api.js";
import { $, h, replace, say } from "./base/dom.js";
import { number } from "./base/format.js";
import { frame, given, project, remember, state } from "./base/frame.js";
import { live } from "./base/live.js";
import { MOST_COMPARED, runTable } from "./runs/runtable.js";
import { empty, failed, loading } from "./base/state.js";

const PAGE = 100;
const TYPED_MS = 200; // after the last key
const SOON_MS = 400;
const NEWEST = "-started";
const WRONG = new Set([400, 404, 422]); // the question is not one: to ask it again does not help

frame(async (node) => {
  let order = given("order") || NEWEST;
  let total = 0;
  let asking = null;
  const unknown = new Set(); // runs that are not in the list, by their status: each is asked for once
  const table = runTable({ order, onOrder: reorder, onChoice: chosen });
  const parts = laidOut(node, table);

  const filter = () => parts.filter.value.trim();
  const params = (offset) => ({ project: project(), filter: filter(), order, limit: PAGE, offset });

  /** The first page; `count` rows of it, where more were loaded already. */
  async function read(count = PAGE) {
    asking?.abort();
    asking = new AbortController();
    const mine = asking;
    try {
      const found = await listed("runs", { ...params(0), limit: Math.max(PAGE, count) }, mine.signal);
      if (asking !== mine) return;
      total = found.total;
      table.show(found.rows);
      told();
    } catch (error) {
      if (error.name !== "AbortError") refused(error);
    } finally {
      if (asking === mine) asking = null;
    }
  }

  async function more() {
    parts.more.disabled = true;
    try {
      const found = await listed("runs", params(table.count()));
      total = found.total;
      table.add(found.rows);
      told();
    } catch (error) {
      refused(error);
    }
    parts.more.disabled = false;
  }

  /** Above the rows, where it is seen. What was asked wrongly has no rows; those of before stay when nobody answers. */
  function refused(error) {
    const isWrong = WRONG.has(error.status);
    replace(parts.wrong, failed(error, isWrong ? null : () => read(table.count())));
    if (isWrong) {
      parts.table.hidden = true;
      say(parts.count, "");
    }
    if (parts.table.hidden) replace(parts.below);
  }

  function told() {
    const count = table.count();
    replace(parts.wrong);
    say(parts.count, total === count ? `${number(total)} run${total === 1 ? "" : "s"}` : `${number(count)} of ${number(total)} runs`);
    parts.table.hidden = !count;
    if (!count) replace(parts.below, nothing());
    else replace(parts.below, count < total ? parts.more : []);
    say(parts.more, `Load ${number(Math.min(PAGE, total - count))} more`);
  }

  function nothing() {
    if (filter()) return empty(`No run matches “${filter()}”.`, "A part of a name, or a status; `-failed` leaves out, `cfg.lr>=1e-3` asks a parameter, `tag:keep` a record of the run, `OR` parts alternatives.");
    return empty("No run was found yet.", "A run is a folder of a project whose `metrics.jsonl` grows; `neat init` in a folder makes it a project.");
  }

  function reorder(next) {
    order = next;
    remember("order", order === NEWEST ? "" : order);
    read(table.count());
  }

  function chosen(ids) {
    const isEnough = ids.length > 1;
    parts.compare.textContent = ids.length ? `Compare ${ids.length}` : "Compare";
    if (isEnough) parts.compare.setAttribute("href", `/compare?${ids.map((id) => `run=${encodeURIComponent(id)}`).join("&")}`);
    else parts.compare.removeAttribute("href");
    parts.compare.toggleAttribute("aria-disabled", !isEnough);
    parts.none.hidden = !ids.length;
    say(parts.limit, ids.length === 1 ? "Choose another one to compare." : ids.length >= MOST_COMPARED ? `${MOST_COMPARED} are the most that are compared at once.` : "");
  }

  function changed(shapes) {
    if (asking) again(); // what is under way may be of before this
    for (const shape of shapes) {
      if (table.update(shape)) continue;
      const key = `${shape.id} ${shape.status}`;
      if (!unknown.has(key)) {
        unknown.add(key);
        again();
      }
    }
  }

  const soon = delayed();
  const again = () => soon(() => read(table.count()), SOON_MS);
  parts.filter.value = given("filter");
  parts.filter.addEventListener("input", () => soon(() => {
    remember("filter", filter());
    unknown.clear();
    read();
  }, TYPED_MS));
  parts.more.addEventListener("click", more);
  parts.none.addEventListener("click", () => table.chooseNone());
  chosen([]);
  await read();
  live({ ask: () => ({ topics: ["runs"], project: project() }), on: { hello: again, runs: changed, behind: again }, state });
}, { hasProject: true });

/** One piece of work after a while; a later one takes its place. */
function delayed() {
  let timer = 0;
  return (work, afterMs) => {
    clearTimeout(timer);
    timer = setTimeout(work, afterMs);
  };
}

function laidOut(node, table) {
  const parts = {
    filter: h("input", { type: "search", id: "filter", placeholder: "Filter: name, status, cfg.lr>=1e-3, tag:keep, -failed", "aria-label": "Filter runs", autocomplete: "off", spellcheck: "false" }),
    count: h("span", { class: "dim fixed", role: "status" }), compare: h("a", { class: "button", id: "compare" }, "Compare"),
    none: h("button", { type: "button", class: "plain", hidden: true }, "Choose none"), limit: h("span", { class: "small dim", role: "status" }),
    more: h("button", { type: "button", id: "more" }, "Load more"), wrong: h("div"), below: h("div", {}, loading()), table: table.node,
  };
  parts.table.hidden = true;
  const toolbar = h("div", { class: "toolbar" }, parts.filter, parts.compare, parts.none, parts.limit, parts.count);
  replace(node, h("section", { class: "panel", "aria-label": "Runs" }, toolbar, parts.wrong, parts.table, parts.below));
  window.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.matches("input, select, textarea")) return;
    event.preventDefault();
    $("#filter").focus();
  });
  return parts;
}
