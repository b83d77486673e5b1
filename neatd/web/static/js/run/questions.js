/**
 * Questions for points of a run. What the stream tells while one is under way is added to its answer: an answer is never
 * older than what was drawn before it.
 *
 * @typedef {import("./window.js").Points} Points
 * @typedef {{points: Points, abandoned: Points[], isWhole: boolean, size: number, isOpen: boolean, cursor: string|null}} Held
 *   `size` is how many points were asked for (0: ask again), `isOpen` whether appended points belong to it, `cursor` up to
 *   where they go
 */
import { get } from "../base/api.js";
import { take } from "./cursor.js";

export class Questions {
  /**
   * @param {string} run
   * @param {{begun: (cursor: string) => void, last: (name: string) => number}} how  `begun` is told where the stream goes
   *   on, `last` the last step that is known of a series
   */
  constructor(run, { begun, last }) {
    Object.assign(this, { run, begun, last });
    this.flights = new Set();
    this.begin();
  }

  /** The next answer tells where the stream goes on. */
  begin() {
    this.isBeginning = true;
  }

  /** Points that the stream told, and from where to where. */
  hear(name, points, told) {
    for (const flight of this.flights) if (flight.names.has(name)) flight.late.push([name, points, told]);
  }

  /**
   * @param {string[]} names
   * @param {number} size  about how many points of each
   * @param {[number, number]|null} [steps]  a window; null for all
   * @param {AbortSignal} [signal]
   * @returns {Promise<Map<string, Held>>}
   */
  async ask(names, size, steps = null, signal = undefined) {
    const flight = { names: new Set(names), late: [] };
    this.flights.add(flight);
    try {
      const { runs } = await get("series", { run: this.run, name: names, points: size, from: steps?.[0], to: steps?.[1] }, signal);
      const told = runs[this.run];
      if (!told) throw new Error("The run is not there any more.");
      if (this.isBeginning) this.begun(told.cursor);
      this.isBeginning = false;
      return new Map(names.map((name) => [name, this.heldOf(name, told, { size, steps, late: flight.late })]));
    } finally {
      this.flights.delete(flight);
    }
  }

  heldOf(name, { series, cursor }, { size, steps, late }) {
    const { points = [], abandoned = [], is_whole: isWhole = true } = series[name] ?? {};
    const isOpen = !steps || steps[1] >= this.last(name);
    const held = { points, abandoned, isWhole: !steps && isWhole, size, isOpen, cursor };
    if (isOpen) for (const [of, some, told] of late) if (of === name) take(held, some, told);
    return held;
  }
}
