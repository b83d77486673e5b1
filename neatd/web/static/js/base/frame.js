// What every view has around it: the theme, whether the page is live, the project that is looked at, the login.

import { get, keepToken, takeToken } from "./api.js";
import { $, h, replace, say } from "./dom.js";
import { failed } from "./state.js";
import { themeButton } from "./theme.js";

const KEPT = "neat-project";
const GONE_MS = 3000; // without an answer
const LIVE = { live: ["●", "live"], connecting: ["◌", "connecting…"], paused: ["‖", "paused"] };

const light = h("span", { class: "live dim", role: "status" });

const gone = h("div", { class: "gone", role: "status" });
let going = 0;

/** Show whether the page follows; when it has not for a moment, also that what stands here is old. For `live({state})`. */
export function state(word) {
  const [sign, text] = LIVE[word] ?? LIVE.connecting;
  light.dataset.state = word;
  say(light, `${sign} ${text}`);
  if (word === "connecting") going ||= setTimeout(() => replace(gone, away()), GONE_MS);
  else {
    clearTimeout(going);
    going = 0;
    replace(gone);
  }
}

const away = () => h("p", { class: "notice" }, h("span", { "aria-hidden": "true" }, "⚠ "),
  "neatd does not answer: what stands here is no longer followed, also where it says that something runs. ",
  h("code", {}, "neatd start"), " begins; the page goes on by itself.");

/** The project that is looked at: of the address, else the one chosen last; "" for all. */
export function project() {
  return new URLSearchParams(location.search).get("project") ?? localStorage.getItem(KEPT) ?? "";
}

/** Put a value into the address without a new entry in the history; "" takes it out. */
export function remember(name, value) {
  const words = new URLSearchParams(location.search);
  if (value === "" || value === null || value === undefined) words.delete(name);
  else words.set(name, value);
  const text = words.toString();
  history.replaceState(null, "", text ? `?${text}` : location.pathname);
}

/** A value of the address. */
export const given = (name) => new URLSearchParams(location.search).get(name) ?? "";

/** Draw the frame, then call `view(node)`; what it raises is shown. `hasProject`: a choice of projects at the top. */
export async function frame(view, { hasProject = false } = {}) {
  const tools = $("#tools");
  tools.append(light, themeButton());
  window.addEventListener("neat-login", login, { once: true });
  const node = $("#view");
  $("#main").before(gone);
  try {
    await takeToken();
    if (hasProject) await projectChoice(tools);
    await view(node);
  } catch (error) {
    if (error.status === 401) return;
    console.warn(error);
    replace(node, failed(error, () => location.reload()));
  }
}

async function projectChoice(tools) {
  const known = await get("projects");
  if (!known.some((one) => one.id === project())) localStorage.removeItem(KEPT);
  if (known.length < 2) return;
  const choose = (event) => {
    localStorage.setItem(KEPT, event.target.value);
    remember("project", "");
    location.reload();
  };
  const options = [h("option", { value: "" }, "all projects"), ...known.map((one) => h("option", { value: one.id }, one.name))];
  const select = h("select", { id: "project", "aria-label": "Project", on: { change: choose } }, options);
  select.value = known.some((one) => one.id === project()) ? project() : "";
  tools.prepend(select);
}

function login() {
  const submit = (event) => {
    event.preventDefault();
    keepToken($("#token").value);
    location.reload();
  };
  replace(
    $("#view"),
    h("form", { class: "panel login", on: { submit } },
      h("h2", {}, "Log in"),
      h("p", {}, "This page belongs to somebody on this machine. Its owner gets the token by ", h("code", {}, "neat ui --token"), "."),
      h("label", { for: "token" }, "Token"),
      h("input", { id: "token", type: "password", autocomplete: "off", required: true, autofocus: true }),
      h("button", { type: "submit" }, "Log in")),
  );
}
