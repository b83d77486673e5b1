"""What a first look at the machine shows: what runs, what ended, the queue, events, disks, memory, maintenance. Reads only.

Bounded: how many runs there are costs a count; points are touched of the runs that go on and are shown.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from neatd.lifesign import not_watching
from neatd.models import ENDED, Project, Run
from neatd.pipeline.eventlist import named
from neatd.pipeline.lastvalues import Last, values_of
from neatd.pipeline.memorystats import daemons_word, gpus_of, rss_last
from neatd.pipeline.queueshown import queue_objects
from neatd.pipeline.runlist import anomalies_of
from neatd.pipeline.showing import run_shapes, shapes_of
from neatd.pipeline.upkeep.scheduled import load_schedule
from neatd.pipeline.upkeep.shown import planned
from neatd.redact import redact
from neatd.store import backup, events, pauses, queued, queuelist, standing
from neatd.store.standing import Projects, last_values, projects_of

MOST_RUNNING, MOST_ENDED, MOST_EVENTS, MOST_WAITING, MOST_JOBS = 20, 10, 20, 10, 5
MOST_ROOTS = 50
EVERY = "*"  # the group that a pause of the whole queue is of: `rules/admission.py`


def overview(
    records: sqlite3.Connection, points: sqlite3.Connection, home: Path, now: datetime, project_id: str | None = None
) -> dict[str, Any]:
    """Of one project, or of all of them; queue, memory, schedule and backups are the machine's. 30 to 60 ms, and some 8 ms for
    each run that goes on."""
    projects = projects_of(records, project_id)
    counts = standing.counts(records, project_id)
    running = standing.going_on(records, project_id, MOST_RUNNING)
    last = last_values(points, [run.id for run in running])
    latest = standing.newest_events(records, project_id, MOST_EVENTS)
    return {
        "counts": counts, "running": _running(records, points, running, last, projects),
        "more_running": sum(count for status, count in counts.items() if status not in ENDED) - len(running),
        "recent": _ended(records, points, standing.ended_last(records, project_id, MOST_ENDED), projects),
        "queue": queue_overview(records, home, now, project_id),
        "events": named(records, latest, shapes_of(records, latest)),
        "disk": disks(root for _, roots in projects.values() for root in roots),
        "memory": daemons_word(home, now), "gpus": gpus_of(last),
        "schedule": _schedule(records, home, now), "backup_age_h": backup.newest_age_h(home, now),
        "projects": [{"id": key, "name": name, "roots": list(roots)} for key, (name, roots) in projects.items()],
        "watching": not_watching(home),
    }  # fmt: skip


def queue_overview(
    records: sqlite3.Connection, home: Path, now: datetime, project_id: str | None = None, most: int = MOST_WAITING
) -> dict[str, Any]:
    """{running, waiting, counts, paused, groups, stopped}: the first `most` that wait, each with why and its estimates, as
    `neat queue --json` has them. `paused` is null or {why}; `stopped` are pauses that rules asked for."""
    jobs = [json.loads(one) for one in queue_objects(records, home, now, False, most)]
    going, waits, ended = queuelist.count(records)
    counted = queuelist.count_by_group(records)
    groups = {name: (parallel, is_paused, why) for name, parallel, is_paused, why in queued.groups(records)}
    whole = groups.pop(EVERY, (None, False, ""))
    return {
        "running": [one for one in jobs if one["status"] == "running"],
        "waiting": [one for one in jobs if one["status"] == "queued"],
        "counts": {"running": going, "waiting": waits, "ended": ended},
        "paused": {"why": whole[2]} if whole[1] else None,
        "groups": [_group(name, groups.get(name, (None, False, "")), counted.get(name, (0, 0)))
                   for name in sorted({*groups, *counted})],
        "stopped": [{**one._asdict(), "reason": redact(one.reason)} for one in pauses.paused(records, project_id)],
    }  # fmt: skip


def _group(name: str, rule: tuple[int | None, bool, str], counted: tuple[int, int]) -> dict[str, Any]:
    parallel, is_paused, why = rule
    return {
        "name": name, "parallel": parallel, "paused": is_paused, "why": why, "running": counted[0], "waiting": counted[1]
    }  # fmt: skip


def _running(
    records: sqlite3.Connection, points: sqlite3.Connection, found: Sequence[Run], last: Mapping[str, Last],
    projects: Projects,
) -> list[dict[str, Any]]:  # fmt: skip
    """Those that go on, with how far they are, their last values, what memory they hold, and the gravest of their events."""
    rss, grave = rss_last(last, [run.id for run in found]), events.gravest(records, [run.id for run in found])
    return [
        {**shape, "progress": progress(run, shape, last.get(run.id, {})), "values": values_of(last.get(run.id, {})),
         "rss_bytes": rss.get(run.id), "headroom_bytes": last.get(run.id, {}).get("system/headroom_bytes", (None,))[0],
         **anomalies_of(grave, run.id)}
        for run, shape in zip(found, _shapes(points, found, projects), strict=True)
    ]  # fmt: skip


def _ended(
    records: sqlite3.Connection, points: sqlite3.Connection, found: Sequence[Run], projects: Projects
) -> list[dict[str, Any]]:
    """Those that ended last, each with the gravest of its events: one that wrote NaN may well have reached its last step."""
    grave = events.gravest(records, [run.id for run in found])
    return [{**shape, **anomalies_of(grave, shape["id"])} for shape in _shapes(points, found, projects)]


def _shapes(points: sqlite3.Connection, found: Sequence[Run], projects: Projects) -> list[dict[str, Any]]:
    """As `neat runs --json` has them, each with its project's name and `project_id` and `ended_at`; in the order of `found`."""
    shapes = run_shapes(points, Project(id="", name="", root=""), found)
    return [
        {**shape, "project": projects.get(run.project_id, ("",))[0], "project_id": run.project_id, "ended_at": run.ended_at}
        for run, shape in zip(found, shapes, strict=True)
    ]  # fmt: skip


