// A line as small as a word: where a value came from and where it stands. Breaks where a value is no number.

import { svg } from "../base/dom.js";
import { asNumber } from "../base/api.js";
import { number } from "../base/format.js";

const WIDTH = 120;
const HEIGHT = 28;
const EDGE = 2.5;
const MOST = 240; // points that are kept; then the older ones are thinned

/** A sparkline: {node, set(points), add(points), last()}; points as the API has them: [step, value, time]. */
export function spark(name) {
  const line = svg("path", { class: "spark-line" });
  const dot = svg("circle", { r: 2.2, class: "spark-dot" });
  const node = svg(
    "svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img" }, line, dot,
  );
  let kept = [];

  function draw() {
    const finite = kept.filter(([, value]) => Number.isFinite(value));
    node.toggleAttribute("hidden", finite.length < 2);
    if (finite.length < 2) return;
    const place = placer(kept, finite);
    line.setAttribute("d", pathOf(kept, place));
    const [x, y] = place(finite.at(-1));
    dot.setAttribute("cx", x);
    dot.setAttribute("cy", y);
    node.setAttribute("aria-label", `${name()}: from ${number(finite[0][1])} to ${number(finite.at(-1)[1])}`);
  }

  function add(points) {
    for (const [step, value] of points) {
      while (kept.length && kept.at(-1)[0] >= step) kept.pop(); // a restart: what it gave up is gone
      kept.push([step, asNumber(value)]);
    }
    while (kept.length > MOST) kept = thinned(kept);
    draw();
  }

  return { node, add, set: (points) => { kept = []; add(points); }, last: () => kept.at(-1) };
}

function placer(kept, finite) {
  const [first, last] = [kept[0][0], kept.at(-1)[0]];
  const values = finite.map(([, value]) => value).sort((a, b) => a - b);
  const [low, high] = [values[0], values.at(-1)];
  const x = (step) => EDGE + ((step - first) / (last - first || 1)) * (WIDTH - 2 * EDGE);
  const y = (value) => (high === low ? HEIGHT / 2 : HEIGHT - EDGE - ((value - low) / (high - low)) * (HEIGHT - 2 * EDGE));
  return ([step, value]) => [x(step).toFixed(1), y(value).toFixed(1)];
}

function pathOf(kept, place) {
  let text = "";
  let isDown = false;
  for (const point of kept) {
    if (Number.isFinite(point[1])) text += `${isDown ? "L" : "M"}${place(point).join(" ")}`;
    isDown = Number.isFinite(point[1]);
  }
  return text;
}

/** Every second of the older half; the newest stay as they are. */
function thinned(kept) {
  const half = kept.length >> 1;
  return kept.filter((_, at) => at >= half || at % 2 === 0);
}
