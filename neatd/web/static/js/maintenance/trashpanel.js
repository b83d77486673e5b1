// What lies in the trash by the batch, how much of it, and the way back.

import { get } from "../base/api.js";
import { done, doButton, refused, sayer } from "../base/doing.js";
import { h, replace } from "../base/dom.js";
import { ago, bytes, when } from "../base/format.js";
import { project } from "../base/frame.js";
import { counted } from "./planpanel.js";
import { empty, failed, loading } from "../base/state.js";

/** The panel: {node, read()}. `changed()` is called after something came back. */
export function trashPanel(changed) {
  const told = sayer("trash-said");
  const content = h("div", { class: "records" }, loading());
  const size = h("span", { class: "dim small", id: "trash-size" });
  const node = h("section", { class: "panel", "aria-labelledby": "trash-title" },
    h("header", {}, h("h2", { id: "trash-title" }, "Trash"), size), told.node, content);
  async function read() {
    try {
      const found = await get("retention/batches", { project: project() });
      replace(size, found.checkpoints ? `${found.checkpoints} in it, ${bytes(found.bytes)}` : "empty");
      replace(content, found.batches.length ? list(found, (one) => undone(one, told, changed)) : nothing());
    } catch (error) {
      replace(content, failed(error, read));
    }
  }
  return { node, read };
}

const nothing = () => empty("Nothing lies in the trash.", "what the plan gives up comes here first; the job `trash` empties it after some days");

function list(found, button) {
  return [
    h("ul", { class: "list" }, found.batches.map((one) => item(one, button))),
    found.more > 0 && h("p", { class: "dim small" }, `and ${found.more} older; `, h("code", {}, "neat retention undo --list"), " lists them"),
  ];
}

function item(one, button) {
  const [run, ...more] = one.runs;
  const [why, ...others] = kinds(one.reasons);
  const rest = others.reduce((total, [, count]) => total + count, 0);
  return h("li", { class: "batch", id: `batch-${one.batch}` },
    h("div", { class: "row between" },
      h("h3", {}, run ? h("a", { href: `/runs/${encodeURIComponent(run.id)}` }, run.name) : "?", more.length > 0 && ` and ${more.length} more`),
      button(one)),
    h("p", { class: "small" }, h("b", {}, `${one.checkpoints === 1 ? "1 item" : `${one.checkpoints} items`}, ${bytes(one.bytes)}`), " since ",
      h("time", { datetime: one.since, title: when(one.since) }, ago(one.since)),
      h("span", { class: "dim" }, ` · ${last(one.first)}${one.checkpoints > 1 ? ` … ${last(one.last)}` : ""}`)),
    h("p", { class: "dim small" }, why ? `${why[0]}${rest ? `, and ${rest} for other reasons` : ""}` : "", " · ", h("code", {}, one.batch)));
}

/** Reasons that differ in an id only are one: [[reason, count]], most first. */
function kinds(reasons) {
  const found = new Map();
  for (const one of reasons) {
    const plain = one.reason.replaceAll(/,? (of event|of snapshot) [es]-\w+/g, "");
    found.set(plain, (found.get(plain) ?? 0) + one.checkpoints);
  }
  return [...found].sort(([, a], [, b]) => b - a);
}

const last = (path) => path.split("/").pop();

function undone(one, told, changed) {
  return doButton({
    key: `undo-${one.batch}`, label: "Undo", told, does: `bring ${one.checkpoints} of ${one.runs[0]?.name ?? "the batch"} back from the trash`,
    run: async () => {
      const result = await done("retention/undo", { batch: one.batch }, "bringing back", told);
      changed();
      return `${counted(result.restored)} back (${bytes(result.bytes)})${refused(result)}`;
    },
  });
}
