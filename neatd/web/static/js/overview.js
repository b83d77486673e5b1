// The overview: what goes on on this machine. It is read once; from then on the stream says what changed, and only that part
// is read again. A page on which nothing happens asks nothing.

import { get } from "./base/api.js";
import { h, replace, say } from "./base/dom.js";
import { frame, project, state } from "./base/frame.js";
import { goesOn, goingList, nothingRuns } from "./overview/going.js";
import { ASKED, happenings } from "./overview/happenings.js";
import { live } from "./base/live.js";
import { panel, showDisks, showGpus, showMemory, showSchedule, showServices } from "./overview/machineshown.js";
import { recent, tallies } from "./overview/recent.js";
import { showQueue } from "./overview/queueshown.js";
import { withCode } from "./base/state.js";

const SOON_MS = 300; // what comes together is read once
const AGAIN_MS = 1500; // an answer of a moment ago may be given again
const AFTER_HELLO_MS = 700; // what changed between reading and following
const MEMORY_MS = 10000; // between looks at the memory, and only when something was sampled
const TICK_MS = 10000; // of "4 min ago"
const MOST_GOING = 20; // that the overview has
const POINTS = 64; // of a sparkline
const SAMPLED = ["system/rss_bytes", "system/headroom_bytes"];

frame(async (node) => {
  const parts = laidOut(node);
  const cursors = new Map(); // run -> from where on it is followed
  const drawn = new Map(); // run -> the metric of its sparkline
  let shown = null;
  let devices = [];
  let memoryAt = 0;
  let reading = 0;

  async function read() {
    reading += 1;
    try {
      await readNow();
    } finally {
      reading -= 1;
    }
  }

  async function readNow() {
    const [found, events] = await Promise.all([
      get("overview", { project: project() }), get("events", { project: project(), limit: ASKED }),
    ]);
    shown = found;
    const projects = shown.projects.length > 1;
    parts.going.show(shown.running, projects);
    replace(parts.empty, shown.running.length ? [] : nothingRuns(shown.projects, Object.keys(shown.counts).length));
    say(parts.more, shown.more_running > 0 ? `… ${shown.more_running} more go on` : "");
    replace(parts.tallies, tallies(shown.counts));
    replace(parts.recent, recent(shown.recent, projects));
    parts.events.show(events);
    showQueue(parts.queue, shown.queue);
    showDisks(parts.disks, shown.disk, shown.projects);
    showServices(parts.services, shown.services);
    showSchedule(parts.schedule, shown.schedule, shown.backup_age_h);
    showGpus(parts.gpus, devices, shown.gpus);
    notice(shown.watching);
    await followNew();
  }

  /** Sparklines of the runs that are new here or have a first value, and from where on they are followed. */
  async function followNew() {
    const rows = parts.going.rows;
    for (const id of [...drawn.keys()]) if (!rows.has(id)) forget(id);
    const fresh = [...rows.keys()].filter((id) => drawn.get(id) !== rows.get(id).primary());
    if (!fresh.length) return;
    for (const id of fresh) drawn.set(id, rows.get(id).primary()); // also where none is found: it is not asked for again
    const found = await get("series", { run: fresh, name: names(), points: POINTS });
    for (const [id, one] of Object.entries(found.runs)) {
      cursors.set(id, one.cursor);
      rows.get(id)?.reset(one.series[drawn.get(id)]?.points ?? []);
    }
    following?.restart();
  }

  function forget(id) {
    drawn.delete(id);
    cursors.delete(id);
  }

  const names = () => [...parts.going.primaries(), ...SAMPLED, ...shown.gpus.flatMap((one) =>
    ["utilization_percent", "memory_used_bytes"].map((what) => `system/gpu${one.number}/${what}`))];

  async function readMemory() {
    memoryAt = Date.now();
    showMemory(parts.memory, await get("memory_stats"));
  }

  function points({ run, cursor, series }) {
    cursors.set(run, cursor);
    parts.going.points(run, series);
    if (!Object.keys(series).some((name) => name.startsWith("system/"))) return;
    for (const one of shown.gpus) sampled(one, series);
    showGpus(parts.gpus, devices, shown.gpus);
    if (Date.now() - memoryAt > MEMORY_MS) readMemory().catch(() => {});
  }

  /** Fields of runs that changed: shown in place; a run that comes or goes is read with all others. */
  function runs(shapes) {
    if (reading) soon(readAll); // what is under way may be of before this
    for (const shape of shapes) {
      const row = parts.going.rows.get(shape.id);
      if (row) row.show(shape);
      const isNew = !row && goesOn(shape.status) && shown.running.length < MOST_GOING;
      const hasEnded = row && shape.status && !goesOn(shape.status);
      const hasFirst = row && drawn.get(shape.id) !== row.primary();
      if (isNew || hasEnded || hasFirst) soon(readAll);
    }
  }

  function changed({ topics }) {
    if (topics.includes("queue")) soon(readQueue);
    if (topics.includes("maintenance") || topics.includes("records")) soon(readAll);
  }

  const readQueue = async () => showQueue(parts.queue, await get("queue/summary", { project: project() }));
  const readAll = () => read();
  const soon = gathered();

  let notices = "";
  function notice(text) {
    if (text === notices) return;
    notices = text;
    replace(parts.notice, text ? h("p", { class: "notice" }, h("span", { "aria-hidden": "true" }, "⚠ "), withCode(text)) : []);
  }

  let following = null;
  await Promise.all([read(), readMemory()]);
  get("devices").then((found) => { devices = found; showGpus(parts.gpus, devices, shown.gpus); }).catch(() => {});
  const happened = (events) => {
    if (reading) soon(readAll);
    parts.events.add(events);
  };
  const hello = () => soon(readAll, AFTER_HELLO_MS);
  following = live({
    ask: () => ({ topics: ["runs", "events", "queue", "maintenance", "records"], project: project(), name: names(), runs: cursors }),
    on: { hello, points, runs, changed, behind: hello, happened,
      rewritten: ({ run }) => { forget(run); soon(readAll); } },
    state,
  });
  setInterval(() => { if (!document.hidden) parts.events.tick(); }, TICK_MS);
}, { hasProject: true });

