/**
 * What is compared and how it is shown, as the address holds it: a comparison can be sent to somebody.
 *
 * @typedef {{runs: string[], axis: "step"|"relative"|"wall", log: boolean, smoothing: number, isIgnoringOutliers: boolean,
 *   range: [number, number]|null, group: string, charts: string}} Shown
 */

const AXES = ["step", "relative", "wall"];

/** @returns {Shown} */
export function shownOf(text = location.search) {
  const words = new URLSearchParams(text);
  const range = ["from", "to"].map((name) => (words.has(name) ? Number(words.get(name)) : NaN));
  const smoothing = Number(words.get("smoothing"));
  return {
    runs: [...new Set(words.getAll("run"))],
    axis: AXES.includes(words.get("axis")) ? words.get("axis") : "step",
    log: words.get("log") === "1",
    smoothing: smoothing > 0 && smoothing < 1 ? smoothing : 0,
    isIgnoringOutliers: words.get("outliers") === "0",
    range: range.every(Number.isFinite) && range[0] < range[1] ? range : null,
    group: words.get("group") ?? "",
    charts: words.get("charts") ?? "",
  };
}

/** The address's words; what is as usual is left out. `others` are words of other parts of the page, kept. */
export function wordsOf(shown, others = new URLSearchParams()) {
  const words = new URLSearchParams(others);
  for (const name of ["run", "axis", "log", "smoothing", "outliers", "from", "to", "group", "charts"]) words.delete(name);
  for (const run of shown.runs) words.append("run", run);
  if (shown.axis !== "step") words.set("axis", shown.axis);
  if (shown.log) words.set("log", "1");
  if (shown.smoothing) words.set("smoothing", shown.smoothing);
  if (shown.isIgnoringOutliers) words.set("outliers", "0");
  if (shown.range) ["from", "to"].forEach((name, at) => words.set(name, Number(shown.range[at].toPrecision(12))));
  if (shown.group) words.set("group", shown.group);
  if (shown.charts) words.set("charts", shown.charts);
  return words;
}

/** Puts it into the address, without a new entry in the history. */
export function keep(shown) {
  const text = wordsOf(shown, new URLSearchParams(location.search)).toString();
  history.replaceState(null, "", text ? `?${text}` : location.pathname);
}
