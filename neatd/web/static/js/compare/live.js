/**
 * Following the runs of a comparison that go on: their points as they come, their statuses as they change.
 */

import { state } from "../base/frame.js";
import { live } from "../base/live.js";

const OPEN = new Set(["running", "starting", "stalled"]);

/** Whether more points may come of a run. */
export const isOpen = (run) => !run || OPEN.has(run.status);

/**
 * @param {{project: string, runs: () => string[], known: Map<string, object>, points: (run: string, series: object) => void,
 *   rewritten: (run: string) => void, changed: (runs: object[]) => void,
 *   again: () => void}} page
 */
export class Following {
  constructor(page) {
    this.page = page;
    this.cursors = new Map();
    this.followed = "";
  }

  /** Where points that were read end: what is followed begins at the first such place. */
  read(found) {
    for (const [run, { cursor }] of found) if (!this.cursors.has(run)) this.cursors.set(run, cursor);
    this.follow();
  }

  /** Begins, or begins anew when other runs are to be followed. */
  follow() {
    const chosen = new Set(this.page.runs());
    for (const run of this.cursors.keys()) if (!chosen.has(run)) this.cursors.delete(run);
    const runs = this.open().map(([run]) => run).join(" ");
    if (this.stream && runs === this.followed) return;
    this.followed = runs;
    if (this.stream) this.stream.restart();
    else this.begin();
  }

  open() {
    return [...this.cursors].filter(([run]) => isOpen(this.page.known.get(run)));
  }

  begin() {
    this.stream = live({
      ask: () => ({ topics: ["runs"], project: this.page.project, runs: new Map(this.open()) }),
      on: {
        points: ({ run, cursor, series }) => {
          this.cursors.set(run, cursor);
          this.page.points(run, series);
        },
        rewritten: ({ run }) => {
          this.cursors.delete(run);
          this.page.rewritten(run);
        },
        runs: (runs) => {
          this.page.changed(runs);
          this.follow();
        },
        hello: () => this.page.again(),
        behind: () => {
          for (const run of this.followed.split(" ").filter(Boolean)) {
            this.cursors.delete(run);
            this.page.rewritten(run);
          }
        },
      },
      state,
    });
  }
}
