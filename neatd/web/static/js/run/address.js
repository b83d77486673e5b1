/**
 * How the charts of a run are looked at, as the address tells it: axis, log, smoothing, outliers, range. Pure.
 *
 * @typedef {{axis: "step"|"relative"|"wall", log: boolean, smoothing: number, isIgnoringOutliers: boolean, range: [number, number]|null}} Look
 */

export const AXES = ["step", "relative", "wall"];
const MOST_SMOOTHING = 0.99;
const FARTHEST = { step: 2 ** 53, relative: 8.64e12, wall: 8.64e12 }; // whole numbers end there, and moments

/** @param {string} search  of the address @returns {Look} whatever the address says, a look that can be drawn */
export function lookOf(search) {
  const words = new URLSearchParams(search);
  const axis = AXES.includes(words.get("axis")) ? words.get("axis") : "step";
  const smoothing = Math.min(MOST_SMOOTHING, Math.max(0, Number(words.get("smooth")) || 0));
  const held = (x) => Math.min(FARTHEST[axis], Math.max(-FARTHEST[axis], x));
  const given = [words.get("xmin"), words.get("xmax")].map((one) => (one === null || one === "" ? NaN : Number(one)));
  const ends = given.every(Number.isFinite) ? given.map(held) : [];
  const range = ends[0] < ends[1] ? ends : null;
  return { axis, log: words.get("log") === "1", smoothing, isIgnoringOutliers: words.get("outliers") === "0", range };
}

/** The same as a search, in the words of another one: what is as usual is left out. */
export function searchOf(look, search = "") {
  const words = new URLSearchParams(search);
  const put = (name, value) => (value === null ? words.delete(name) : words.set(name, value));
  put("axis", look.axis === "step" ? null : look.axis);
  put("log", look.log ? "1" : null);
  put("smooth", look.smoothing ? String(look.smoothing) : null);
  put("outliers", look.isIgnoringOutliers ? "0" : null);
  put("xmin", look.range ? short(look.range[0]) : null);
  put("xmax", look.range ? short(look.range[1]) : null);
  const text = words.toString();
  return text ? `?${text}` : "";
}

const short = (x) => String(Number(x.toPrecision(13)));
