/**
 * The legend of a chart: a button per line that shows or hides it, with its colour, its dash and, where the cursor is,
 * its value. Fifty lines scroll.
 */
import { colourName, dashOf } from "./theme.js";
import { h, svg } from "../base/dom.js";

const MANY = 6; // lines from which "all" and "none" are offered

/** A piece of the line as it is drawn; the theme colours it. */
export const swatchOf = (line) =>
  svg("svg", { viewBox: "0 0 26 10", width: 26, height: 10, class: "legend-swatch", "aria-hidden": "true" },
    svg("path", {
      d: "M1 5H25", fill: "none", stroke: `var(${colourName(line.colour)})`, "stroke-width": line.isFaded ? 1.4 : 2.4,
      "stroke-dasharray": dashOf(line.dash).join(" ") || "none", opacity: line.isFaded ? 0.55 : 1,
    }));

/**
 * @param {HTMLElement} container
 * @param {{toggle: (key: string, isShown: boolean) => void, only: (key: string) => void,
 *   all: (isShown: boolean) => void}} on
 */
export function createLegend(container, on) {
  const list = h("ul", { class: "legend-lines" });
  const all = h("button", { type: "button", class: "legend-all", on: { click: () => on.all(true) } }, "Show all");
  const none = h("button", { type: "button", class: "legend-all", on: { click: () => on.all(false) } }, "Hide all");
  const tools = h("div", { class: "legend-tools" }, all, none);
  const rows = new Map();
  container.append(tools, list);

  function rowOf(line, isShown) {
    const value = h("span", { class: "legend-value" });
    const click = (event) => {
      if (event.shiftKey) on.only(line.key);
      else on.toggle(line.key, button.getAttribute("aria-pressed") !== "true");
    };
    const title = `${line.label}\nShift and click: only this line`;
    const props = { type: "button", class: "legend-line", "aria-pressed": String(isShown), title, on: { click } };
    const button = h("button", props, swatchOf(line), h("span", { class: "legend-label" }, line.label), value);
    rows.set(line.key, { button, value });
    return h("li", {}, button);
  }

  return {
    /** The lines of the chart; `hidden` holds the keys of those that are not shown. */
    set(lines, hidden) {
      rows.clear();
      list.replaceChildren(...lines.map((line) => rowOf(line, !hidden.has(line.key))));
      tools.hidden = lines.length < MANY;
      container.hidden = !lines.length;
    },
    show(hidden) {
      for (const [key, { button }] of rows) button.setAttribute("aria-pressed", String(!hidden.has(key)));
    },
    /** Values in words by key; none of a line that has none there. */
    values(texts) {
      for (const [key, { value }] of rows) {
        const text = texts.get(key) ?? "";
        if (value.textContent !== text) value.textContent = text;
      }
    },
  };
}
