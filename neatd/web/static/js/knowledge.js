// The view of what is known: records by kind, one of them, a search, and the brief. What is looked at is in the address:
// `kind`, `q`, `id`.

import { coalesced } from "./base/again.js";
import { get } from "./base/api.js";
import { briefPanel } from "./knowledge/briefpanel.js";
import { h, replace } from "./base/dom.js";
import { frame, given, project, remember, state } from "./base/frame.js";
import { live } from "./base/live.js";
import { byKind, kindChoice, sections } from "./knowledge/recordlist.js";
import { recordPage } from "./knowledge/recordpage.js";
import { search } from "./knowledge/recordsearch.js";
import { failed, loading } from "./base/state.js";

const TITLE = document.title;
const GAP_MS = 1000; // between two readings of the list, however often it changes

frame(async (node) => {
  const list = h("div", { class: "records" }, loading());
  const choice = h("nav", { "aria-label": "Kinds" });
  const brief = briefPanel();
  const found = search(showPart);
  let groups = byKind([]);

  function draw() {
    replace(choice, kindChoice(groups, given("kind"), choose));
    replace(list, sections(groups, given("kind"), choose));
  }

  function choose(kind) {
    remember("kind", kind);
    draw();
    document.getElementById(`kind-${kind || "all"}`)?.focus();
  }

  const one = h("div", { class: "records" });
  function showPart() {
    const id = given("id");
    one.hidden = !id;
    found.hits.hidden = Boolean(id) || !found.isAsked();
    list.hidden = choice.hidden = Boolean(id) || found.isAsked();
  }

  async function read() {
    try {
      groups = byKind(await get("records", { project: project() }));
      draw();
    } catch (error) {
      replace(list, failed(error, read));
    }
  }

  async function readOne(isMoved = false) {
    const id = given("id");
    showPart();
    if (!id) {
      document.title = TITLE;
      return replace(one);
    }
    if (isMoved) replace(one, loading());
    try {
      const told = await get(`records/${encodeURIComponent(id)}`);
      if (given("id") !== id) return null;
      replace(one, recordPage(told, listAddress()));
      document.title = `${told.title || told.id} · ${TITLE}`;
      if (isMoved) document.getElementById("record-title").focus();
    } catch (error) {
      replace(one, failed(error), h("p", {}, h("a", { href: listAddress(), dataset: { record: "" } }, "← All records")));
    }
    return null;
  }

  function follow(event) {
    const link = event.target.closest("a[data-record]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    history.pushState(null, "", link.getAttribute("href"));
    readOne(true);
  }

  node.addEventListener("click", follow);
  window.addEventListener("popstate", () => {
    found.back();
    draw();
    readOne(true);
  });
  replace(node, h("div", { class: "notebook" },
    h("div", { class: "records" }, h("section", { class: "panel", "aria-label": "Search" }, found.form, choice), found.hits, one, list),
    h("aside", { "aria-label": "Brief" }, brief.node)));
  showPart();
  await Promise.all([read(), readOne(), found.again()]);
  brief.read();
  const again = coalesced(() => Promise.all([read(), readOne(), found.again(), brief.read()]), GAP_MS);
  live({ ask: () => ({ topics: ["records"], project: project() }), on: { changed: again, behind: again, hello: again }, state });
}, { hasProject: true });

/** The address without a record. */
function listAddress() {
  const words = new URLSearchParams(location.search);
  words.delete("id");
  return `/knowledge${words.size ? `?${words}` : ""}`;
}
