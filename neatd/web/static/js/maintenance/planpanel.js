// The retention plan: of each run what would go, what stays and why; applied after a question, and never by itself.

import { get } from "../base/api.js";
import { confirmed } from "../base/confirming.js";
import { done, doButton, refused, sayer } from "../base/doing.js";
import { h, replace } from "../base/dom.js";
import { bytes, percent } from "../base/format.js";
import { project } from "../base/frame.js";
import { projectName } from "../base/ofproject.js";
import { planDetail } from "./plandetail.js";
import { empty, failed, loading } from "../base/state.js";

const opened = new Set(); // runs whose details are open

/** The panel: {node, read()}. `changed()` is called after something was moved. */
export function planPanel(changed) {
  const told = sayer("plan-said");
  const content = h("div", { class: "records" }, loading());
  const head = h("div", { class: "row" });
  const node = h("section", { class: "panel", "aria-labelledby": "plan-title" },
    h("header", {}, h("h2", { id: "plan-title" }, "Retention plan"), head), told.node, content);
  async function read() {
    try {
      draw(await get("retention", { project: project() }));
    } catch (error) {
      replace(content, failed(error, read));
    }
  }
  function draw(plans) {
    const [losing, keeping] = [plans.filter((one) => one.delete.length), plans.filter((one) => !one.delete.length)];
    const apply = (some, run) => applied(some, run, told, changed);
    replace(head, whole(losing, apply));
    replace(content, plans.length ? summary(plans) : nothing(),
      losing.length > 0 && h("ul", { class: "list plan" }, losing.map((one) => item(one, apply))),
      keeping.length > 0 && rest(keeping, losing.length));
  }
  return { node, read };
}

const nothing = () => empty("No checkpoints yet.", "neat finds those that a run writes below its folder; `retention:` in neat.yaml says what stays");

function summary(plans) {
  const sum = (name) => plans.reduce((total, one) => total + one[name], 0);
  const [before, freed] = [sum("bytes_before"), sum("bytes_freed")];
  const goes = plans.reduce((total, one) => total + one.delete.length, 0);
  return h("p", { class: "dim" }, goes
    ? [h("b", {}, `${counted(goes)}, ${bytes(freed)}`), ` of ${bytes(before)} would go into the trash, from where it can come back.`]
    : `Everything stays: ${bytes(before)} in ${counted(plans.reduce((total, one) => total + one.keep.length, 0))}.`);
}

function whole(losing, apply) {
  const projects = new Set(losing.map((one) => one.project_id));
  if (losing.length < 2) return null;
  if (projects.size > 1) return h("span", { class: "dim small" }, "choose a project to apply it to all runs");
  return apply(losing, null);
}

const heading = (plan) => h("h3", {}, h("a", { href: `/runs/${encodeURIComponent(plan.run)}` }, plan.name),
  h("span", { class: "dim small" }, " ", projectName(plan.project_id)));

function item(plan, apply) {
  return h("li", { id: `plan-${plan.run}` },
    h("div", { class: "row between" }, heading(plan), apply([plan], plan)),
    meter(plan),
    h("p", { class: "small" }, `${counted(plan.delete.length)} of ${plan.delete.length + plan.keep.length} would go, `,
      h("b", {}, bytes(plan.bytes_freed)), ` of ${bytes(plan.bytes_before)} (${percent(plan.bytes_freed / plan.bytes_before)})`,
      plan.needs_yes && h("span", { class: "badge warn" }, " ", h("span", { "aria-hidden": "true" }, "△"), " more than half")),
    detail(plan));
}

/** What stays and what goes as a bar; the words below it say the same. */
function meter(plan) {
  const share = plan.bytes_before ? (100 * plan.bytes_freed) / plan.bytes_before : 0;
  return h("div", { class: "stack", "aria-hidden": "true" },
    h("span", { style: { width: `${100 - share}%` } }), h("span", { class: "goes", style: { width: `${share}%` } }));
}

function detail(plan) {
  const body = h("div", {});
  const fill = () => {
    if (!body.firstChild) body.append(planDetail(plan));
  };
  if (opened.has(plan.run)) fill();
  const toggle = (event) => {
    if (event.target.open) fill();
    (event.target.open ? opened.add : opened.delete).call(opened, plan.run);
  };
  return h("details", { open: opened.has(plan.run), on: { toggle } },
    h("summary", { id: `why-${plan.run}` }, plan.delete.length ? "What goes and what stays, and why" : "Why it stays"), body);
}

function rest(plans, losing) {
  const key = "rest";
  const toggle = (event) => event.target === event.currentTarget && (event.target.open ? opened.add(key) : opened.delete(key));
  const total = plans.reduce((sum, one) => sum + one.bytes_before, 0);
  const title = losing ? `${plans.length} more run${plans.length > 1 ? "s" : ""} would lose nothing (${bytes(total)})` : `${plans.length} run${plans.length > 1 ? "s" : ""}`;
  return h("details", { open: opened.has(key), on: { toggle } }, h("summary", { id: "plan-rest" }, title),
    h("ul", { class: "list plan" }, plans.map((one) => h("li", {},
      h("div", { class: "row between" }, heading(one),
        h("span", { class: "dim small" }, `${counted(one.keep.length)}, ${bytes(one.bytes_before)}`)),
      one.note && h("p", { class: "warn small" }, one.note), detail(one)))));
}

export const counted = (count) => (count === 1 ? "1 checkpoint" : `${count} checkpoints`);

// ---- applied ----

/** The button for these plans; `run` is the one they are of, null for all of the project. */
function applied(plans, run, told, changed) {
  const name = run ? run.name : `all ${plans.length} runs`;
  return doButton({
    key: `apply-${run ? run.run : "all"}`, label: run ? "Apply" : `Apply to all ${plans.length} runs`, told,
    does: `move what the plan gives up of ${name} into the trash`, kind: run ? "" : "main",
    run: async () => {
      const fresh = (await get("retention", { project: plans[0].project_id, run: run?.run })).filter((one) => one.delete.length);
      if (!fresh.length) {
        changed();
        return "nothing to do: everything stays by now";
      }
      const yes = fresh.some((one) => one.needs_yes);
      if (!(await confirmed(question(fresh, run, yes)))) return "";
      const result = await done("retention/apply", { project: plans[0].project_id, run: run?.run ?? null, yes }, `thinning ${name}`, told);
      changed();
      return `${counted(result.moved)} in the trash (${bytes(result.freed_bytes)})${refused(result)}`;
    },
  });
}

function question(plans, run, isMost) {
  const count = plans.reduce((total, one) => total + one.delete.length, 0);
  const freed = plans.reduce((total, one) => total + one.bytes_freed, 0);
  const most = plans.filter((one) => one.needs_yes).map((one) => one.name);
  const agrees = run ? "" : " It also says that you agree to this policy: neatd does not ask for it again until the policy changes.";
  return {
    title: `Move ${counted(count)} into the trash?`, action: `Move ${counted(count)}, ${bytes(freed)}`,
    lines: [
      `${bytes(freed)} of ${plans.length === 1 ? plans[0].name : `${plans.length} runs`} become free once the trash is emptied.`,
      "Until then Undo brings them back; what came back stays.",
    ],
    second: isMost ? `Yes, more than half of the bytes of ${most.slice(0, 5).join(", ")}${most.length > 5 ? " …" : ""} at once.${agrees}` : "",
  };
}
