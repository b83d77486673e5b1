// What stands behind the upkeep: what neat is allowed here, the backups, and what an examination of the installation finds.

import { get } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { ago, bytes, when } from "../base/format.js";
import { project } from "../base/frame.js";
import { isOfMany } from "../base/ofproject.js";
import { badge, empty, failed, loading, withCode } from "../base/state.js";

const MOST = 8; // backups that are listed

/** A panel that asks by `ask()` and shows by `show(answer)`: {node, read()}. */
function panel(id, title, ask, show, more = null) {
  const content = h("div", { class: "records" }, loading());
  const node = h("section", { class: "panel", "aria-labelledby": id }, h("header", {}, h("h2", { id }, title), more), content);
  async function read() {
    try {
      replace(content, show(await ask()));
    } catch (error) {
      replace(content, failed(error, read));
    }
  }
  return { node, read };
}

/** What is allowed, and what to type: consents are given in a terminal and nowhere else. */
export const consentPanel = () => panel("consent-title", "What neat is allowed", consentsHere, (consents) => (!consents
  ? empty("Consents are given for one project.", "Choose one at the top of the page") : [
  h("p", { class: "dim small" }, "Given in the project's folder, for this machine; no button and no file of a repository can."),
  h("ul", { class: "list" }, consents.map((one) => h("li", {},
    h("div", { class: "row" }, h("b", {}, one.what), badge(one.since ? "allowed" : "not allowed"),
      one.since && h("time", { class: "dim small", datetime: one.since, title: when(one.since) }, ago(one.since))),
    h("span", {}, withCode(one.meaning)),
    h("span", { class: "dim small" }, one.since ? "take it back: " : "allow it: ", h("code", {}, one.type))))),
]));

const consentsHere = () => (isOfMany() ? null : get("consents", { project: project() }));

/** The backups of the records, the newest first. */
export const backupPanel = () => panel("backup-title", "Backups", () => get("backups"), (found) => {
  if (!found.length) return empty("No backup yet.", "the job `backup` makes one each day: Run now in the schedule makes one at once");
  const [newest] = found;
  const folder = newest.file.slice(0, newest.file.lastIndexOf("/"));
  const total = found.reduce((sum, one) => sum + one.size_bytes, 0);
  const isOld = newest.age_s > 2 * 86400;
  return [
    h("dl", { class: "facts" },
      fact("Newest", [ago(newest.at), isOld && h("span", { class: "badge warn" }, " △ old")]), fact("Backups", `${found.length}, ${bytes(total)}`)),
    h("p", { class: "small" }, "In ", h("code", {}, folder), "; ", h("code", {}, "neat restore"), " goes back to one."),
    h("ul", { class: "list" }, found.slice(0, MOST).map((one) => h("li", {},
      h("div", { class: "row small" }, h("time", { datetime: one.at }, when(one.at)), h("span", {}, bytes(one.size_bytes)), h("span", { class: "dim" }, one.label)),
      h("span", { class: "dim small" }, one.file.slice(folder.length + 1))))),
    found.length > MOST && h("p", { class: "dim small" }, `and ${found.length - MOST} older`),
  ];
});

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

/** What `neat doctor` finds: what is bad first, each with how to mend it. It reads whole databases: asked once, and by a button. */
export function doctorPanel() {
  const again = h("button", { type: "button", id: "examine", on: { click: () => examine() } }, "Examine again");
  const made = panel("doctor-title", "Doctor", () => get("doctor", { project: project() }), findings, again);
  async function examine() {
    again.disabled = true;
    await made.read();
    again.disabled = false;
  }
  return { node: made.node, read: examine };
}

function findings(found) {
  const [wrong, well] = [found.filter((one) => one.state !== "ok"), found.filter((one) => one.state === "ok")];
  wrong.sort((a, b) => (a.state === "bad" ? 0 : 1) - (b.state === "bad" ? 0 : 1));
  return [
    h("p", { role: "status" }, wrong.length ? `${wrong.length} to look at, ${well.length} in order` : `all ${well.length} in order`),
    wrong.length > 0 && h("ul", { class: "list" }, wrong.map(finding)),
    h("details", {}, h("summary", { id: "doctor-well" }, `${well.length} in order`), h("ul", { class: "list" }, well.map(finding))),
  ];
}

const finding = (one) => h("li", { class: "finding" },
  h("div", { class: "row" }, badge(one.state), h("b", {}, one.what)), h("span", {}, withCode(one.text)),
  one.mend && h("span", { class: "dim small" }, one.state === "ok" ? "" : "mend it: ", withCode(one.mend)));
