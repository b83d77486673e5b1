"""The checkpoints of all runs thinned by each project's policy, where it is allowed; else what that would free."""

from __future__ import annotations

from pathlib import Path

from neatd.assist.render import size
from neatd.models import Run
from neatd.pipeline.retaining import apply_plan, plan_run
from neatd.pipeline.upkeep.work import Outcome, Room, Steps, Watched, Work
from neatd.policy import RetentionPlan
from neatd.store import projects, runs
from neatd.store.short import new_id


def thin_checkpoints(work: Work) -> Steps:
    """A run a step. What would take more than half of a run is left for a person to agree to."""
    before = freed = could = most = moved = 0
    stays: list[str] = []
    for watched in work.watched:
        is_allowed = "retention" in projects.consents(work.records, watched.root)
        batch = new_id("deletion")
        for run in _runs(work, watched):
            yield f"{watched.name}: {run.name}"
            planned = plan_run(work.records, work.points, run, watched.config)
            before += planned.bytes_before
            if not planned.delete or not is_allowed:
                could += planned.bytes_freed
            elif planned.is_most:
                most += 1
                could += planned.bytes_freed
            else:
                went, left = _apply(work, run, planned, batch)
                freed, moved, stays = freed + went, moved + len(planned.delete) - len(left), stays + left
    details = Room(before, freed).details | {"moved": moved, "could_free_bytes": could, "stays": stays[:20]}
    return Outcome(_said(moved, freed, could, most), details)


def _runs(work: Work, watched: Watched) -> list[Run]:
    """Those that have checkpoints: of thousands of runs few do."""
    having = {row[0] for row in work.records.execute("SELECT DISTINCT run_id FROM checkpoint WHERE status = 'present'")}
    root = str(watched.root)
    return [
        one
        for one in runs.all_runs(work.records, watched.project_id)
        if one.id in having and one.root == root and (Path(root) / one.folder).is_dir()
    ]


def _apply(work: Work, run: Run, planned: RetentionPlan, batch: str) -> tuple[int, list[str]]:
    """(bytes that went, what was refused and why)."""
    outcomes = apply_plan(work.records, run, planned, batch)
    freed = sum(one.size_bytes for one in outcomes if one.status == "moved")
    return freed, [f"{one.from_path}: {one.note}" for one in outcomes if one.status != "moved"]


def _said(moved: int, freed: int, could: int, most: int) -> str:
    said = [f"{moved} checkpoints are in the trash, {size(freed)}"] if moved else ["nothing was moved"]
    if most:
        said.append(f"{most} run(s) would lose more than half: `neat retention apply --yes` does that")
    if could:
        said.append(
            f"{size(could)} could be freed; `neat allow retention` lets neat do it, `neat retention plan` shows it"
        )
    return "; ".join(said)
