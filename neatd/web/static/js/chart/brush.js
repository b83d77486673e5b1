/**
 * What the pointer and the keyboard ask of a chart: point at, zoom by a brush, reset, move the cursor.
 *
 * Every listener ends with the signal it was given.
 */

const LEAST = 5; // CSS pixels; a shorter brush was a click

/** x of the pointer within the plot, held inside it, CSS pixels. */
function within(u, event) {
  const rect = u.over.getBoundingClientRect();
  return Math.min(Math.max(event.clientX - rect.left, 0), rect.width);
}

function select(u, from, to) {
  const height = u.over.clientHeight;
  u.setSelect({ left: Math.min(from, to), top: 0, width: Math.abs(to - from), height }, false);
}

/**
 * @param {HTMLElement} element  the plot
 * @param {() => object|null} plot  uPlot, or null before there is one
 * @param {{point: (x: number) => void, leave: () => void, zoom: (range: number[]) => void, reset: () => void}} on
 * @param {AbortSignal} signal
 */
export function listenToPointer(element, plot, on, signal) {
  let begun = null;
  const end = () => {
    if (begun !== null && plot()) select(plot(), 0, 0);
    begun = null;
  };
  const handlers = {
    pointerdown(event) {
      if (event.button !== 0 || !plot() || !plot().over.contains(event.target)) return;
      begun = within(plot(), event);
      element.setPointerCapture(event.pointerId);
    },
    pointermove(event) {
      const u = plot();
      if (!u) return;
      const at = within(u, event);
      on.point(u.posToVal(at, "x"));
      if (begun !== null) select(u, begun, at);
    },
    pointerup(event) {
      const u = plot();
      const from = begun;
      end();
      if (from === null || !u) return;
      const at = within(u, event);
      const ends = [Math.min(from, at), Math.max(from, at)];
      if (ends[1] - ends[0] >= LEAST) on.zoom(ends.map((end) => u.posToVal(end, "x")));
    },
    pointercancel: end,
    pointerleave: () => on.leave(),
    dblclick: () => on.reset(),
  };
  for (const [name, handler] of Object.entries(handlers)) element.addEventListener(name, handler, { signal });
}

/**
 * @param {{move: (by: number) => void, end: (way: number) => void, zoom: (by: number) => void, reset: () => void,
 *   leave: () => void}} on
 */
export function listenToKeys(element, on, signal) {
  const keys = {
    ArrowLeft: (event) => on.move(event.shiftKey ? -10 : -1),
    ArrowRight: (event) => on.move(event.shiftKey ? 10 : 1),
    Home: () => on.end(-1),
    End: () => on.end(1),
    "+": () => on.zoom(0.5),
    "=": () => on.zoom(0.5),
    "-": () => on.zoom(2),
    0: () => on.reset(),
    Escape: () => on.leave(),
  };
  const press = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    keys[event.key](event);
    event.preventDefault();
  };
  element.addEventListener("keydown", press, { signal });
}

/**
 * Pure: the range half or twice as wide around `middle`, held inside what there is; null when it is all of it.
 * @returns {[number, number]|null}
 */
export function zoomed([min, max], by, middle, [first, last]) {
  const centre = middle >= min && middle <= max ? middle : (min + max) / 2;
  const from = Math.max(first, centre - (centre - min) * by);
  const to = Math.min(last, centre + (max - centre) * by);
  if (from <= first && to >= last) return null;
  return to > from ? [from, to] : [min, max];
}
