/**
 * What happened beside the numbers - checkpoints, evaluations, events, commits, restarts, notes - as marks: shapes, words,
 * places. The rail and the charts draw the same ones.
 *
 * @typedef {{kind: string, step?: number|null, time?: number|null, label: string, run?: string, href?: string,
 *   severity?: "info"|"warning"|"critical"|null}} Mark  time is in unix seconds
 */
import { xOf } from "./data.js";
import { svg } from "../base/dom.js";

/**
 * Per kind: its shape as the path of an SVG of 12 by 12, the variable of the theme that colours it, and
 * whether a chart shows its head only: a training has many of some.
 */
export const KINDS = {
  checkpoint: { path: "M6 0.5 11.5 6 6 11.5 0.5 6Z", colour: "--good", dash: [], isHead: true },
  evaluation: { path: "M6 1a5 5 0 1 0 .01 0Z", colour: "--c0", dash: [], isHead: true },
  event: { path: "M6 0.5 11.7 11H0.3Z", colour: "--bad", dash: [] },
  commit: { path: "M1.2 1.2H10.8V10.8H1.2Z", colour: "--dim", dash: [6, 3] },
  restart: { path: "M0.5 1 6 6 0.5 11ZM6 1 11.5 6 6 11Z", colour: "--warn", dash: [8, 3, 2, 3] },
  note: { path: "M4.2 0.5h3.6v3.7h3.7v3.6h-3.7v3.7h-3.6v-3.7h-3.7v-3.6h3.7Z", colour: "--c6", dash: [], isHead: true },
};

/** Events that are less than critical: a hollow triangle, and an "i" for what is only said. The gravest comes last. */
const LESSER = {
  info: { path: "M5 1h2v2h-2ZM5 4.5h2V11h-2Z", colour: "--dim", dash: [1, 3], isHead: true },
  warning: { path: "M6 0.5 11.7 11H0.3ZM6 4.2 3 9.3H9Z", colour: "--warn", dash: [3, 3] },
};
const SEVERITIES = ["info", "warning", "critical"];

/** How a mark looks: by its kind, an event by its severity too. */
export const lookOf = (kind, severity = null) => (kind === "event" && LESSER[severity]) || KINDS[kind];

/** The gravest severity of marks; null where they have none. */
export const gravest = (marks) => SEVERITIES[Math.max(...marks.map(({ severity }) => SEVERITIES.indexOf(severity)))] ?? null;

/** The shape of a mark, coloured by the theme. */
export const shapeOf = (kind, size = 12, severity = null) =>
  svg("svg", { viewBox: "0 0 12 12", width: size, height: size, "aria-hidden": "true", class: "mark-shape" },
    svg("path", { d: lookOf(kind, severity).path, "fill-rule": "evenodd", fill: `var(${lookOf(kind, severity).colour})` }));

/** Where a mark lies on an axis; NaN where that is not known. */
export const markX = (mark, axis, startedAt) => xOf(axis, mark.step ?? NaN, mark.time ?? NaN, startedAt);

/** The marks of known kinds that have a place on the axis: `{mark, x}`. */
export function placedMarks(marks, axis, starts) {
  return (marks ?? [])
    .filter((mark) => mark.kind in KINDS)
    .map((mark) => ({ mark, x: markX(mark, axis, starts.get(mark.run) ?? starts.values().next().value) }))
    .filter(({ x }) => Number.isFinite(x));
}

/** Steps at which a run was started again: its lines are broken there. */
export const restartsOf = (marks, run) =>
  (marks ?? []).filter((mark) => mark.kind === "restart" && (mark.run ?? run) === run)
    .map(({ step }) => step).filter(Number.isFinite);

/** Draws each look as upright lines of its own dash; only their heads where they would cover the plot. */
export function drawMarks(u, placed, theme) {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio;
  for (const look of [...Object.values(LESSER), ...Object.values(KINDS)]) {
    const alike = placed.filter(({ mark }) => lookOf(mark.kind, mark.severity) === look);
    const columns = new Set(alike.map(({ x }) => Math.round(u.valToPos(x, "x", true))));
    const inside = [...columns].filter((px) => px >= bbox.left && px <= bbox.left + bbox.width);
    if (inside.length) drawLook(ctx, look, inside, bbox, ratio, theme);
  }
}

function drawLook(ctx, { path, colour, dash, isHead }, columns, bbox, ratio, theme) {
  const isCrowded = columns.length > bbox.width / (12 * ratio);
  const size = 7 * ratio;
  ctx.save();
  Object.assign(ctx, { strokeStyle: theme[colour], fillStyle: theme[colour], lineWidth: ratio, globalAlpha: 0.7 });
  ctx.setLineDash(dash.map((length) => length * ratio));
  const shape = new Path2D(path);
  for (const px of columns) {
    ctx.beginPath();
    ctx.moveTo(px, bbox.top);
    ctx.lineTo(px, isCrowded || isHead ? bbox.top + size : bbox.top + bbox.height);
    ctx.stroke();
    if (isCrowded) continue;
    ctx.setTransform(size / 12, 0, 0, size / 12, px - size / 2, bbox.top - size);
    ctx.fill(shape, "evenodd");
    ctx.setTransform(1, 0, 0, 1, 0, 0);
  }
  ctx.restore();
}
