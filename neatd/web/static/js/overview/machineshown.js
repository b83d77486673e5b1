// The machine: memory and the risk that it runs out, GPUs, disks, services, what maintenance comes next, the last backup.

import { h, replace } from "../base/dom.js";
import { ago, bytes, number, percent, span, when } from "../base/format.js";
import { empty, withCode } from "../base/state.js";

const RISK = { LOW: ["✓", "good", "low"], MEDIUM: ["△", "warn", "medium"], HIGH: ["▲", "bad", "high"] };
const [WARN, BAD] = [0.7, 0.85]; // shares of memory; of a disk they stand nearer to its end
const [WARN_DISK, BAD_DISK] = [0.85, 0.95];
const OLD_H = 48; // a backup comes every night

/** A named bar with what it says beside it. */
function meter(name, share, text, [warn, bad]) {
  const kind = share >= bad ? "bad" : share >= warn ? "warn" : "";
  const sign = share >= bad ? "▲ " : share >= warn ? "△ " : "";
  return h(
    "div", { class: "meter" },
    h("div", { class: "row spread" }, h("span", {}, name), h("span", { class: `fixed ${kind || "dim"}` }, sign, text)),
    share === null ? null : h("div", { class: `bar ${kind}`, "aria-hidden": "true" },
      h("span", { style: { width: percent(Math.max(0, Math.min(1, share)), 1).replace(" ", "") } })),
  );
}

/** Whether the reason of a risk is told: of a low one it repeats the bars, with numbers of a moment before. */
const isTold = (stats) => Boolean(stats.reason) && stats.oom_risk !== "LOW";

/** Memory as `/api/memory_stats` has it. */
export function showMemory(node, stats) {
  const { system, training } = stats;
  const [sign, kind, word] = RISK[stats.oom_risk] ?? ["?", "dim", "not known"];
  replace(
    node,
    system.total_bytes === null ? h("p", { class: "dim" }, "This system does not tell its memory.")
      : meter("RAM", system.percent / 100, `${bytes(system.used_bytes)} of ${bytes(system.total_bytes)} · ${number(system.percent, 3)} %`, [WARN, BAD]),
    system.limits.map((one) => meter(one.name, one.percent / 100,
      `${bytes(one.available_bytes)} of ${bytes(one.limit_bytes)} left`, [WARN, BAD])),
    system.swap_total_bytes ? meter("Swap", system.swap_percent / 100,
      `${bytes(system.swap_used_bytes)} of ${bytes(system.swap_total_bytes)}`, [0.5, BAD]) : h("p", { class: "dim" }, "No swap."),
    h("p", {}, "Risk of running out: ", h("strong", { class: kind }, h("span", { "aria-hidden": "true" }, sign), ` ${word}`)),
    isTold(stats) && h("p", { class: "small dim" }, stats.source === "neatd" ? "as neatd saw it within the last minute or so: " : "", stats.reason,
      stats.seconds_to_limit ? `; at this pace full in ${span(stats.seconds_to_limit)}` : ""),
    h("p", { class: "small dim" }, training.processes
      ? `training: ${bytes(training.rss_bytes)} in ${training.processes} process${training.processes === 1 ? "" : "es"}`
      : "no process of a run is known"),
  );
}

/** GPUs: what the queue knows of them, with what was sampled of them last. */
export function showGpus(node, devices, sampled) {
  const last = new Map(sampled.map((one) => [one.number, one]));
  const gpus = devices.filter((one) => one.kind !== "cpu");
  const numbers = [...new Set([...gpus.map((one) => one.number), ...last.keys()])].sort((a, b) => a - b);
  const cpu = devices.find((one) => one.kind === "cpu");
  replace(
    node,
    numbers.map((one) => gpu(one, gpus.find((two) => two.number === one), last.get(one))),
    numbers.length ? null : h("p", { class: "dim" }, devices.length ? "No GPU answers on this machine." : "No GPU was sampled yet."),
    cpu && cpu.slots !== undefined ? h("p", { class: "small dim" }, `${cpu.slots_taken} of ${cpu.slots} processor slots of the queue taken`) : null,
  );
}

function gpu(at, device, now) {
  const total = now?.memory_total_bytes ?? device?.total_bytes ?? null;
  const used = now?.memory_used_bytes ?? (total && device?.free_bytes !== null ? total - device.free_bytes : null);
  const details = [
    now?.utilization_percent === undefined ? "" : `${number(now.utilization_percent, 3)} % busy`,
    now?.power_w === undefined ? "" : `${number(now.power_w, 3)} W`,
    now?.temperature_c === undefined ? "" : `${number(now.temperature_c, 3)} °C`,
    device && !device.answers ? "does not answer" : "",
    device?.is_used_by_others ? `other programs hold ${bytes(device.foreign_bytes)}` : "",
    ...(device?.jobs ?? []).map((job) => `held by ${job.name}`),
  ].filter(Boolean);
  return h(
    "div", { class: "meter" },
    meter(`GPU ${at}${device?.name ? ` · ${device.name}` : ""}`, total && used !== null ? used / total : null,
      total && used !== null ? `${bytes(used)} of ${bytes(total)}` : "memory not known", [0.9, 0.97]),
    details.length ? h("p", { class: "small dim fixed" }, details.join(" · ")) : null,
  );
}

/** The disk of each project's folders. */
export function showDisks(node, disks, projects) {
  const names = new Map(projects.flatMap((one) => one.roots.map((root) => [root, one.name])));
  replace(node, disks.length ? disks.map((one) => h("div", { title: one.root },
    meter(names.get(one.root) ?? one.root, one.used_percent === null ? null : one.used_percent / 100,
      `${bytes(one.free_bytes)} free of ${bytes(one.total_bytes)}`, [WARN_DISK, BAD_DISK]),
    h("p", { class: "small dim path" }, one.root))) : empty("No folder of a project is there."));
}

/** Services as they were put down. */
export function showServices(node, services) {
  replace(node, services.length ? h("ul", { class: "list" }, services.map((one) =>
    h("li", {}, h("div", { class: "row" }, h("span", {}, one.title), h("span", { class: "dim" }, one.status)),
      one.url && h("code", { class: "small" }, one.url), one.about && h("p", { class: "small dim" }, one.about))))
    : h("p", { class: "small dim" }, withCode("None put down. `neat service NAME --url URL` keeps one.")));
}

/** What maintenance comes next, and the last backup. */
export function showSchedule(node, jobs, backupAge) {
  const isOld = backupAge === null || backupAge > OLD_H;
  replace(
    node,
    h("p", { class: isOld ? "warn" : "" }, isOld ? "△ " : "✓ ",
      backupAge === null ? "no backup of the records yet" : `records backed up ${backupAge < 1 / 60 ? "just now" : `${span(3600 * backupAge)} ago`}`),
    jobs.length ? h("ul", { class: "list" }, jobs.map((one) =>
      h("li", {}, h("div", { class: "row spread" }, h("span", {}, one.job),
        h("span", { class: "dim fixed", title: when(one.next) }, one.is_due ? "due now" : when(one.next))),
        h("p", { class: "small dim" }, one.times, one.last ? `; last ${one.last.status} ${ago(one.last.ended_at ?? one.last.started_at)}` : ""))))
      : h("p", { class: "small dim" }, "Nothing is scheduled."),
  );
}

/** A panel with a heading; `more` is a link to where all of it is. */
export function panel(title, node, more = null) {
  return h("section", { class: "panel", "aria-label": title }, h("header", {}, h("h2", {}, title), more), node);
}