function sampled(one, series) {
  for (const what of ["utilization_percent", "memory_used_bytes"]) {
    const last = series[`system/gpu${one.number}/${what}`]?.at(-1);
    if (last) one[what] = last[1];
  }
}

/** `soon(work)` does each work once for all that asked within a moment, and not again at once; one that fails is told by
 * the state. */
function gathered() {
  const waiting = new Map();
  const done = new Map();
  return (work, afterMs = SOON_MS) => {
    if (waiting.has(work)) return;
    const rest = (done.get(work) ?? -AGAIN_MS) + AGAIN_MS - performance.now();
    waiting.set(work, setTimeout(() => {
      waiting.delete(work);
      done.set(work, performance.now());
      work().catch(() => {});
    }, Math.max(afterMs, rest)));
  };
}

function laidOut(node) {
  const parts = {
    going: goingList(), events: happenings(), notice: h("div", { role: "status" }), more: h("p", { class: "dim stack" }),
    ...Object.fromEntries(["empty", "tallies", "recent", "queue", "memory", "gpus", "disks", "services", "schedule"].map((one) => [one, h("div", { class: "stack" })])),
  };
  const link = (href, text) => h("a", { class: "small", href }, text);
  replace(
    node,
    parts.notice,
    h("div", { class: "overview" },
      h("div", { class: "stack-wide" },
        panel("Running now", [parts.tallies, parts.going.node, parts.empty, parts.more], link("/runs", "all runs")),
        h("div", { class: "grid" },
          panel("Last events", parts.events.node),
          panel("Ended last", parts.recent, link("/runs", "all runs")))),
      h("div", { class: "stack-wide side" },
        panel("Memory", parts.memory), panel("GPU", parts.gpus), panel("Queue", parts.queue), panel("Disk", parts.disks),
        panel("Services", parts.services, link("/knowledge", "knowledge")),
        panel("Next maintenance", parts.schedule, link("/maintenance", "maintenance")))),
  );
  return parts;
}
