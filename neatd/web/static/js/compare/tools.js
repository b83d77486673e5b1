/**
 * How the charts of a comparison are shown: axis, scale, outliers, smoothing, groups, which series, and back from a zoom.
 */

import { h, say } from "../base/dom.js";

const AXES = [["step", "step"], ["relative", "time since the start"], ["wall", "time of day"]];
const WAIT_MS = 150;

/** A function that is called once those who call it are done for a while. */
export function calmly(work, waitMs = WAIT_MS) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), waitMs);
  };
}

const field = (id, title, control) => h("div", { class: "field" }, h("label", { for: id }, title), control);

/**
 * @param {import("./address.js").Shown} shown
 * @param {(change: object) => void} change
 */
export function tools(shown, change) {
  const axis = h("select", { id: "axis", on: { change: () => change({ axis: axis.value, range: null }) } },
    AXES.map(([value, title]) => h("option", { value }, title)));
  axis.value = shown.axis;
  const log = h("input", { type: "checkbox", id: "log", on: { change: () => change({ log: log.checked }) } });
  log.checked = shown.log;
  const outliers = h("input", { type: "checkbox", id: "outliers", on: { change: () => change({ isIgnoringOutliers: outliers.checked }) } });
  outliers.checked = shown.isIgnoringOutliers;
  const told = h("output", { for: "smoothing", class: "right" });
  const smoothed = calmly(() => change({ smoothing: Number(smoothing.value) }));
  const say_ = () => say(told, Number(smoothing.value).toFixed(2));
  const smoothing = h("input", { type: "range", id: "smoothing", min: 0, max: 0.99, step: 0.01, on: { input: () => { say_(); smoothed(); } } });
  smoothing.value = shown.smoothing;
  say_();
  const group = h("select", { id: "group", on: { change: () => change({ group: group.value }) } });
  const filtered = calmly(() => change({ charts: charts.value.trim() }));
  const charts = h("input", { type: "search", id: "charts", placeholder: "all series", maxlength: 200, autocomplete: "off", value: shown.charts, on: { input: filtered } });
  const whole = h("button", { type: "button", id: "whole", on: { click: () => change({ range: null }) } }, "Show all steps");
  const node = h("div", { class: "panel tools-row", role: "group", "aria-label": "How the charts are shown" },
    field("axis", "Axis", axis), field("group", "Group by", group),
    field("smoothing", "Smoothing", h("span", { class: "row" }, smoothing, told)),
    field("charts", "Series", charts), h("label", { class: "check", for: "log" }, log, " log scale"),
    h("label", { class: "check", for: "outliers" }, outliers, " ignore outliers"), whole);

  return {
    node,
    /** Shows what is in force. `parameters` are those that make groups. */
    show(now, parameters) {
      axis.value = now.group ? "step" : now.axis;
      axis.disabled = Boolean(now.group);
      axis.title = now.group ? "groups are made at common steps" : "";
      whole.disabled = !now.range;
      const words = ["", ...new Set([...parameters, now.group].filter(Boolean))];
      if (words.join("\n") !== group.dataset.words) {
        group.replaceChildren(...words.map((name) => h("option", { value: name }, name || "nothing")));
        group.dataset.words = words.join("\n");
      }
      group.value = now.group;
      group.disabled = words.length < 2;
      group.title = group.disabled ? "no parameter has the same value in some of the runs and another in others" : "";
    },
  };
}
