// The charts that a user pinned and unpinned, of each project, kept in this browser.

const keyOf = (project) => `neat-pins-${project}`;
const lists = (value) => (Array.isArray(value) ? value.filter((one) => typeof one === "string").slice(0, 500) : []);

/** @returns {import("./groups.js").Pins} */
export function pinsOf(project) {
  try {
    const kept = JSON.parse(localStorage.getItem(keyOf(project)) ?? "{}");
    return { added: lists(kept?.added), removed: lists(kept?.removed) };
  } catch {
    return { added: [], removed: [] };
  }
}

/** Pin a chart, or take its pin away. */
export function turnPin(project, id, isPinned) {
  const { added, removed } = pinsOf(project);
  const without = (list) => list.filter((one) => one !== id);
  const isHeadline = id.startsWith("pinned ");
  const pins = isPinned
    ? { added: isHeadline ? without(added) : [...without(added), id], removed: without(removed) }
    : { added: without(added), removed: isHeadline ? [...without(removed), id] : without(removed) };
  localStorage.setItem(keyOf(project), JSON.stringify(pins));
}

/** Forget all of a project. */
export const forgetPins = (project) => localStorage.removeItem(keyOf(project));