def progress(run: Run, shape: Mapping[str, Any], last: Last) -> float | None:
    """How much of a run is done, from 0 to 1: by its planned steps, else epochs, else by the time that is left."""
    if run.planned_steps and shape["step"] is not None:
        return _share(shape["step"], run.planned_steps)
    epoch = next((value for name, (value, _) in last.items() if name.lower().rpartition("/")[2] == "epoch"), None)
    if shape["planned_epochs"] and epoch is not None:
        return _share(epoch, shape["planned_epochs"])
    if shape["eta_s"] is None or shape["ends_at"] is None:
        return None
    whole_s = (shape["ends_at"] - run.started_at).total_seconds()
    return _share(whole_s - shape["eta_s"], whole_s)


def _share(done: float, whole: float) -> float | None:
    return round(min(1.0, max(0.0, done / whole)), 4) if whole > 0 else None


def disks(roots: Iterable[str]) -> list[dict[str, Any]]:
    """{root, free_bytes, total_bytes, used_percent} of each folder that is there; the first 50."""
    return [one for _, root in zip(range(MOST_ROOTS), dict.fromkeys(roots), strict=False) for one in _disk(root)]


def _disk(root: str) -> Iterator[dict[str, Any]]:
    try:
        found = shutil.disk_usage(root)
    except OSError:
        return
    used = round(100 * (1 - found.free / found.total), 1) if found.total else None
    yield {"root": root, "free_bytes": found.free, "total_bytes": found.total, "used_percent": used}


def _schedule(records: sqlite3.Connection, home: Path, now: datetime) -> list[dict[str, Any]]:
    """The jobs of maintenance that come next."""
    jobs = [one for one in planned(records, load_schedule(home).schedule, now) if one.comes is not None]
    return [one.shape for one in sorted(jobs, key=lambda one: one.comes or now)[:MOST_JOBS]]
