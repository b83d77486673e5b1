/**
 * Trials as the parts of a study's page speak of them. Pure.
 *
 * @typedef {{number: number, status: string, kind: "counted"|"pruned"|"failed"|"open", params: object, derived: object,
 *   value: number|null, value_step: number|null, is_diverged: boolean, diverged: string, reason: string, seconds: number|null,
 *   started_at: string|null, ended_at: string|null, run: string, job: string}} Trial
 */

import { asNumber } from "../base/api.js";
import { number } from "../base/format.js";

/** How kinds are drawn: a shape each, so that colour is not the only sign. */
export const KINDS = {
  counted: { title: "finished", symbol: "circle", colour: "--c0" },
  pruned: { title: "pruned", symbol: "x", colour: "--c4" },
  failed: { title: "failed", symbol: "triangle-down", colour: "--c7" },
  open: { title: "not ended", symbol: "circle-open", colour: "--dim" },
};

/** A trial's value; NaN without one, or with one that is not finite. */
export function valueOf(trial) {
  const value = asNumber(trial.value);
  return typeof value === "number" && Number.isFinite(value) ? value : NaN;
}

export const isBetter = (goal, a, b) => (goal === "max" ? a > b : a < b);

/** `[trial number, value]` where the best so far became better, in the order of the trials' numbers. */
export function records(trials, goal) {
  const found = [];
  for (const trial of [...trials].sort((a, b) => a.number - b.number)) {
    if (trial.kind !== "counted" || !Number.isFinite(valueOf(trial))) continue;
    if (!found.length || isBetter(goal, valueOf(trial), found.at(-1)[1])) found.push([trial.number, valueOf(trial)]);
  }
  return found;
}

/** A parameter's value in words. */
export const paramText = (value) =>
  (typeof value === "number" ? number(value) : value === null || value === undefined ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value));

export const paramsText = (params) => Object.entries(params).map(([name, value]) => `${name}=${paramText(value)}`).join("  ");

/** The parameters that trials were tried with, in the order of the study's file; then those that were derived. */
export function namesOf(trials, space = {}) {
  const names = new Set(Object.keys(space));
  for (const { params } of trials) for (const name of Object.keys(params)) names.add(name);
  for (const { derived } of trials) for (const name of Object.keys(derived ?? {})) names.add(name);
  return [...names].filter((name) => trials.some((trial) => paramOf(trial, name) !== undefined));
}

export const paramOf = (trial, name) => trial.params[name] ?? trial.derived?.[name];

/** Those that take more than one value. */
export const variedNames = (trials, space) =>
  namesOf(trials, space).filter((name) => new Set(trials.map((trial) => JSON.stringify(paramOf(trial, name)))).size > 1);

/** Whether a parameter's axis is a logarithm: as its file says, else where numbers above 0 span two decades. */
export function isLog(trials, name, space = {}) {
  const values = trials.map((trial) => paramOf(trial, name)).filter((value) => value !== undefined);
  if (!values.every((value) => typeof value === "number" && value > 0)) return false;
  return space[name]?.log ?? Math.max(...values) / Math.min(...values) >= 100;
}

/** Whether its values are numbers on a line and no choices. */
export const isNumeric = (trials, name, space = {}) =>
  space[name]?.type !== "categorical" && trials.every((trial) => ["number", "undefined"].includes(typeof paramOf(trial, name)));
