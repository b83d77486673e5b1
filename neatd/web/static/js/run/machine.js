/**
 * The charts of the machine: memory of the process and the host, graphics processors, the rest. Pure.
 *
 * @typedef {{id: string, title: string, lines: {name: string, label: string, scale?: "y"|"y2", by?: number}[]}} Card
 */

const GB = 1e-9; // of bytes
const MEMORY = [
  ["rss_bytes", "this run"], ["cgroup_used_bytes", "used in the group"], ["cgroup_limit_bytes", "limit of the group"],
  ["host_available_bytes", "available on the host"],
];
const GPU_MEMORY = [["process_memory_bytes", "this run"], ["memory_used_bytes", "used"], ["memory_total_bytes", "of"]];
const GPU = /^system\/gpu(\d+)\/(\w+)$/;

/** @returns {{main: Card[], more: Card[]}} memory first, then processors; each series is in one of them */
export function machineCards(names) {
  const left = new Set(names);
  const take = (name) => left.delete(name);
  const cards = [memoryCard(take), ...gpuCards(names, take), usageCard("cpu_percent", "CPU of this run, % of one core", take)];
  return { main: cards.filter((card) => card && card.lines.length), more: [...left].sort().map(single) };
}

function memoryCard(take) {
  const lines = MEMORY.filter(([word]) => take(`system/${word}`)).map(([word, label]) => ({ name: `system/${word}`, label, by: GB }));
  return { id: "machine memory", title: "Memory, GB", lines };
}

function gpuCards(names, take) {
  const numbers = [...new Set(names.map((name) => GPU.exec(name)?.[1]).filter(Boolean))].sort((a, b) => a - b);
  const of = (number) => (numbers.length > 1 ? `GPU ${number}: ` : "");
  const memory = numbers.flatMap((number) => GPU_MEMORY
    .map(([word, label]) => ({ name: `system/gpu${number}/${word}`, label: `${of(number)}${label}`, by: GB }))
    .filter(({ name }) => take(name)));
  const used = numbers.map((number) => ({ name: `system/gpu${number}/utilization_percent`, label: `GPU ${number}` })).filter(({ name }) => take(name));
  return [{ id: "machine gpu memory", title: "GPU memory, GB", lines: memory }, { id: "machine gpu use", title: "GPU use, %", lines: used }];
}

function usageCard(word, title, take) {
  const name = `system/${word}`;
  return take(name) ? { id: name, title, lines: [{ name, label: word }] } : null;
}

function single(name) {
  const isBytes = name.endsWith("_bytes");
  const title = name.replace("system/", "");
  return { id: name, title: isBytes ? `${title}, GB` : title, lines: [{ name, label: title, by: isBytes ? GB : 1 }] };
}
