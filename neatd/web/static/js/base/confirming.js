// A question before something is done: what will happen, in numbers; and a second one where that is much.

import { fresh, h } from "./dom.js";

/**
 * Ask. `title` is the question, `lines` what will happen, `action` what stands on the button, `second` what has to be ticked
 * first, where given. True when it was agreed to.
 */
export function confirmed({ title, lines, action, second = "" }) {
  const id = fresh("ask");
  const go = h("button", { type: "submit", class: "main", value: "go", disabled: Boolean(second) }, action);
  const box = h("input", { type: "checkbox", on: { change: () => (go.disabled = !box.checked) } });
  const dialog = h(
    "dialog", { class: "ask", "aria-labelledby": id },
    h("form", { method: "dialog" },
      h("h2", { id }, title), lines.map((line) => h("p", {}, line)),
      second && h("label", {}, box, h("span", {}, second)),
      h("div", { class: "row" }, h("button", { type: "submit", value: "no" }, "Cancel"), go)),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((answer) => dialog.addEventListener("close", () => {
    dialog.remove();
    answer(dialog.returnValue === "go" && (!second || box.checked));
  }));
}
