/**
 * What uPlot is given: axes, scales and series of a chart. uPlot draws; cursor, brush, legend and readout are ours, so
 * its own are off.
 */
import { drawLine } from "./paths.js";
import { colourName, dashOf } from "./theme.js";
import { momentLabels, shortStep, spanText, valueText } from "./words.js";
import { linearTicks, logTicks, stepTicks, timeTicks } from "./scales.js";

export const SIDE = 58; // width of a y axis, CSS pixels: the same in all charts, so that they stand under each other
const RIGHT = { step: 14, relative: 14, wall: 32 }; // room for half a label
const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/** uPlot refuses an increment that it thinks too small to be drawn, and one below 10 that is not in its list; our own ticks use none. */
const oneIncrement = (u, i, min, max) => [Math.max(10, max - min)];

const eastOf = (unix) => -new Date(unix * 1000).getTimezoneOffset() * 60;

function xTicks(axis, u, min, max) {
  const count = Math.max(2, Math.floor(u.bbox.width / devicePixelRatio / 76));
  if (axis === "step") return stepTicks(min, max, count);
  return timeTicks(min, max, count, axis === "wall" ? eastOf(min) : 0);
}

const xLabels = { step: (ticks) => ticks.map(shortStep), relative: (ticks) => ticks.map(spanText), wall: momentLabels };

function xAxis(chart) {
  return {
    scale: "x", side: 2, size: chart.axis === "wall" ? 40 : 26, gap: 4, font: FONT, incrs: oneIncrement,
    stroke: () => chart.theme.dim,
    grid: { show: true, width: 1, stroke: () => chart.theme.line },
    ticks: { show: true, width: 1, size: 4, stroke: () => chart.theme.line },
    splits: (u, i, min, max) => xTicks(chart.axis, u, min, max),
    filter: (u, splits) => splits,
    values: (u, splits) => (chart.isEmpty ? splits.map(() => "") : xLabels[chart.axis](splits)),
  };
}

const cssHeight = (u) => u.bbox.height / devicePixelRatio;

/** The y axis of a line: "y", or "y2" on the right. */
export const scaleOf = (line) => (line.scale === "y2" ? "y2" : "y");

function yAxis(chart, scale, side) {
  return {
    scale, side, size: SIDE, gap: 4, font: FONT, incrs: oneIncrement,
    stroke: () => chart.theme.dim,
    grid: { show: side === 3, width: 1, stroke: () => chart.theme.line },
    ticks: { show: true, width: 1, size: 4, stroke: () => chart.theme.line },
    splits: (u, i, min, max) => (chart.isLog ? logTicks : linearTicks)(min, max, Math.max(2, cssHeight(u) / 34)),
    filter: (u, splits) => splits,
    values: (u, splits) => splits.map((split) => (chart.isEmpty ? "" : valueText(split))),
  };
}

/** Lines behind first: abandoned attempts, then the raw values of smoothed lines, then the lines themselves. */
export function layersOf(entries, isSmoothed) {
  const faded = entries.filter((entry) => entry.line.isFaded);
  const plain = entries.filter((entry) => !entry.line.isFaded);
  const layers = [...faded, ...plain].map((entry) => ({ entry, isRaw: false }));
  const raws = isSmoothed ? plain.filter(({ line }) => !line.isExact).map((entry) => ({ entry, isRaw: true })) : [];
  return [...layers.slice(0, faded.length), ...raws, ...layers.slice(faded.length)];
}

/** From so many points in a chart on all lines are a device pixel wide: wider ones take ten times as long. */
const CROWDED = 20000;

export const isCrowded = (layers) => layers.reduce((sum, { entry }) => sum + entry.drawn.xs.length, 0) > CROWDED;

function lookOf({ entry: { line }, isRaw }, chart) {
  const isThin = isRaw || line.isFaded;
  return {
    scale: scaleOf(line),
    colour: chart.theme[colourName(line.colour)],
    alpha: isRaw || line.isFaded ? (devicePixelRatio > 1.4 ? 0.5 : 0.35) : 1, // a device pixel is thinner there
    width: chart.isCrowded || isThin ? 1 : 1.6 * devicePixelRatio,
    dash: isRaw ? [] : dashOf(line.dash).map((length) => length * devicePixelRatio),
  };
}

const facets = (scale) => [{ scale: "x", auto: false }, { scale, auto: false }];

/** uPlot draws no path of its own: `drawLine` does, when its turn comes. Without any series it has no axes either. */
const NOTHING = { auto: false, show: false, facets: facets("y"), paths: () => null, points: { show: false } };

function seriesOf({ entry: { line } }, chart) {
  return { ...NOTHING, label: line.label, show: !chart.hidden.has(line.key), facets: facets(scaleOf(line)) };
}

/** uPlot's data of the layers: `[xs, ys, starts, isSorted]` each. */
export const dataOf = (layers) => [null, ...layers.map(columnsOf)];

const columnsOf = ({ entry: { drawn }, isRaw }) =>
  [drawn.xs, isRaw ? drawn.raw : drawn.ys, drawn.starts, drawn.isSorted];

/**
 * @param {object} chart  `{axis, isLog, isEmpty, hasSecond, isCrowded, layers, theme, hidden, xDomain, yDomain, y2Domain,
 *   width, height}`, read anew at each drawing
 * @param {object[]} layers  of `layersOf`
 * @param {{draw: Function, before: Function}} hooks
 */
export function plotOptions(chart, layers, hooks) {
  const distr = chart.isLog ? 3 : 1;
  return {
    mode: 2, width: chart.width, height: chart.height, pxAlign: 1,
    padding: [12, chart.hasSecond ? 0 : RIGHT[chart.axis], 0, 0],
    cursor: { show: false }, legend: { show: false, live: false },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales: {
      x: { time: false, auto: false, range: () => chart.xDomain },
      y: { distr, auto: false, range: () => chart.yDomain },
      ...(chart.hasSecond ? { y2: { distr, auto: false, range: () => chart.y2Domain } } : {}),
    },
    axes: [xAxis(chart), yAxis(chart, "y", 3), ...(chart.hasSecond ? [yAxis(chart, "y2", 1)] : [])],
    series: [null, ...(layers.length ? layers.map((layer) => seriesOf(layer, chart)) : [NOTHING])],
    hooks: {
      drawAxes: [hooks.before],
      drawSeries: [(u, i) => drawLine(u, u.data[i], lookOf(chart.layers[i - 1], chart))],
      draw: [hooks.draw],
    },
  };
}
