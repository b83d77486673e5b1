/**
 * Which runs are compared: a list to choose from, with each run's line beside its name, and a search.
 */

import { get } from "../base/api.js";
import { swatchOf } from "../chart/legend.js";
import { h, replace, say } from "../base/dom.js";
import { ago } from "../base/format.js";
import { badge } from "../base/state.js";

export const MOST = 50;
export const USUAL = 10;
const LISTED = 100;
const WAIT_MS = 200;

/** A run's folder without what all of them begin with. */
export const shortName = (run) => run.name.replace(/^runs\//, "") || run.name;

/**
 * @param {{project: string, chosen: () => string[], looks: () => Map<string, object>, choose: (ids: string[]) => void}} page
 */
export class RunList {
  constructor(page) {
    this.page = page;
    this.known = new Map();
    this.found = [];
    this.list = h("ul", { class: "pick-list", "aria-label": "Runs" });
    this.said = h("p", { class: "dim", role: "status" });
    this.search = h("input", {
      type: "search", id: "pick-search", placeholder: "name or status", autocomplete: "off", maxlength: 200, on: { input: () => this.look() },
    });
    this.node = h("details", { class: "panel pick" }, h("summary", {}, h("h2", {}, "Runs")),
      h("label", { for: "pick-search" }, "Search"), this.search,
      h("div", { class: "row" },
        h("button", { type: "button", on: { click: () => this.newest() } }, `Newest ${USUAL}`),
        h("button", { type: "button", on: { click: () => this.page.choose([]) } }, "None")),
      this.said, this.list);
    this.node.open = matchMedia("(min-width: 64rem)").matches;
  }

  /** Reads the runs; what is chosen is known too, however old. */
  async read() {
    this.found = await get("runs", { project: this.page.project, filter: this.search.value.trim(), limit: LISTED });
    for (const run of this.found) this.known.set(run.id, run);
    return this.found;
  }

  /** The newest runs of the project of the newest: a comparison is of one project. */
  usual() {
    const project = this.found[0]?.project_id;
    return this.found.filter((run) => run.project_id === project).slice(0, USUAL).map(({ id }) => id);
  }

  /** Learns of runs that were named and are not in the list. */
  learn(runs) {
    for (const run of runs) this.known.set(run.id, { ...this.known.get(run.id), ...run });
  }

  look() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.read().then(() => this.show(), (error) => say(this.said, error.message)), WAIT_MS);
  }

  async newest() {
    this.search.value = "";
    await this.read();
    this.page.choose(this.usual());
  }

  turn(id, isChosen) {
    const chosen = this.page.chosen();
    this.page.choose(isChosen ? [...chosen, id] : chosen.filter((one) => one !== id));
  }

  /** Draws the list: the chosen ones first, as they are in the comparison. */
  show() {
    const chosen = this.page.chosen();
    const more = this.found.filter(({ id }) => !chosen.includes(id));
    const rows = [...chosen.map((id) => this.known.get(id)).filter(Boolean), ...more];
    say(this.said, `${chosen.length} of at most ${MOST} chosen${rows.length || !this.search.value ? "" : "; no run fits the search"}`);
    replace(this.list, rows.map((run) => this.row(run, chosen.includes(run.id), chosen.length >= MOST)));
  }

  row(run, isChosen, isFull) {
    const look = isChosen ? this.page.looks().get(run.id) : null;
    const id = `pick-${run.id}`;
    const box = h("input", { type: "checkbox", id, disabled: isFull && !isChosen, on: { change: (event) => this.turn(run.id, event.target.checked) } });
    box.checked = isChosen;
    return h("li", { class: isChosen ? "chosen" : "" },
      h("label", { for: id, title: `${run.name}\n${run.reason}` },
        box, h("span", { class: "pick-line" }, look && swatchOf(look)), h("span", { class: "pick-name" }, shortName(run)),
        h("span", { class: "pick-state" }, badge(run.status), h("span", { class: "dim" }, run.ended_at ? ` ${ago(run.ended_at)}` : ` started ${ago(run.started_at)}`))));
  }
}
