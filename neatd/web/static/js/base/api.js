// Asking the API: JSON in, JSON out, errors with what to do about them. The token goes in a header and nowhere else.
//
// Whom the server knows without it shows it for a change only: while the daemon is away, somebody else may answer here.

const KEPT = "neat-page-token";
const GIVEN = 'meta[name="neat-token"]';
const IN_ADDRESS = "#token=";
const MOST_HAD = 30; // answers that are at hand, should they still be the ones
const LARGEST_HAD = 1 << 18; // characters of one that is
const had = new Map(); // address -> {etag, text, total}, the one used last at the end

/** What went wrong, and what to do. */
export class ApiError extends Error {
  constructor(status, message, hint) {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

/** The token: given with the page to its own user, else as somebody pasted it; "" without one. */
export function token() {
  return given() || localStorage.getItem(KEPT) || "";
}

const given = () => document.querySelector(GIVEN)?.content ?? "";

/**
 * Take the token out of the address, where `neat ui` put it for a browser that the server does not know. It is kept when
 * it is the one: any page can send a browser here with a wrong one.
 */
export async function takeToken() {
  if (!location.hash.startsWith(IN_ADDRESS)) return;
  const word = location.hash.slice(IN_ADDRESS.length);
  history.replaceState(null, "", location.pathname + location.search); // whatever it is: it is no longer to be seen
  const text = decoded(word);
  if (given() || !text) return;
  const answer = await fetch("/status.json", { headers: shown(text), cache: "no-store", credentials: "omit" });
  if (answer.ok) keepToken(text);
}

/** A word of an address as text; "" for one that is none. */
function decoded(word) {
  try {
    return decodeURIComponent(word);
  } catch {
    return "";
  }
}

/** Keep a pasted token in this browser. */
export function keepToken(text) {
  localStorage.setItem(KEPT, text.trim());
}

/** Forget it. */
export function forgetToken() {
  localStorage.removeItem(KEPT);
}

/** The headers that each question carries. */
export function headers() {
  return given() ? {} : shown(token());
}

const shown = (text) => (text ? { Authorization: `Bearer ${text}` } : {});

/** An address with parameters; lists repeat their name, nothing is left out. */
export function address(path, params = {}) {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") words.append(name, one);
    }
  }
  const text = words.toString();
  return text ? `${path}?${text}` : path;
}

/** What the API answers; `signal` gives up. Raises ApiError. */
export async function get(path, params = {}, signal = undefined) {
  return JSON.parse((await read(address(`/api/${path}`, params), signal)).text);
}

/** A page of a list: {rows, total}, total of all pages. Raises ApiError. */
export async function listed(path, params = {}, signal = undefined) {
  const { text, total } = await read(address(`/api/${path}`, params), signal);
  return { rows: JSON.parse(text), total };
}

/** An answer as text; one that is still what it was is not sent again. */
async function read(where, signal) {
  const known = had.get(where);
  const answer = await asked(where, { signal, headers: known ? { "If-None-Match": known.etag } : {} });
  if (answer.status === 304) {
    keep(where, known);
    return known;
  }
  const etag = answer.headers.get("ETag");
  const found = { etag, text: await answer.text(), total: Number(answer.headers.get("X-Total-Count")) };
  if (etag && found.text.length <= LARGEST_HAD) keep(where, found);
  return found;
}

function keep(where, answer) {
  had.delete(where);
  had.set(where, answer);
  if (had.size > MOST_HAD) had.delete(had.keys().next().value);
}

/** Ask for a change. Raises ApiError. */
export function post(path, body = {}) {
  return ask(`/api/${path}`, {
    method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" },
  });
}

async function ask(where, how) {
  return (await asked(where, how)).json();
}

async function asked(where, how, isAgain = false) {
  let answer;
  const proof = how.method ? shown(token()) : headers();
  try {
    answer = await fetch(where, { ...how, headers: { ...proof, ...how.headers }, cache: "no-store", credentials: "omit" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "neatd does not answer", "`neatd status` says whether it runs; the page goes on when it does");
  }
  if (answer.ok || answer.status === 304) return answer;
  if (answer.status === 401 && how.method && !isAgain && (await renewed())) return asked(where, how, true);
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 401) window.dispatchEvent(new CustomEvent("neat-login"));
  throw new ApiError(answer.status, told.error ?? `error ${answer.status}`, told.hint ?? "");
}

/** Whether the page was given another token meanwhile: that of its server is made anew now and then. */
async function renewed() {
  const meta = document.querySelector(GIVEN);
  const answer = meta && (await fetch(location.pathname, { cache: "no-store", credentials: "omit" }).catch(() => null));
  const text = answer?.ok ? await answer.text() : "";
  const found = new DOMParser().parseFromString(text, "text/html").querySelector(GIVEN)?.content;
  if (!found || found === meta.content) return false;
  meta.content = found;
  return true;
}

/**
 * Ask for a change that neatd carries out, and wait for what became of it. Raises ApiError when it failed.
 * `tell(status, request)` is called as it goes on; `request.said` is how far a job of maintenance has come.
 */
export async function carriedOut(path, body = {}, tell = () => {}) {
  let request = await post(path, body);
  while (request.status === "pending" || request.status === "running") {
    tell(request.status, request);
    await new Promise((go) => setTimeout(go, 250));
    request = await get(`requests/${request.id}`);
  }
  if (request.status === "failed") throw new ApiError(409, request.result?.error ?? "it failed", request.result?.hint ?? "");
  return request.result;
}

/** A number as the API writes it: non-finite ones are words. null stays null. */
export function asNumber(value) {
  return typeof value === "string" ? Number(value) : value;
}
