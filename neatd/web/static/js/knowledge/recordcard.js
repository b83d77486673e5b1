// One record in a list: what it says in short, its marks, its fields.

import { h } from "../base/dom.js";
import { ago, when } from "../base/format.js";
import { projectName } from "../base/ofproject.js";
import { fields } from "./recordfields.js";
import { marks, recordLink } from "./recordwords.js";

const MOST = 320; // characters of a body in a list

/** `place` is its number in an order, where there is one; `linked` has by id what its references name. */
export function card(one, place = null, linked = {}) {
  const title = one.title || firstLine(one.body) || one.id;
  const body = one.title ? shortened(one.body) : shortened(rest(one.body));
  return h(
    "li", { class: one.is_closed ? "record over" : "record", id: `card-${one.id}` },
    h("div", { class: "row" },
      place !== null && h("span", { class: "place dim" }, `${place}.`),
      h("h3", {}, recordLink(one.id, title)),
      h("span", { class: "row small" }, marks(one)),
      h("time", { class: "dim small", datetime: one.created_at, title: when(one.created_at) }, ago(one.created_at)),
      h("span", { class: "dim small" }, projectName(one.project_id))),
    one.stale && h("p", { class: "warn small" }, `May no longer hold: ${one.stale}`),
    body && h("p", { class: "body" }, body),
    one.kind !== "session" && one.kind !== "handoff" && fields(one, linked),
    one.tags.length > 0 && h("p", { class: "dim small" }, one.tags.map((tag) => `#${tag} `)),
  );
}

const firstLine = (text) => shortened(text.trim().split("\n")[0], 120);
const rest = (text) => text.trim().split("\n").slice(1).join("\n").trim();

/** A text that is cut where it is long. */
export function shortened(text, most = MOST) {
  const plain = text.trim();
  return plain.length <= most ? plain : `${plain.slice(0, plain.lastIndexOf(" ", most) > most / 2 ? plain.lastIndexOf(" ", most) : most)} …`;
}
