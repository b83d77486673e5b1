// The marks of a run for the rail and its charts, of what `/api/runs/…/rail` answers. Pure.

const ON_CHARTS = new Set(["event", "restart", "commit"]); // the others would cover the lines

/** @returns {import("../chart/marks.js").Mark[]} */
export function marksOf(told, run) {
  return told.map((mark) => ({
    ...mark, run, label: mark.text, step: mark.step ?? mark.near_step, time: mark.time ?? mark.near_time,
  }));
}

/** Those that charts show too. An event that is no warning stays on the rail. */
export const onCharts = (marks) =>
  marks.filter(({ kind, severity, details }) => ON_CHARTS.has(kind) && severity !== "info" && !details?.is_start);

/** How many of what the rail leaves out, in words; "" for none. */
export function leftOut(counts) {
  const parts = Object.entries(counts).map(([kind, count]) => `${count} ${kind}${count === 1 ? "" : "s"}`);
  return parts.length ? `Not on the rail, for want of room: ${parts.join(", ")}.` : "";
}
