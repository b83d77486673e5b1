"""A run that stands still, told while it does: by its status, where the rule `stalled` is on.

Only of a run whose process or job is known to live: a silent run without one may just have ended. The points that come
after the pause tell of it too, by the same rule: they find the event that is there already.
"""

from __future__ import annotations

from collections.abc import Sequence

from neatd.models import Verdict
from neatd.pipeline.scene import LiveProject, LiveRun, Scene
from neatd.rules.conditions import Stalled
from neatd.rules.schema import Rule
from neatd.store import events

SOURCE = "status"  # what the event came from: no source of lines


def tell_stall(scene: Scene, project: LiveProject, live: LiveRun, status: str, reason: str) -> None:
    """Write the event of a stall that begins. Again for the same silence it is the same event."""
    run = live.run
    rule = _rule_of(project)
    if status != "stalled" or run.status == "stalled" or rule is None or not (run.process or run.job_id):
        return
    step, since = live.last_step or 0, live.last_line_at
    verdict = Verdict(
        rule=rule.rule, condition="stalled", metric="", seq=0, attempt=1, step=step, time=since.timestamp(),
        value=float(step), severity=rule.severity, message=f"{run.name} stands still at step {step}: {reason}",
        then=rule.then, snapshots_per_hour=rule.budget.snapshots_per_hour,
    )  # fmt: skip
    if events.write_verdict(scene.records, run, SOURCE, verdict, since):
        project.is_stale = scene.has_orders = True


def not_told_yet(scene: Scene, live: LiveRun, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts without those of a pause that was told while it lasted: it began between two points of the series."""
    told: dict[str, list[int]] = {}
    kept = []
    for one in verdicts:
        if one.condition == "stalled" and one.episode is None and one.window:
            if one.rule not in told:
                told[one.rule] = events.steps_told(scene.records, live.run.id, one.rule)
            if any(one.window[-1][0] <= step < one.step for step in told[one.rule]):
                continue
        kept.append(one)
    return kept


def _rule_of(project: LiveProject) -> Rule | None:
    return next((one for one in project.rules if one.enabled and isinstance(one.when, Stalled)), None)
