// Following the store: server-sent events, read by fetch, because an EventSource can show no token.
//
// A hidden tab follows nothing and asks nothing. After a break (a tab that comes back, a daemon that was restarted) it goes
// on from the cursors of what it has, so that no point is missing and none comes twice.

import { address, headers } from "./api.js";

const FIRST_MS = 200;
const LONGEST_MS = 5000;
const SILENT_MS = 40000; // the server says something each 15 s: one that does not has gone

/**
 * Follow. `ask()` gives the parameters of each new connection: {topics: [..], project, name: [..], runs: Map(run -> cursor)}.
 * `on` has a function for each event that matters (hello, points, rewritten, runs, happened, changed, behind). From `hello`
 * on all that changes is told, but for points nothing of before it: what was read by then is read again, the first time too;
 * `state(word)` is told "live", "connecting" or "paused". Returns {close, restart}.
 */
export function live({ ask, on = {}, state = () => {} }) {
  let controller = null;
  let timer = 0;
  let waitMs = FIRST_MS;
  let isClosed = false;

  function stop() {
    clearTimeout(timer);
    controller?.abort();
    controller = null;
  }

  function restart() {
    stop();
    if (isClosed) return;
    if (document.hidden) {
      state("paused");
      return;
    }
    controller = new AbortController();
    follow(controller);
  }

  async function follow(mine) {
    state("connecting");
    let silence = 0;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => mine.abort(), SILENT_MS);
    };
    try {
      heard();
      const { topics = [], project, name = [], runs = new Map() } = ask();
      const followed = [...runs].map(([run, cursor]) => `${run}~${cursor}`);
      const where = address("/api/stream", { topics: topics.join(","), project, name, run: followed });
      const answer = await fetch(where, { headers: headers(), signal: mine.signal, cache: "no-store", credentials: "omit" });
      if (!answer.ok) throw new Error(`${answer.status}`);
      waitMs = FIRST_MS;
      state("live");
      for await (const event of events(answer.body, heard)) if (controller === mine) on[event.name]?.(event.data);
    } catch {
      // Told by the state; whoever asks the API sees why.
    } finally {
      clearTimeout(silence);
    }
    if (controller !== mine || isClosed) return;
    mine.abort();
    state("connecting");
    timer = setTimeout(restart, waitMs);
    waitMs = Math.min(LONGEST_MS, 2 * waitMs);
  }

  document.addEventListener("visibilitychange", restart);
  restart();
  return {
    restart,
    close() {
      isClosed = true;
      stop();
      document.removeEventListener("visibilitychange", restart);
    },
  };
}

/** The events of a stream as they come: {name, data}. Comments are heard and not told. */
export async function* events(body, heard = () => {}) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      heard();
      rest += value;
      const blocks = rest.split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const event = parsed(block);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parsed(block) {
  let name = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    else if (line.startsWith("data: ")) data.push(line.slice(6));
  }
  return data.length ? { name, data: JSON.parse(data.join("\n")) } : null;
}
