"""The machine's state in Prometheus' text format 0.0.4, for `/metrics`. Reads only.

Bounded: at most 200 runs that go on have samples of their own. A name has one HELP and one TYPE line, above its samples.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from neatd import __version__
from neatd.lifesign import is_running
from neatd.models import Run
from neatd.now import is_system, telling
from neatd.pipeline.memory import look_at_memory
from neatd.pipeline.memorystats import risk, rss_last
from neatd.pipeline.overview import EVERY, disks
from neatd.read.memory import read_host
from neatd.rules.goals import goal_of
from neatd.rules.memory import RISKS
from neatd.store import backup, queued, queuelist, sizes, standing, tabled
from neatd.store.standing import last_values, projects_of

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MOST_RUNS = 200

Labels = Mapping[str, str]
Sample = tuple[Labels, float]


class Family(NamedTuple):
    """One metric with its samples."""

    name: str
    help: str
    samples: Sequence[Sample]
    kind: str = "gauge"


def exposition(
    records: sqlite3.Connection, points: sqlite3.Connection, home: Path, now: datetime, more: Iterable[Family] = ()
) -> str:
    """The whole page. `more` are families that the caller knows, as of its own requests."""
    own = (*_daemon(home, now), *_runs(records, points), *_queue(records), *_events(records))
    families = [*own, *_machine(records, home, now), *more]
    return "".join(line for one in families for line in lines_of(one))


def lines_of(family: Family) -> Iterator[str]:
    """Its HELP, its TYPE, its samples; nothing for one without samples."""
    if not family.samples:
        return
    yield f"# HELP {family.name} {_help(family.help)}\n# TYPE {family.name} {family.kind}\n"
    for labels, value in family.samples:
        told = ",".join(f'{name}="{_label(text)}"' for name, text in labels.items())
        yield f"{family.name}{f'{{{told}}}' if told else ''} {_number(value)}\n"


def _help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _label(text: str) -> str:
    """A label's value: UTF-8 without what would end it, and without what is no text."""
    clean = text.encode("utf-8", "replace").decode().replace("\r", " ")
    return clean.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))


# ---- what there is ----


def _daemon(home: Path, now: datetime) -> Iterator[Family]:
    yield Family("neat_info", "This neat.", [({"version": __version__}, 1)])
    yield Family("neat_daemon_up", "Whether neatd watches: 1 or 0.", [({}, float(is_running(home)))])
    age_h = backup.newest_age_h(home, now)
    yield Family(
        "neat_backup_age_seconds", "Age of the newest backup.", [({}, 3600 * age_h)] if age_h is not None else []
    )


def _runs(records: sqlite3.Connection, points: sqlite3.Connection) -> Iterator[Family]:
    names = {key: name for key, (name, _) in projects_of(records).items()}
    counted: dict[tuple[str, str], int] = {}
    for (project, status), count in standing.counts_by_project(records).items():
        key = names.get(project, project), status
        counted[key] = counted.get(key, 0) + count  # two projects may have one name: a name with labels stands once
    yield Family("neat_runs", "Runs by status.", [
        ({"project": project, "status": status}, count) for (project, status), count in sorted(counted.items())
    ])  # fmt: skip
    found = standing.going_on(records, None, MOST_RUNS)
    labels = {run.id: {"run": run.name, "run_id": run.id, "project": names.get(run.project_id, "")} for run in found}
    last = last_values(points, labels)
    progress = tabled.progress(points, labels)
    yield Family("neat_run_step", "Furthest step of a run that goes on.", [
        (labels[key], step) for key, (step, _) in progress.items() if step is not None
    ])  # fmt: skip
    yield Family("neat_run_planned_steps", "Steps that a run is to make.", [
        (labels[run.id], run.planned_steps) for run in found if run.planned_steps
    ])  # fmt: skip
    yield Family("neat_run_last_line_timestamp_seconds", "When a run's last line was written.", [
        (labels[key], at.timestamp()) for key, (_, at) in progress.items()
    ])  # fmt: skip
    yield Family("neat_run_loss", "Last losses of a run that goes on.", list(_losses(found, labels, last)))
    rss = rss_last(last, labels)
    yield Family("neat_run_rss_bytes", "Memory of a run's processes.", [(labels[key], one) for key, one in rss.items()])


def _losses(
    found: Sequence[Run],
    labels: Mapping[str, Labels],
    last: Mapping[str, Mapping[str, tuple[float | None, int | None]]],
) -> Iterator[Sample]:
    """Of each run the two losses that people look at first; NaN where one is not a number."""
    for run in found:
        series = last.get(run.id, {})
        names = [one for one in series if "loss" in one.lower() and goal_of(one) == "min" and not is_system(one)]
        for name in sorted(names, key=telling)[:2]:
            value = series[name][0]
            yield {**labels[run.id], "series": name}, math.nan if value is None else value


def _queue(records: sqlite3.Connection) -> Iterator[Family]:
    running, waiting, _ = queuelist.count(records)
    yield Family(
        "neat_jobs", "Jobs that run and that wait.", [({"status": "running"}, running), ({"status": "queued"}, waiting)]
    )
    whole = any(is_paused for name, _, is_paused, _ in queued.groups(records) if name == EVERY)
    yield Family("neat_queue_paused", "Whether the whole queue is paused: 1 or 0.", [({}, float(whole))])


def _events(records: sqlite3.Connection) -> Iterator[Family]:
    found = {"info": 0, "warning": 0, "critical": 0} | standing.events_by_severity(records)
    samples: list[Sample] = [({"severity": severity}, count) for severity, count in found.items()]
    yield Family("neat_events_total", "Events by severity.", samples, "counter")


def _machine(records: sqlite3.Connection, home: Path, now: datetime) -> Iterator[Family]:
    host = read_host()
    told = {"total": host.total_bytes, "available": host.available_bytes, "swap_total": host.swap_total_bytes,
            "swap_used": host.swap_used_bytes}  # fmt: skip
    for name, value in told.items():
        yield Family(
            f"neat_memory_{name}_bytes", f"Memory of the machine: {name}.", [({}, value)] if value is not None else []
        )
    level = risk(home, look_at_memory(Path("/"), []), now)["oom_risk"]
    text = "The risk that memory runs out: 0 low, 1 medium, 2 high."
    yield Family("neat_memory_risk", text, [({}, RISKS.index(level))] if level in RISKS else [])
    roots = disks([str(home), *(root for _, roots in projects_of(records).values() for root in roots)])
    yield Family(
        "neat_disk_free_bytes",
        "Free room where a project lies.",
        [({"root": one["root"]}, one["free_bytes"]) for one in roots],
    )
    yield Family(
        "neat_disk_total_bytes",
        "Room where a project lies.",
        [({"root": one["root"]}, one["total_bytes"]) for one in roots],
    )
    yield Family("neat_store_bytes", "Size of a database.", [
        ({"database": name}, sizes.database_bytes(home, name)) for name in ("neat", "points")
    ])  # fmt: skip
