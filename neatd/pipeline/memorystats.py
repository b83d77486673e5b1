"""The machine's memory now, for the page and other programs: how much is used, by which runs, and the risk that it runs out.

A look of this process's own, some milliseconds; the risk is the daemon's where it watches, since only who looks again and
again knows the pace. Writes nothing and asks no driver: of GPUs it tells what was sampled of them last.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neatd.files import read_small
from neatd.lifesign import is_running
from neatd.models import ProcessFact, Run
from neatd.pipeline.memory import look_at_memory, thresholds
from neatd.pipeline.memoryalerts import state_path
from neatd.pipeline.settingsfile import in_force
from neatd.read.cgroups import find_mounts, groups_of
from neatd.read.memory import tree_rss
from neatd.read.proctable import ProcessRow, boot_id, read_table, tree_of
from neatd.rules.headroom import HOST, MemoryLook
from neatd.rules.memory import MemoryWatch
from neatd.store import standing

MOST_RUNS = 50  # whose processes are looked for
FRESH_S = 90.0  # the daemon writes its judgement every 30 s while something runs
_LARGEST = 1 << 16
_GPU = re.compile(r"system/gpu(\d+)/(utilization_percent|memory_used_bytes|memory_total_bytes|power_w|temperature_c)")


def memory_stats(
    home: Path, records: sqlite3.Connection, points: sqlite3.Connection, now: datetime, root: Path = Path("/")
) -> dict[str, Any]:
    """{system, training, gpus, oom_risk, reason, limit, seconds_to_limit, source, at}. Bytes are null where the system does
    not tell; `oom_risk` is LOW, MEDIUM, HIGH, or null where no limit is known."""
    runs = standing.going_on(records, None, MOST_RUNS)
    table = read_table(root / "proc")
    trees = {run.id: _tree(run.process, table, root) for run in runs}
    mounts = find_mounts(root)
    around = [os.getpid(), *(rows[0].pid for rows in trees.values() if rows)]
    groups = dict.fromkeys(group for pid in around for group in groups_of(pid, mounts, root))
    look = look_at_memory(root, list(groups))
    return {
        "system": _system(look), "training": _training(runs, trees, root),
        "gpus": gpus_of(standing.last_values(points, [run.id for run in runs])),
        **risk(home, look, now), "at": now,
    }  # fmt: skip


def risk(home: Path, look: MemoryLook, now: datetime) -> dict[str, Any]:
    """{oom_risk, reason, limit, headroom_bytes, seconds_to_limit, source}: the daemon's judgement while it watches, else one
    of this look, which knows no pace."""
    told, source = daemons_word(home, now), "neatd"
    if told is None:
        limits = thresholds(in_force(home).settings)
        seen = MemoryWatch(limits).feed(look, 0.0).judgement
        told, source = seen.shape() if seen else {}, "look"
    return {
        "oom_risk": told.get("risk"), "reason": str(told.get("reason", "")), "limit": told.get("limit"),
        "headroom_bytes": told.get("headroom_bytes"), "seconds_to_limit": told.get("seconds_to_limit"), "source": source,
    }  # fmt: skip


def daemons_word(home: Path, now: datetime) -> dict[str, Any] | None:
    """What the daemon left of the present risk; None where it does not watch memory, as while nothing runs."""
    if not is_running(home):
        return None
    try:
        data = json.loads(read_small(state_path(home), _LARGEST))
        at, memory = datetime.fromisoformat(data["at"]), data["memory"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    is_fresh = abs((now.astimezone(UTC) - at.astimezone(UTC)).total_seconds()) < FRESH_S
    return memory if is_fresh and isinstance(memory, dict) else None


def gpus_of(last: Mapping[str, Mapping[str, tuple[float | None, int | None]]]) -> list[dict[str, Any]]:
    """The GPUs as they were sampled last of the runs that go on: {number, utilization_percent, memory_used_bytes, …}."""
    found: dict[int, dict[str, Any]] = {}
    for series in last.values():
        for name, (value, _) in series.items():
            told = _GPU.fullmatch(name)
            if told and value is not None:
                found.setdefault(int(told[1]), {"number": int(told[1])})[told[2]] = value
    return [found[number] for number in sorted(found)]


def _system(look: MemoryLook) -> dict[str, Any]:
    host = next((room for room in look.rooms if room.key == HOST), None)
    swap = 100 * look.swap_used_bytes / look.swap_total_bytes if look.swap_total_bytes else 0.0
    return {
        "total_bytes": host.limit_bytes if host else None, "available_bytes": host.available_bytes if host else None,
        "used_bytes": host.used_bytes if host else None, "percent": round(100 * host.used_share, 1) if host else None,
        "swap_total_bytes": look.swap_total_bytes, "swap_used_bytes": look.swap_used_bytes, "swap_percent": round(swap, 1),
        "limits": [
            {"name": room.name, "limit_bytes": room.limit_bytes, "available_bytes": room.available_bytes,
             "percent": round(100 * room.used_share, 1)}
            for room in look.rooms if room.key != HOST
        ],
    }  # fmt: skip


def _training(runs: Sequence[Run], trees: Mapping[str, list[ProcessRow]], root: Path) -> dict[str, Any]:
    shapes = [_run(run, trees[run.id], root) for run in runs if trees[run.id]]
    shapes.sort(key=lambda one: -one["rss_bytes"])
    return {
        "rss_bytes": sum(one["rss_bytes"] for one in shapes), "processes": sum(one["processes"] for one in shapes),
        "runs": shapes,
    }  # fmt: skip


def _run(run: Run, tree: list[ProcessRow], root: Path) -> dict[str, Any]:
    return {
        "id": run.id, "name": run.name, "project": run.project_id, "pid": tree[0].pid,
        "rss_bytes": tree_rss(tree, root / "proc"), "processes": len(tree),
    }  # fmt: skip


def _tree(fact: ProcessFact | None, table: Mapping[int, ProcessRow], root: Path) -> list[ProcessRow]:
    """That very process and those below it; [] where it has gone: its number may be another's since. Of one that was met
    without ticks nothing is claimed."""
    row = table.get(fact.pid) if fact else None
    if fact is None or row is None or fact.start_ticks != row.start_ticks:
        return []
    return tree_of(table, fact.pid) if fact.boot_id in ("", boot_id(root / "proc")) else []


def rss_last(
    last: Mapping[str, Mapping[str, tuple[float | None, int | None]]], run_ids: Iterable[str]
) -> dict[str, float]:
    """Run id -> the memory of its processes as it was sampled last, of the runs of which it was."""
    told = {run_id: last.get(run_id, {}).get("system/rss_bytes", (None, None))[0] for run_id in run_ids}
    return {run_id: value for run_id, value in told.items() if value is not None}
