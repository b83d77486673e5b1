/**
 * A study's trials as Plotly draws them: by number, by a parameter, over time. Pure; SVG scatters only.
 */

import { number, span } from "../base/format.js";
import { KINDS, paramOf, paramText, paramsText, records, valueOf } from "./trial.js";

const hover = (trial) => `trial ${trial.number}: ${KINDS[trial.kind].title}${trial.is_diverged ? ", diverged" : ""}<br>${escaped(paramsText(trial.params)).replaceAll("  ", "<br>")}`;

/** Plotly reads a few tags in texts: what a run says is no tag. */
const escaped = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const marker = (kind, theme, size = 8) => ({ symbol: KINDS[kind].symbol, color: theme[KINDS[kind].colour] ?? theme["--dim"], size, line: { width: kind === "pruned" ? 1.5 : 0.5, color: theme["--panel"] } });

/** One trace for each kind of trial; those without a value stand at the bottom edge, on an axis of their own. */
function byKind(trials, theme, xOf) {
  return Object.keys(KINDS).flatMap((kind) => {
    const some = trials.filter((trial) => trial.kind === kind && xOf(trial) !== undefined);
    const valued = some.filter((trial) => Number.isFinite(valueOf(trial)) && kind !== "failed");
    const bare = some.filter((trial) => !valued.includes(trial));
    const trace = (chosen, y, axis, isShown) => ({
      type: "scatter", mode: "markers", name: KINDS[kind].title, legendgroup: kind, showlegend: isShown, yaxis: axis, x: chosen.map(xOf), y,
      text: chosen.map(hover), customdata: chosen.map((trial) => trial.run), hovertemplate: `%{text}${axis === "y" ? "<br><b>%{y:.5g}</b>" : "<br>no value"}<extra></extra>`,
      marker: marker(kind, theme), cliponaxis: false,
    });
    return [
      valued.length && trace(valued, valued.map(valueOf), "y", true), bare.length && trace(bare, bare.map(() => 0), "y2", !valued.length),
    ].filter(Boolean);
  });
}

const edge = { overlaying: "y", range: [0, 1], visible: false, fixedrange: true };

const counts = (trials) => Object.entries(KINDS).map(([kind, { title }]) => [trials.filter((one) => one.kind === kind).length, title])
  .filter(([count]) => count).map(([count, title]) => `${count} ${title}`).join(", ");

/** The value of each trial, and the best so far. */
export function historyFigure(trials, { metric, goal, log }, theme) {
  const best = records(trials, goal);
  const last = Math.max(0, ...trials.map((trial) => trial.number));
  const steps = best.length && best.at(-1)[0] < last ? [...best, [last, best.at(-1)[1]]] : best;
  const line = {
    type: "scatter", mode: "lines", name: "best so far", x: steps.map(([x]) => x), y: steps.map(([, y]) => y), hoverinfo: "skip",
    line: { shape: "hv", color: theme["--accent"], width: 2 },
  };
  return {
    data: [line, ...byKind(trials, theme, (trial) => trial.number)],
    layout: { xaxis: { title: { text: "trial" }, rangemode: "tozero", tickformat: "d" }, yaxis: { title: { text: escaped(metric) }, type: log ? "log" : "linear" }, yaxis2: edge },
    words: `${metric} by trial: ${counts(trials)}. ${best.length ? `Best so far: ${best.map(([at, value]) => `${number(value)} by trial ${at}`).slice(-4).join(", ")}.` : "None has a value yet."}`,
  };
}

/** The value by one parameter. */
export function sliceFigure(trials, name, { metric, log, isLogX, isNumeric }, theme) {
  const x = (trial) => {
    const value = paramOf(trial, name);
    return value === undefined || isNumeric ? value : escaped(paramText(value));
  };
  return {
    data: byKind(trials, theme, x).map((trace) => ({ ...trace, showlegend: false })),
    layout: {
      height: 230, margin: { l: 50, r: 10, t: 6, b: 36 }, yaxis: { title: { text: escaped(metric) }, type: log ? "log" : "linear" }, yaxis2: edge,
      xaxis: { title: { text: escaped(name) }, type: isNumeric ? (isLogX ? "log" : "linear") : "category", ...(isNumeric ? {} : { categoryorder: "array", categoryarray: choices(trials, name).map(escaped) }) },
    },
    words: `${metric} by ${name}: ${counts(trials)}.`,
  };
}

/** The values of a parameter that are choices, in their order. */
export function choices(trials, name) {
  const values = [...new Map(trials.map((trial) => [JSON.stringify(paramOf(trial, name)), paramOf(trial, name)])).values()].filter((value) => value !== undefined);
  const isNumbers = values.every((value) => typeof value === "number");
  return values.sort((a, b) => (isNumbers ? a - b : paramText(a).localeCompare(paramText(b), undefined, { numeric: true }))).map(paramText);
}

/** A moment as Plotly shows it in this machine's time. */
function local(at) {
  const two = (value) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** When each trial ran: a bar from its start to its end, with the sign of how it ended. */
export function timelineFigure(trials, now, theme) {
  const begun = trials.filter((trial) => trial.started_at);
  const data = Object.keys(KINDS).flatMap((kind) => {
    const some = begun.filter((trial) => trial.kind === kind);
    if (!some.length) return [];
    const ends = some.map((trial) => local(trial.ended_at ? new Date(trial.ended_at) : now));
    const starts = some.map((trial) => local(new Date(trial.started_at)));
    const colour = theme[KINDS[kind].colour] ?? theme["--dim"];
    return [
      { type: "scatter", mode: "lines", hoverinfo: "skip", showlegend: false, legendgroup: kind, line: { color: colour, width: 5 }, opacity: 0.55,
        x: some.flatMap((_, at) => [starts[at], ends[at], null]), y: some.flatMap((trial) => [trial.number, trial.number, null]) },
      { type: "scatter", mode: "markers", name: KINDS[kind].title, legendgroup: kind, x: ends, y: some.map((trial) => trial.number), marker: marker(kind, theme),
        text: some.map((trial) => `${hover(trial)}<br>job ${escaped(trial.job)}${trial.seconds === null ? "" : `<br>${span(trial.seconds)}`}`), customdata: some.map((trial) => trial.run), hovertemplate: "%{text}<extra></extra>" },
    ];
  });
  return {
    data, layout: { xaxis: { type: "date" }, yaxis: { title: { text: "trial" }, autorange: "reversed", tickformat: "d" } },
    words: `When each of ${begun.length} trials ran. ${counts(begun)}.`,
  };
}
