// Numbers, times and sizes as people read them. Values as the API writes them: non-finite ones are words.

/** Four significant digits; large and small ones with an exponent. "–" for nothing. */
export function number(value, digits = 4) {
  if (value === null || value === undefined) return "–";
  const found = Number(value);
  if (!Number.isFinite(found)) return Number.isNaN(found) ? "NaN" : found > 0 ? "∞" : "−∞";
  if (Number.isInteger(found) && Math.abs(found) < 1e9) return minus(found.toLocaleString("en-US").replaceAll(",", "\u202f"));
  const size = Math.abs(found);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return minus(found.toExponential(digits - 1));
  return minus(String(Number(found.toPrecision(digits))));
}

const minus = (text) => text.replace(/^-/, "\u2212");

/** A step, in groups of three digits. */
export const step = (value) => (value === null || value === undefined ? "–" : number(Math.trunc(value)));

/** 1 234 bytes as 1.2 kB. */
export function bytes(value) {
  if (value === null || value === undefined) return "–";
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let rest = Number(value);
  let unit = 0;
  while (Math.abs(rest) >= 1000 && unit < units.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  return `${unit && Math.abs(rest) < 10 ? rest.toFixed(1) : Math.round(rest)} ${units[unit]}`;
}

/** Seconds as "3 s", "4 min", "2 h 5 min", "3 d 4 h". */
export function span(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(Number(seconds))) return "–";
  const s = Math.max(0, Math.round(Number(seconds)));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.round(s / 60)} min`;
  const [hours, minutes] = [Math.floor(s / 3600), Math.round((s % 3600) / 60)];
  if (hours < 48) return minutes ? `${hours} h ${minutes} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A moment, in this machine's time: today's by the hour, others with their day. */
export function when(iso) {
  if (!iso) return "–";
  const at = new Date(iso);
  const today = new Date();
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return at.toDateString() === today.toDateString() ? time : `${day(at)} ${time}`;
}

const day = (at) => `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`;

/** How long ago a moment was: "4 min ago"; "in 3 h" for one that comes. */
export function ago(iso, now = Date.now()) {
  if (!iso) return "–";
  const seconds = (now - new Date(iso).getTime()) / 1000;
  if (Math.abs(seconds) < 3) return "now";
  return seconds > 0 ? `${span(seconds)} ago` : `in ${span(-seconds)}`;
}

/** A share as a percentage. */
export const percent = (share, digits = 0) =>
  share === null || share === undefined ? "–" : `${(100 * share).toFixed(digits)} %`;
