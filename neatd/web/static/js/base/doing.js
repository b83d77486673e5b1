// Buttons that change something: each says what it does, is disabled while it works, and what became of it is said in words.
// Without the token they are disabled, and the reason stands beside them.

import { carriedOut, token } from "./api.js";
import { h, replace } from "./dom.js";
import { withCode } from "./state.js";

const sayers = new Set(); // of all panels: what one of them said of before is not said beside what is done now
const working = new Set(); // keys of what goes on: a list that is drawn anew meanwhile knows it

/** Why nothing can be changed from here; "" where it can. */
export const whyNot = () => (token() ? "" : "Nothing can be changed from here: changes need the token, which `neat ui --token` shows to its owner");

/** A line that says so, or nothing. */
export const whyNotLine = () => (whyNot() ? h("p", { class: "warn", id: "why-not" }, withCode(whyNot())) : null);

/** A line in which is said what goes on and how it ended: {node, tell(text), good(text), bad(error), clear()}. */
export function sayer(id) {
  const node = h("p", { class: "said small", role: "status", id });
  const put = (kind, ...parts) => {
    node.className = `said small ${kind}`;
    replace(node, ...parts);
  };
  const made = {
    node,
    tell: (text) => put("dim", text),
    good: (text) => put("good", h("span", { "aria-hidden": "true" }, "✓ "), withCode(text)),
    bad: (error) => put("bad", h("span", { "aria-hidden": "true" }, "✕ "), error.message, error.hint && [". ", withCode(error.hint)]),
    clear: () => put(""),
  };
  sayers.add(made);
  return made;
}

/**
 * A button. `key` is its own among all of the page, `label` what stands on it, `does` what it does (read out, and its title),
 * `run()` does it and may give a text of what came of it; errors are said with what to do.
 */
export function doButton({ key, label, does, run, told, kind = "" }) {
  const id = `do-${key}`;
  const why = whyNot();
  const isBusy = working.has(key);
  async function click() {
    if (working.has(key)) return;
    if (!working.size) sayers.forEach((one) => one.clear());
    set(id, true);
    working.add(key);
    try {
      const text = await run();
      if (text) told.good(text);
    } catch (error) {
      told.bad(error);
    } finally {
      working.delete(key);
      set(id, false);
      if (document.activeElement === document.body) document.getElementById(id)?.focus({ preventScroll: true }); // it was disabled meanwhile
    }
  }
  return h("button", {
    type: "button", id, class: kind, disabled: isBusy || Boolean(why), title: why ? why.replaceAll("`", "") : does,
    "aria-label": `${label}: ${does}`, "aria-describedby": why && "why-not", "aria-busy": isBusy && "true", on: { click },
  }, label);
}

function set(id, isBusy) {
  const node = document.getElementById(id);
  if (!node) return;
  node.disabled = isBusy;
  if (isBusy) node.setAttribute("aria-busy", "true");
  else node.removeAttribute("aria-busy");
}

/** Ask for something and say how it goes on; its result. */
export function done(path, body, what, told) {
  told.tell(`${what}: asked for`);
  return carriedOut(path, body, (status, request) => told.tell(`${what}: ${request.said || (status === "running" ? "goes on" : "waits for neatd")}…`));
}

/** What was refused, as a part of a sentence; "" where nothing was. */
export function refused(result) {
  const some = result.refused ?? [];
  if (!some.length) return "";
  const first = some.slice(0, 3).map((one) => `${one.path}: ${one.note}`);
  return `; ${some.length} stayed: ${first.join("; ")}${some.length > 3 ? " …" : ""}`;
}
