/**
 * Following one run: its points from the cursor on that its charts have, its status, its events.
 *
 * All its series are followed, and those that are yet to come; of a run with very many only those that are shown. When
 * others come into view the stream is taken up a little earlier, at what was known before they were asked for: points
 * that come twice are left out by where the stream stood before and after them, and none is missing.
 */
import { live } from "../base/live.js";

const MOST_NAMES = 120; // in one address
const MOST_SERIES = 150; // of a run all of whose series are followed
const SOON_MS = 150;

/**
 * @param {{run: string, project: string, names: () => string[], system: () => string[], shown: () => string[], on: object,
 *   state: (word: string) => void}} how
 */
export function followRun({ run, project, names, system, shown, on, state }) {
  let cursor = null;
  let back = null; // where to go on from when series were added
  let stood = null; // where the stream stood before what it tells next; null where that is not known
  let followed = "";
  let stream = null;
  let timer = 0;

  const wanted = () => (names().length + system().length > MOST_SERIES
    ? shown().slice(0, MOST_NAMES) : ["*", ...system().slice(0, MOST_NAMES)]);

  function ask() {
    cursor = back ?? cursor;
    back = null;
    stood = cursor;
    const name = wanted();
    followed = name.join("\n");
    return { topics: ["events", "checkpoints", "records"], project, name, runs: new Map([[run, cursor]]) };
  }

  const told = {
    ...on,
    points(event) {
      if (event.run !== run) return;
      const from = stood;
      cursor = stood = event.cursor;
      on.points({ ...event, from });
    },
    rewritten(event) {
      if (event.run === run) stood = null;
      on.rewritten(event);
    },
    behind(event) {
      stood = null;
      on.behind(event);
    },
  };

  return {
    /** The points that charts have go up to this cursor. */
    begin(from) {
      cursor = from;
      stream ??= live({ ask, on: told, state });
    },
    /** Other series are shown: called before they are asked for. */
    widen() {
      if (!stream || wanted().join("\n") === followed) return;
      back ??= cursor;
      clearTimeout(timer);
      timer = setTimeout(stream.restart, SOON_MS);
    },
  };
}
