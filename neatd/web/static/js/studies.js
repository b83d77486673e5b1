// Studies: the searches of a project, newest first, with how far each is and the best it found.

import { asNumber, get } from "./base/api.js";
import { h, replace } from "./base/dom.js";
import { number, when } from "./base/format.js";
import { frame, project, state } from "./base/frame.js";
import { live } from "./base/live.js";
import { badge, empty, failed, loading } from "./base/state.js";
import { paramsText } from "./study/trial.js";
import { table } from "./base/table.js";

const where = (study) => `/studies/${encodeURIComponent(study.id)}`;

function columnsOf(studies) {
  const isMany = new Set(studies.map((one) => one.project_id)).size > 1;
  return [
    { key: "name", title: "Study", isHeading: true, sort: (row) => row.name, cell: (row) => h("a", { href: where(row) }, row.name) },
    isMany && { key: "project", title: "Project", sort: (row) => row.project, cell: (row) => row.project },
    { key: "status", title: "Status", sort: (row) => row.status, cell: (row) => badge(row.status) },
    { key: "ended", title: "Trials", align: "right", sort: (row) => row.ended / (row.trials || 1), cell: progress },
    { key: "metric", title: "Goal", sort: (row) => row.metric, cell: (row) => `${row.goal === "max" ? "highest" : "lowest"} ${row.metric}` },
    { key: "best", title: "Best", align: "right", sort: (row) => (row.best ? asNumber(row.best.value) : null), cell: (row) => (row.best ? number(asNumber(row.best.value)) : "–") },
    { key: "with", title: "With", cell: (row) => (row.best ? h("span", { class: "mono wraps" }, paramsText(row.best.params)) : "–") },
    { key: "created", title: "Began", align: "right", sort: (row) => Date.parse(row.created_at), cell: (row) => when(row.created_at) },
  ].filter(Boolean);
}

function progress(row) {
  return h("span", { class: "study-progress" }, `${row.ended} of ${row.trials}`,
    h("progress", { max: Math.max(1, row.trials), value: row.ended, "aria-label": `${row.name}: trials ended` }));
}

frame(async (node) => {
  const show = async () => {
    const studies = await get("studies", { project: project() });
    if (!studies.length) {
      replace(node, empty("There is no study yet.",
        "A study searches over parameters; its trials are jobs. Write its file (space, goal, trials), try it by `neat study create FILE.yaml --check`, and begin it by `neat study create FILE.yaml`."));
      return;
    }
    const shown = table({ columns: columnsOf(studies), rows: studies, caption: "The studies, newest first" });
    replace(node, h("section", { class: "panel" }, shown));
  };
  const again = () => show().catch((error) => replace(node, failed(error, again)));
  replace(node, loading());
  await show();
  live({ ask: () => ({ topics: ["studies"], project: project() }), on: { changed: again, hello: again }, state });
}, { hasProject: true });
