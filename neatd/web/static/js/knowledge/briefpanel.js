// The brief to the byte as an assistant receives it: plain text, never markup; and how much of its budget it takes.

import { get } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { bytes, percent } from "../base/format.js";
import { project } from "../base/frame.js";
import { isOfMany } from "../base/ofproject.js";
import { empty, failed, loading } from "../base/state.js";

/** The panel: {node, read()}. */
export function briefPanel() {
  const content = h("div", { class: "brief" }, loading("Gathering…"));
  const node = h("section", { class: "panel", "aria-labelledby": "brief-title" },
    h("header", {}, h("h2", { id: "brief-title" }, "The brief"), h("span", { class: "dim small" }, "what an assistant is told")), content);
  async function read() {
    if (isOfMany()) {
      replace(content, empty("The brief is of one project.", "Choose one at the top of the page"));
      return;
    }
    try {
      draw(content, await get("brief", { project: project() }));
    } catch (error) {
      replace(content, failed(error, read));
    }
  }
  return { node, read };
}

function draw(content, brief) {
  const text = content.querySelector("pre");
  const at = text?.scrollTop ?? 0;
  replace(content, size(brief),
    h("pre", { tabindex: "0", role: "region", "aria-label": "Text of the brief", id: "brief-text" }, brief.text),
    h("p", { class: "dim small" }, "The same as ", h("code", {}, "neat brief"), " and .neat/brief.md; ", h("code", {}, "brief: {budget_bytes: …}"),
      " in neat.yaml sets the budget."));
  content.querySelector("pre").scrollTop = at;
}

function size(brief) {
  const share = brief.bytes / brief.budget_bytes;
  const kind = share > 1 ? "bad" : share > 0.95 ? "warn" : "";
  const left = brief.budget_bytes - brief.bytes;
  return h("div", {},
    h("p", { class: "row small", id: "brief-size" },
      h("b", {}, `${brief.bytes.toLocaleString("en-US")} of ${brief.budget_bytes.toLocaleString("en-US")} bytes`),
      h("span", { class: "dim" }, left >= 0 ? `${percent(share)} of its budget; ${bytes(left)} left` : `${bytes(-left)} over its budget`)),
    h("div", {
      class: `bar ${kind}`, role: "meter", "aria-labelledby": "brief-size", "aria-valuemin": "0", "aria-valuemax": brief.budget_bytes,
      "aria-valuenow": brief.bytes, "aria-valuetext": `${brief.bytes} of ${brief.budget_bytes} bytes`,
    }, h("span", { style: { width: `${Math.min(100, 100 * share)}%` } })));
}
