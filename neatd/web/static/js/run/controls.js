// The controls of all charts of a run: axis, log, smoothing, outliers, range.

import { placeText } from "../chart/words.js";
import { h, say } from "../base/dom.js";

const AXES = [["step", "Step"], ["relative", "Time since start"], ["wall", "Clock time"]];

/**
 * @param {import("./address.js").Look} look  as the address has it
 * @param {{change: (part: object) => void, reset: () => void}} on
 */
export function controls(look, on) {
  const choices = AXES.map(([value, label]) => h("option", { value }, label));
  const axis = h("select", { id: "axis", on: { change: () => on.change({ axis: axis.value }) } }, choices);
  const log = h("input", { id: "log", type: "checkbox", "aria-describedby": "log-why", on: { change: () => on.change({ log: log.checked }) } });
  const why = h("span", { id: "log-why", class: "dim" });
  const value = h("output", { for: "smoothing", class: "run-output" });
  const smoothing = h("input", {
    id: "smoothing", type: "range", min: 0, max: 0.99, step: 0.01, on: { input: () => on.change({ smoothing: Number(smoothing.value) }) },
  });
  const outliers = h("input", { id: "outliers", type: "checkbox", on: { change: () => on.change({ isIgnoringOutliers: outliers.checked }) } });
  const reset = h("button", { type: "button", id: "reset", on: { click: on.reset } }, "Show all");
  const range = h("span", { class: "dim run-range", role: "status" });
  const node = h(
    "div", { class: "run-controls", role: "group", "aria-label": "All charts" },
    h("span", { class: "row" }, h("label", { for: "axis" }, "X axis"), axis),
    h("span", { class: "row" }, log, h("label", { for: "log" }, "Log y"), why),
    h("span", { class: "row" }, h("label", { for: "smoothing" }, "Smoothing"), smoothing, value),
    h("span", { class: "row" }, outliers, h("label", { for: "outliers" }, "Ignore outliers")),
    h("span", { class: "row" }, range, reset),
  );

  function show(now) {
    axis.value = now.axis;
    log.checked = now.log;
    smoothing.value = now.smoothing;
    say(value, now.smoothing.toFixed(2));
    outliers.checked = now.isIgnoringOutliers;
    reset.disabled = !now.range;
    say(range, now.range ? `${placeText(now.axis, now.range[0])} to ${placeText(now.axis, now.range[1])}` : "");
  }
  show(look);
  return {
    node, show,
    /** Why no chart can have a log axis; "" where one can. */
    setWhyNoLog(text) {
      log.disabled = text !== "";
      say(why, text);
    },
  };
}
