/**
 * What uPlot is given: axes, scales and series of a chart. uPlot draws; cursor, brush, legend and readout are ours, so
 * its own are off.
 */
import { drawLine } from "./chartpaths.js";
import { colourName, dashOf } from "./charttheme.js";
import { momentLabels, shortStep, spanText, valueText } from "./chartwords.js";
import { linearTicks, logTicks, stepTicks, timeTicks } from "./scales.js";

export const SIDE = 58; // width of a y axis, CSS pixels: the same in all charts, so that they stand under each other
const RIGHT = 14;
const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/** uPlot refuses an increment that it thinks too small to be drawn; our own ticks do not use it. */
const oneIncrement = (u, i, min, max) => [Math.max(5, max - min)];

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
    values: (u, splits) => xLabels[chart.axis](splits),
  };
}

function yAxis(chart, scale, side) {
  return {
    scale, side, size: SIDE, gap: 4, font: FONT, incrs: oneIncrement,
    stroke: () => chart.theme.dim,
    grid: { show: side === 3, width: 1, stroke: () => chart.theme.line },
    ticks: { show: true, width: 1, size: 4, stroke: () => chart.theme.line },
    splits: (u, i, min, max) => (chart.isLog ? logTicks : linearTicks)(min, max, Math.max(2, u.bbox.height / devicePixelRatio / 34)),
    filter: (u, splits) => splits,
    values: (u, splits) => splits.map((split) => valueText(split)),
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
    scale: line.scale === "y2" ? "y2" : "y",
    colour: chart.theme[colourName(line.colour)],
    alpha: isRaw ? 0.3 : line.isFaded ? 0.4 : 1,
    width: chart.isCrowded || isThin ? 1 : 1.6 * devicePixelRatio,
    dash: isRaw ? [] : dashOf(line.dash).map((length) => length * devicePixelRatio),
  };
}

/** uPlot draws no path of its own: `drawLine` does, when its turn comes. */
function seriesOf({ entry: { line } }, chart) {
  const facets = [{ scale: "x", auto: false }, { scale: line.scale === "y2" ? "y2" : "y", auto: false }];
  return { label: line.label, auto: false, show: !chart.hidden.has(line.key), facets, paths: () => null, points: { show: false } };
}

/** uPlot's data of the layers: `[xs, ys, starts, isSorted]` each. */
export const dataOf = (layers) =>
  [null, ...layers.map(({ entry: { drawn }, isRaw }) => [drawn.xs, isRaw ? drawn.raw : drawn.ys, drawn.starts, drawn.isSorted])];

/** uPlot needs a series to have axes. */
const NOTHING = { auto: false, show: false, facets: [{ scale: "x", auto: false }, { scale: "y", auto: false }], paths: () => null, points: { show: false } };

/**
 * @param {object} chart  `{axis, isLog, hasSecond, isCrowded, layers, theme, hidden, xDomain, yDomain, y2Domain, width, height}`, read anew at each drawing
 * @param {object[]} layers  of `layersOf`
 * @param {{draw: Function, before: Function}} hooks
 */
export function plotOptions(chart, layers, hooks) {
  const distr = chart.isLog ? 3 : 1;
  return {
    mode: 2, width: chart.width, height: chart.height, pxAlign: 1,
    padding: [12, chart.hasSecond ? 0 : RIGHT, 0, 0],
    cursor: { show: false }, legend: { show: false, live: false }, select: { show: true, left: 0, top: 0, width: 0, height: 0 },
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
