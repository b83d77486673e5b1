"""The queue as `neat queue` shows it: what runs, what waits in its order with the reason, when each is likely to begin and end.

Loads the standard library and the store only: ten thousand jobs are shown in a fraction of a second. Changes nothing.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring as _text
from math import ceil
from pathlib import Path
from typing import Any

from neatd.pipeline.waiting import shown_machine, world_of
from neatd.rules.admission import ANY, Decision, Waiting, World, admit
from neatd.rules.durations import UNKNOWN, Coming, Durations, Expected, Going, Like, expected
from neatd.store import queuelist
from neatd.store.queuelist import Listed

_CPU, _GPU = "cpu", "gpu"


def queue_objects(
    records: sqlite3.Connection, home: Path, now: datetime, with_ended: bool = False, most: int = -1, group: str | None = None
) -> list[str]:  # fmt: skip
    """What runs, then what waits in its order, then, if asked for, what has ended, newest first, each as a JSON object; `most`
    of each kind, and only those of a `group`, if given."""
    running, waits = queuelist.listed(records, "running"), queuelist.listed(records, "queued", most)
    world = world_of(records, shown_machine(home))
    afters = {one.id: tuple(queuelist.words(one.after)) for one in waits if one.after != "[]"}
    rows = (
        Waiting(one.id, one.project, one.group, one.gpus, one.memory_bytes, afters.get(one.id, ())) for one in waits
    )
    decisions = list(admit(rows, world))
    ends = _run_ends(records, home, now.timestamp()) if running else {}
    times = _times(records, world, running, waits, decisions, afters, ends, now.timestamp())
    names = {key: _text(name) for key, name in queuelist.names(records).items()}
    places: list[tuple[Listed, Decision | None, int | None]] = [(one, None, None) for one in running]
    places += [(one, decisions[n], n + 1) for n, one in enumerate(waits)]
    if with_ended:
        places += [(one, None, None) for one in queuelist.ended(records, most)]
    return [
        _object(one, names.get(one.project, '""'), decision, times.get(one.id, UNKNOWN), place)
        for one, decision, place in places
        if group is None or one.group == group
    ]


def _object(one: Listed, project: str, decision: Decision | None, times: Expected, place: int | None) -> str:
    """One job, every field in each of them."""
    reason = _text(_reason(one, decision))
    until = _text(decision.until) if decision and decision.until else '""'
    number, begins = ("null", "null") if place is None else (str(place), _time(times.starts_at))
    return (
        f'{one.said[:-1]}, "reason": {reason}, "until": {until}, "place": {number}, "eta_start": {begins},'
        f' "eta": {_time(times.ends_at)}, "project": {project}}}'
    )


def _reason(one: Listed, decision: Decision | None) -> str:
    if decision is None:
        return one.reason
    return "begins with the daemon's next look" if decision.lease is not None else decision.reason


def _time(moment: float | None) -> str:
    return "null" if moment is None else _second(ceil(moment))


@lru_cache(4096)
def _second(moment: int) -> str:
    """To the second: the estimate is not better, and ten thousand of them are asked for."""
    return time.strftime('"%Y-%m-%dT%H:%M:%S+00:00"', time.gmtime(moment))


def _times(
    records: sqlite3.Connection, world: World, running: list[Listed], waits: list[Listed], decisions: list[Decision],
    afters: dict[str, tuple[str, ...]], ends: dict[str, float], now: float,
) -> dict[str, Expected]:  # fmt: skip
    durations = Durations((Like(*like), seconds) for like, seconds in queuelist.took(records))
    going = [
        Going(
            one.id, Like(*one.like), _pool(one, world), _unix(one.started_at, now), max(1, one.gpus), ends.get(one.id)
        )
        for one in running
    ]
    slots = {name: rule.parallel for name, rule in world.groups.items() if rule.parallel is not None}
    gpus = sum(one.kind != "cpu" for one in world.devices)
    pools = {**slots, f"{_CPU}:": world.cpu_slots, f"{_GPU}:": gpus or 1}
    return expected(durations, going, _coming(running, waits, decisions, afters, world), pools, now)


def _run_ends(records: sqlite3.Connection, home: Path, now: float) -> dict[str, float]:
    """Job id -> when its run will be done by its own pace, of the running jobs whose run tells it."""
    found = queuelist.running_runs(records)
    if not found:
        return {}
    from neatd.pipeline.pace import left_of
    from neatd.store.opening import connect

    with closing(connect(home, "points")) as points:
        left = {job_id: left_of(points, run, now) for job_id, run in found.items()}
    return {job_id: now + seconds for job_id, seconds in left.items() if seconds is not None}


def _coming(
    running: list[Listed], waits: list[Listed], decisions: list[Decision], afters: dict[str, tuple[str, ...]], world: World
) -> Iterator[Coming]:  # fmt: skip
    is_open = {one.id for one in (*running, *waits)}
    kinds: dict[tuple[Any, ...], tuple[Like, str, int]] = {}  # most of ten thousand jobs are of a few kinds
    for one, decision in zip(waits, decisions, strict=True):
        key = (one.begin, one.group, one.gpus, one.memory_bytes)
        kind = kinds.get(key)
        if kind is None:
            pool = _pool(one, world)
            kind = kinds[key] = Like(*one.like), pool, max(1, one.gpus) if pool == f"{_GPU}:" else 1
        is_held = decision.is_lost or bool(decision.until) or bool(world.risk)
        if one.id not in afters:
            yield Coming(one.id, kind[0], kind[1], not is_held, (), kind[2])
            continue
        after = tuple(name.removeprefix(ANY) for name in afters[one.id])
        is_known = all(name in is_open or world.ended.get(name) == "finished" for name in after)
        still = tuple(name for name in after if name in is_open)
        yield Coming(one.id, kind[0], kind[1], is_known and not is_held, still, kind[2])


def _pool(one: Listed, world: World) -> str:
    """What a job waits for with others; a group's name, or one of the machine's with a colon behind."""
    rule = world.groups.get(one.group)
    if rule and rule.parallel is not None:
        return one.group
    is_of_gpu = one.gpus or (one.memory_bytes and any(device.kind != "cpu" for device in world.devices))
    return f"{_GPU}:" if is_of_gpu else f"{_CPU}:"


def _unix(text: str | None, now: float) -> float:
    return datetime.fromisoformat(text).timestamp() if text else now
