// Searching as one types, in the language of `neat search`: what is asked for is in the address, an answer to what is no
// longer asked for is given up.

import { newest } from "../base/again.js";
import { get } from "../base/api.js";
import { h, replace, say } from "../base/dom.js";
import { ago, when } from "../base/format.js";
import { given, project, remember } from "../base/frame.js";
import { recordLink } from "./recordwords.js";
import { badge, empty, failed } from "../base/state.js";

const REST_MS = 150; // after a key, before it is asked
const MOST = 50;

/** The search: {form, hits, again(), isAsked()}. `changed()` is called when something else is asked for. */
export function search(changed) {
  const found = h("div");
  const hits = h("section", { class: "hits", "aria-labelledby": "hits" }, h("h2", { id: "hits", class: "hidden" }, "Found"), found);
  const told = h("p", { class: "dim small", role: "status", id: "found" });
  const input = h("input", {
    type: "search", id: "q", value: given("q"), autocomplete: "off", spellcheck: "false", placeholder: "Search…",
    "aria-describedby": "how", maxlength: "400",
  });
  const ask = newest(async (signal) => {
    const words = input.value.trim();
    if (!words) {
      say(told, "");
      replace(found);
      return;
    }
    try {
      const some = await get("search", { q: words, project: project(), limit: MOST }, signal);
      say(told, counted(some.length));
      replace(found, some.length ? h("ul", { class: "list" }, some.map(hit)) : empty("Nothing found.", "Fewer letters find more: each word is the beginning of one"));
    } catch (error) {
      if (error.name === "AbortError") throw error;
      say(told, "");
      replace(found, failed(error));
    }
  });
  const isAsked = () => input.value.trim() !== "";
  let timer = 0;
  const typed = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      remember("q", input.value.trim());
      changed();
      ask();
    }, REST_MS);
  };
  input.addEventListener("input", typed);
  const submit = (event) => event.preventDefault();
  const form = h("form", { class: "search", role: "search", on: { submit } },
    h("label", { for: "q", class: "hidden" }, "Search the records"), input, told,
    h("p", { class: "dim small", id: "how" }, "Words as beginnings, phrases in quotes; ",
      ["kind:bug", "status:open", "tag:data", "branch:main", "since:7d"].map((one) => [h("code", {}, one), " "]), "narrow it."));
  const back = () => {
    input.value = given("q");
    ask();
  };
  return { form, hits, again: ask, isAsked, back };
}

const counted = (count) => (count === 1 ? "1 found" : count >= MOST ? `the best ${count}` : `${count} found`);

function hit(one) {
  const title = one.title || one.id;
  return h("li", {},
    h("div", { class: "row" },
      h("h3", {}, recordLink(one.id, title)),
      h("span", { class: "row small" }, h("span", { class: "dim" }, one.kind), badge(one.status)),
      h("time", { class: "dim small", datetime: one.created_at, title: when(one.created_at) }, ago(one.created_at))),
    one.excerpt && h("p", { class: "body" }, marked(one.excerpt)));
}

/** An excerpt with the words that were found in it. */
function marked(text) {
  return text.split(/(\[[^\][\"]*\])/).map((part) => (part.startsWith("[") && part.endsWith("]") ? h("mark", {}, part.slice(1, -1)) : part));
}
