/**
 * The marks of a lane of the rail put together where they are too near to be told apart: where they stand, what they are
 * called. Pure.
 */
import { gravest } from "./marks.js";

const NEAR = 24; // CSS pixels between marks of a lane: a button's width
const SHAPE = 17; // CSS pixels that shape and "×" of several marks take together, and each digit of their number
const DIGIT = 7;
const LATE = 1 / 50; // of an axis of time: so long after its end a mark still stands at its edge

/** Marks nearer than `near` put together: `{x, marks}`, in the order of the axis. */
export function bundled(placed, [min, max], width, near = NEAR) {
  const bundles = [];
  const toPx = (x) => ((x - min) / (max - min)) * width;
  for (const { mark, x } of [...placed].sort((a, b) => a.x - b.x)) {
    const last = bundles[bundles.length - 1];
    if (last && toPx(x) - toPx(last.x) < near) last.marks.push(mark);
    else bundles.push({ x, marks: [mark] });
  }
  return bundles;
}

/** The same, so far from each other that no number of marks covers the next one. */
export function spaced(placed, domain, width) {
  let near = NEAR;
  for (;;) {
    const bundles = bundled(placed, domain, width, near);
    const most = Math.max(...bundles.map(({ marks }) => marks.length));
    const needed = most > 1 ? SHAPE + DIGIT * (1 + String(most).length) : NEAR;
    if (needed <= near) return bundles;
    near = needed;
  }
}

/**
 * Those that the axis shows. What is a step beyond it stands at its edge: trainers that count from 0 name the last
 * checkpoint by the number of steps done. On an axis of time the last save comes a little after the last point.
 */
export function within(placed, [min, max], axis, isZoomed) {
  const room = isZoomed ? 0 : axis === "step" ? 1 : (max - min) * LATE;
  return placed.filter(({ x }) => x >= min - room && x <= max + room).map(({ mark, x }) => ({ mark, x: Math.min(max, Math.max(min, x)) }));
}

/** The words of a bundle. */
export function wordsOf(kind, marks) {
  const severity = gravest(marks);
  if (marks.length === 1) return `${[severity, kind].filter(Boolean).join(" ")}: ${marks[0].label}`;
  const said = severity ? ` (${marks.filter((one) => one.severity === severity).length} ${severity})` : "";
  return `${marks.length} ${kind}s${said}: ${marks[0].label} to ${marks[marks.length - 1].label}`;
}
