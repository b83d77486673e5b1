// Where a run is shown.

const LEAST = 20; // steps on either side of the one that is looked at
const SHARE = 0.1;

/** The page of a run; around a step, where one is given: its charts' range is in the address. */
export function runAddress(id, at = null) {
  const path = `/runs/${encodeURIComponent(id)}`;
  if (at === null || at === undefined) return path;
  const around = Math.max(LEAST, Math.round(at * SHARE));
  return `${path}?xmin=${Math.max(0, at - around)}&xmax=${at + around}`;
}
