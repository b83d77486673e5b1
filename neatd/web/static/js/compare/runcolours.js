/**
 * A colour and a dash for each run, the same for as long as this browser remembers: adding a run to a comparison or taking
 * one away changes no other line. Ten colours by six dashes, so that fifty lines differ.
 */

const KEPT = "neat-run-colours";
const COLOURS = 10;
const DASHES = 6;
const SLOTS = 60;
const MOST_KEPT = 500;

/**
 * Pure: a slot for each of `runs`. A run keeps the slot of `kept` unless one before it has it; others get the first free one.
 * @param {string[]} runs
 * @param {Map<string, number>} kept
 * @returns {Map<string, number>}
 */
export function slotsOf(runs, kept) {
  const slots = new Map();
  const taken = new Set();
  for (const run of runs) {
    const slot = kept.get(run);
    if (slot === undefined || taken.has(slot)) continue;
    slots.set(run, slot);
    taken.add(slot);
  }
  for (const run of runs) {
    if (slots.has(run)) continue;
    let slot = 0;
    while (taken.has(slot)) slot += 1;
    slots.set(run, slot % SLOTS);
    taken.add(slot);
  }
  return slots;
}

/** Pure: how a slot is drawn. Neighbours differ in their dashes too: who sees no colours can tell them. */
export const lookOf = (slot) => ({ colour: slot % COLOURS, dash: (slot + Math.floor(slot / COLOURS)) % DASHES });

function remembered() {
  try {
    return new Map(Object.entries(JSON.parse(localStorage.getItem(KEPT) ?? "{}")));
  } catch {
    return new Map();
  }
}

/** Run -> {colour, dash}; remembered. */
export function looks(runs) {
  const kept = remembered();
  const slots = slotsOf(runs, kept);
  for (const run of runs) kept.delete(run);
  const all = [...kept, ...slots].slice(-MOST_KEPT);
  localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(all)));
  return new Map([...slots].map(([run, slot]) => [run, lookOf(slot)]));
}
