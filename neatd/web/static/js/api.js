// Asking the API: JSON in, JSON out, errors with what to do about them. The token goes in a header and nowhere else.

const KEPT = "neat-page-token";

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
  return document.querySelector('meta[name="neat-token"]')?.content || localStorage.getItem(KEPT) || "";
}

/** Keep a pasted token in this browser. */
export function keepToken(text) {
  localStorage.setItem(KEPT, text.trim());
}

/** Forget it. */
export function forgetToken() {
  localStorage.removeItem(KEPT);
}

/** The headers that each request carries. */
export function headers() {
  const shown = token();
  return shown ? { Authorization: `Bearer ${shown}` } : {};
}

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
export function get(path, params = {}, signal = undefined) {
  return ask(address(`/api/${path}`, params), { signal });
}

/** Ask for a change. Raises ApiError. */
export function post(path, body = {}) {
  return ask(`/api/${path}`, {
    method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" },
  });
}

async function ask(where, how) {
  let answer;
  try {
    answer = await fetch(where, { ...how, headers: { ...headers(), ...how.headers }, cache: "no-store", credentials: "omit" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "neatd does not answer", "`neatd status` says whether it runs; the page goes on when it does");
  }
  if (answer.ok) return answer.json();
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 401) window.dispatchEvent(new CustomEvent("neat-login"));
  throw new ApiError(answer.status, told.error ?? `error ${answer.status}`, told.hint ?? "");
}

/**
 * Ask for a change that neatd carries out, and wait for what became of it. Raises ApiError when it failed.
 * `tell(status)` is called as it goes on.
 */
export async function carriedOut(path, body = {}, tell = () => {}) {
  let request = await post(path, body);
  while (request.status === "pending" || request.status === "running") {
    tell(request.status);
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
