"""When each queued job is likely to begin and to end, from how long jobs like it took. Pure.

Like a job are those of the same trainer or program in the same group, and where there are none, in any group. Expected is
the median of the last ones that ended well. Where nothing like it ever ended well there is no estimate, for it and for
those behind it on the same slots: half a guess is worse than none.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

LAST = 9  # that ended well count: the machine and the code change


class Like(NamedTuple):
    """What makes jobs alike: the trainer or program, and the group."""

    program: str
    group: str


class Expected(NamedTuple):
    """Unix seconds; None where nothing is known."""

    starts_at: float | None
    ends_at: float | None


UNKNOWN = Expected(None, None)


class Going(NamedTuple):
    """A job that runs."""

    id: str
    like: Like
    pool: str
    started_at: float
    takes: int = 1
    ends_at: float | None = None  # as its own run tells it


class Coming(NamedTuple):
    """A queued job, in the queue's order. `may_begin` False: it waits for more than a slot, so its start is not known."""

    id: str
    like: Like
    pool: str
    may_begin: bool = True
    after: tuple[str, ...] = ()  # jobs that have to end first, of those that run or are queued
    takes: int = 1  # slots


class Durations:
    """How long jobs take, learned from those that ended well."""

    def __init__(self, ended: Iterable[tuple[Like, float]]) -> None:
        """`ended` are (what it was, seconds), the newest first."""
        found: dict[Like, list[float]] = {}
        for like, seconds in ended:
            for key in (like, Like(like.program, "")):
                last = found.setdefault(key, [])
                if len(last) < LAST:
                    last.append(seconds)
        self._medians = {key: _median(last) for key, last in found.items()}

    def of(self, like: Like) -> float | None:
        """Seconds that such a job takes; None where none ended well."""
        return self._medians.get(like, self._medians.get(Like(like.program, "")))


def _median(values: list[float]) -> float:
    """As statistics.median, whose module takes longer to load than a queue to show."""
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def expected(
    durations: Durations, running: Sequence[Going], queued: Iterable[Coming], slots: Mapping[str, int], now: float
) -> dict[str, Expected]:
    """Job id -> when it begins and ends. `slots` says how many jobs of a pool run side by side.

    What a running job's own run tells goes before what jobs like it took. One that has run longer than usual is taken to
    end now: nobody knows better.
    """
    found: dict[str, Expected] = {}
    free: dict[str, list[float | None]] = {}
    for one in running:
        usual = durations.of(one.like)
        told = one.ends_at if one.ends_at is not None or usual is None else one.started_at + usual
        ends = None if told is None else max(now, told)
        found[one.id] = Expected(one.started_at, ends)
        free.setdefault(one.pool, []).extend([ends] * one.takes)
    heaps = {pool: _heap(free.get(pool, []), count, now) for pool, count in slots.items()}
    for job in queued:
        earliest = _after(job, found, now) if job.after else now
        heap = heaps.get(job.pool)
        if job.may_begin and earliest is not None and heap:
            found[job.id] = _place(durations.of(job.like), job, heap, earliest)
        else:
            found[job.id] = UNKNOWN
    return found


def _after(job: Coming, found: Mapping[str, Expected], now: float) -> float | None:
    """When all that it comes after have ended; None where that is not known."""
    latest = now
    for one in job.after:
        ends = found[one].ends_at if one in found else None
        if ends is None:
            return None
        latest = max(latest, ends)
    return latest


def _heap(ends: list[float | None], count: int, now: float) -> list[float]:
    """When each slot gets free; one whose job has no known end is none."""
    heap = [one for one in ends if one is not None] + [now] * max(0, count - len(ends))
    heapq.heapify(heap)
    return heap


def _place(usual: float | None, job: Coming, heap: list[float], earliest: float) -> Expected:
    """Give a job the slots that get free first; one of unknown length keeps them for nobody knows how long."""
    if job.takes == 1:
        starts = max(earliest, heap[0])
        if usual is None:
            heapq.heappop(heap)
            return Expected(starts, None)
        heapq.heapreplace(heap, starts + usual)
        return Expected(starts, starts + usual)
    if len(heap) < job.takes:
        return UNKNOWN
    starts = max(earliest, *(heapq.heappop(heap) for _ in range(job.takes)))
    for _ in range(job.takes if usual is not None else 0):
        heapq.heappush(heap, starts + (usual or 0.0))
    return Expected(starts, None if usual is None else starts + usual)
