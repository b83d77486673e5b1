/**
 * The cursor of a chart, and of all charts of its group: where one points, the others point at the same step of the
 * same run, whatever their axes.
 *
 * A position is `{axis, x, runs}`; `runs` has for each run its step and time nearest to the cursor.
 *
 * @typedef {{axis: string, x: number, runs: Map<string, {step: number, time: number}>}} Position
 */
import { nearest } from "./data.js";

/** @type {Map<string, Set<{show: (position: Position|null) => void}>>} */
const groups = new Map();

/** Joins the charts of a key; the answer tells the others, `leave` ends it. */
export function joinGroup(key, member) {
  if (key === null || key === undefined) return { tell() {}, leave() {} };
  const group = groups.get(key) ?? new Set();
  groups.set(key, group.add(member));
  return {
    tell: (position) => group.forEach((other) => other !== member && other.show(position)),
    leave() {
      group.delete(member);
      if (!group.size) groups.delete(key);
    },
  };
}

/** How many members a group has: none may stay when its page is left. */
export const membersOf = (key) => groups.get(key)?.size ?? 0;

/** Where a chart's own lines are at x: per line the point nearest to it, none beyond the line's ends. */
export function pointsAt(entries, x, slack) {
  const found = new Map();
  for (const { line, drawn } of entries) {
    const i = nearest(drawn, x);
    if (i < 0) continue;
    const isBeyond = x < drawn.xs[0] - slack || x > drawn.xs[drawn.xs.length - 1] + slack;
    if (!drawn.isSorted || !isBeyond) found.set(line.key, i);
  }
  return found;
}

/** @returns {Position} what others of the group are told */
export function positionAt(axis, entries, x) {
  const runs = new Map();
  for (const { line, drawn } of entries) {
    const i = nearest(drawn, x);
    if (i < 0 || (runs.has(line.run) && line.isFaded)) continue;
    runs.set(line.run, { step: drawn.steps[i], time: drawn.times[i] });
  }
  return { axis, x, runs };
}

const nearestStep = (drawn, step) => {
  let best = 0;
  for (let i = 1; i < drawn.steps.length; i += 1) {
    if (Math.abs(drawn.steps[i] - step) <= Math.abs(drawn.steps[best] - step)) best = i;
  }
  return best;
};

/** Between two points of a line a time lies where it lies between their times; beyond the ends, nowhere. */
function atTime(drawn, time) {
  const { times, xs } = drawn;
  for (let i = 1; i < times.length; i += 1) {
    if (times[i - 1] <= time && time <= times[i]) {
      return xs[i - 1] + ((xs[i] - xs[i - 1]) * (time - times[i - 1])) / (times[i] - times[i - 1] || 1);
    }
  }
  return NaN;
}

/**
 * A position of another chart on this chart's axis: the same x on the same axis, else by the first run that both have.
 * @param {Position} position
 * @returns {number} NaN when this chart does not know the place
 */
export function translated(position, axis, entries) {
  if (position.axis === axis) return position.x;
  for (const { line, drawn } of entries) {
    const at = position.runs.get(line.run);
    if (!at || !drawn.xs.length || line.isFaded) continue;
    if (Number.isFinite(at.step)) return drawn.xs[nearestStep(drawn, at.step)];
    if (Number.isFinite(at.time)) return atTime(drawn, at.time);
  }
  return NaN;
}

/** The x of the next point of the leading line (the one with most points) from x; `by` points on. */
export function stepFrom(entries, x, by) {
  const longer = (best, { drawn }) => (drawn.xs.length > best.xs.length ? drawn : best);
  const leading = entries.reduce(longer, { xs: [] });
  const { xs } = leading;
  if (!xs.length) return NaN;
  if (!Number.isFinite(x)) return xs[by > 0 ? 0 : xs.length - 1];
  return xs[Math.min(xs.length - 1, Math.max(0, nearest(leading, x) + by))];
}

/** Draws the upright line and a dot on each line, on the canvas above uPlot's: the plot itself is not drawn again. */
export function drawCursor(canvas, u, x, dots, theme) {
  const ctx = canvas.getContext("2d");
  if (canvas.width !== u.ctx.canvas.width || canvas.height !== u.ctx.canvas.height) {
    Object.assign(canvas, { width: u.ctx.canvas.width, height: u.ctx.canvas.height });
  }
  ctx.clearRect(0, 0, canvas.width, canvas.height);
  if (!Number.isFinite(x) || x < u.scales.x.min || x > u.scales.x.max) return;
  const { top, height } = u.bbox;
  const px = u.valToPos(x, "x", true);
  Object.assign(ctx, { strokeStyle: theme["--text"], lineWidth: devicePixelRatio, globalAlpha: 0.6 });
  ctx.beginPath();
  ctx.moveTo(px, top);
  ctx.lineTo(px, top + height);
  ctx.stroke();
  ctx.globalAlpha = 1;
  for (const dot of dots) drawDot(ctx, u, dot, theme);
}

function drawDot(ctx, u, { x, y, scale, colour }, theme) {
  if (!Number.isFinite(y) || x < u.scales.x.min || x > u.scales.x.max) return;
  const py = u.valToPos(y, scale, true);
  if (py < u.bbox.top || py > u.bbox.top + u.bbox.height) return;
  Object.assign(ctx, { fillStyle: theme[colour], strokeStyle: theme["--panel"], lineWidth: 1.5 * devicePixelRatio });
  ctx.beginPath();
  ctx.arc(u.valToPos(x, "x", true), py, 3.5 * devicePixelRatio, 0, 2 * Math.PI);
  ctx.fill();
  ctx.stroke();
}
