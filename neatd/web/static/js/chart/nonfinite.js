/**
 * Marks of values that no line can show, at the edge of the plot: a triangle up at the top for +Infinity, one down at
 * the bottom for -Infinity, a crossed circle at the bottom for NaN; beside it its name, and a count where several are
 * near. No name covers another mark: the number of them all is said below the chart.
 */
import { kindOf } from "./data.js";
import { counted } from "./words.js";
import { number } from "../base/format.js";

export const NAMES = { nan: "NaN", up: "+Infinity", down: "-Infinity" };
const SHORT = { nan: "NaN", up: "+Inf", down: "-Inf" };
const SIZE = 5; // half the width of a mark, CSS pixels
const GAP = 6; // between a name and the next mark, CSS pixels

/** Places of the values of a line that are not finite: `{x, kind}`. */
export function placesOf(drawn) {
  const places = [];
  drawn.values.forEach((value, i) => {
    if (!Number.isFinite(value)) places.push({ x: drawn.xs[i], kind: kindOf(value) });
  });
  return places;
}

/**
 * Pure: marks `{px, kind, count}` of places on the plot, those nearer than `near` put together, each kind for itself.
 * @param {{px: number, kind: string}[]} places
 */
export function clusters(places, near) {
  const marks = [];
  const latest = {};
  for (const { px, kind } of [...places].sort((a, b) => a.px - b.px)) {
    const last = latest[kind];
    if (last && px - last.px < near) last.count += 1;
    else marks.push((latest[kind] = { px, kind, count: 1 }));
  }
  return marks;
}

/** Pure: how many there are, in words; "" of none. */
export function nonfiniteText(counts) {
  const kinds = Object.keys(NAMES).filter((kind) => counts[kind]);
  const parts = kinds.map((kind) => `${number(counts[kind])} ${NAMES[kind]}`);
  const total = counts.nan + counts.up + counts.down;
  return total ? `${counted(total, "value")} without a place on the axis: ${parts.join(", ")} (marked at the edge).` : "";
}

function triangle(ctx, x, y, size, way) {
  ctx.beginPath();
  ctx.moveTo(x - size, y + way * size);
  ctx.lineTo(x + size, y + way * size);
  ctx.lineTo(x, y - way * size);
  ctx.closePath();
  ctx.fill();
}

function crossedCircle(ctx, x, y, size) {
  const part = size * Math.SQRT1_2;
  ctx.beginPath();
  ctx.arc(x, y, size, 0, 2 * Math.PI);
  ctx.moveTo(x - part, y - part);
  ctx.lineTo(x + part, y + part);
  ctx.moveTo(x + part, y - part);
  ctx.lineTo(x - part, y + part);
  ctx.stroke();
}

const textOf = ({ kind, count }) => (count > 1 ? `${SHORT[kind]} ×${count}` : SHORT[kind]);

/**
 * Pure: the marks, each with `text` and the `way` that it is written, 1 to the right and -1 to the left: "" where it would
 * cover another one. Marks of one edge only are in each other's way.
 * @param {{px: number, kind: string, count: number}[]} marks  in their order
 * @param {{widthOf: (text: string) => number, size: number, right: number}} how  `right` is where the plot ends
 */
export function named(marks, { widthOf, size, right }) {
  const edgeOf = ({ kind }) => (kind === "up" ? "up" : "down");
  const taken = { up: [], down: [] };
  for (const mark of marks) taken[edgeOf(mark)].push([mark.px - size, mark.px + size, mark]);
  return marks.map((mark) => {
    const text = textOf(mark);
    const [near, far] = [1.5 * size, 1.5 * size + widthOf(text)];
    const way = mark.px + far > right ? -1 : 1;
    const [from, to] = way > 0 ? [mark.px + near, mark.px + far] : [mark.px - far, mark.px - near];
    const others = taken[edgeOf(mark)];
    const isFree = from >= 0 && others.every(([left, end, other]) => other === mark || to < left || from > end);
    if (isFree) others.push([from, to, mark]);
    return { ...mark, way, text: isFree ? text : "" };
  });
}

function drawMark(ctx, { px, kind, text, way }, box, ratio) {
  const size = SIZE * ratio;
  const y = kind === "up" ? box.top + size * 1.4 : box.top + box.height - size * 1.4;
  if (kind === "nan") crossedCircle(ctx, px, y, size);
  else triangle(ctx, px, y, size, kind === "up" ? 1 : -1);
  ctx.textAlign = way > 0 ? "left" : "right";
  ctx.fillText(text, px + way * size * 1.5, y);
}

/** Draws the marks of all shown lines onto uPlot's canvas. */
export function drawNonfinite(u, allDrawn, theme) {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio;
  const places = allDrawn.flatMap(placesOf).map(({ x, kind }) => ({ px: u.valToPos(x, "x", true), kind }));
  const seen = places.filter(({ px }) => px >= bbox.left && px <= bbox.left + bbox.width);
  if (!seen.length) return;
  ctx.save();
  ctx.setLineDash([]);
  Object.assign(ctx, { strokeStyle: theme.bad, fillStyle: theme.bad, lineWidth: 1.6 * ratio });
  Object.assign(ctx, { font: `600 ${10 * ratio}px system-ui, sans-serif`, textBaseline: "middle", textAlign: "left" });
  const widthOf = (text) => ctx.measureText(text).width;
  const near = 2.5 * SIZE * ratio + widthOf(textOf({ kind: "down", count: seen.length })) + GAP * ratio;
  const how = { widthOf, size: SIZE * ratio, right: bbox.left + bbox.width };
  for (const mark of named(clusters(seen, near), how)) drawMark(ctx, mark, bbox, ratio);
  ctx.restore();
}
