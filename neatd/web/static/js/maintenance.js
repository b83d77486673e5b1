// The view of upkeep: what retention would take and what lies in the trash, the schedule, consents, backups, the doctor.

import { coalesced } from "./base/again.js";
import { whyNotLine } from "./base/doing.js";
import { h, replace } from "./base/dom.js";
import { frame, project, state } from "./base/frame.js";
import { backupPanel, consentPanel, doctorPanel } from "./maintenance/keptpanels.js";
import { live } from "./base/live.js";
import { planPanel } from "./maintenance/planpanel.js";
import { schedulePanel } from "./maintenance/schedulepanel.js";
import { trashPanel } from "./maintenance/trashpanel.js";

const GAP_MS = 1000; // between two readings, however often something changes
const PLAN_GAP_MS = 3000; // a plan looks at the files of all checkpoints

frame(async (node) => {
  const changed = () => {
    plans();
    jobs();
  };
  const [plan, trash, schedule] = [planPanel(changed), trashPanel(changed), schedulePanel(changed)];
  const [consents, backups, doctor] = [consentPanel(), backupPanel(), doctorPanel()];
  const plans = coalesced(() => Promise.all([plan.read(), trash.read()]), PLAN_GAP_MS);
  const jobs = coalesced(() => Promise.all([schedule.read(), backups.read(), consents.read(), trash.read()]), GAP_MS);
  replace(node, whyNotLine(), h("div", { class: "upkeep" },
    h("div", {}, plan.node, schedule.node), h("div", {}, trash.node, consents.node, backups.node, doctor.node)));
  await Promise.all([plans(), jobs()]);
  doctor.read();
  live({
    ask: () => ({ topics: ["maintenance", "checkpoints"], project: project() }), state,
    on: {
      changed: ({ topics }) => (topics.includes("checkpoints") ? changed() : jobs()),
      behind: changed, hello: changed,
    },
  });
}, { hasProject: true });
