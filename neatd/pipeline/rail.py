"""What happened around a run, as marks on one rail under all of its charts: saves, evaluations, events, commits, restarts,
records. Reads only.

Bounded: of what there are many the first, the last, the telling ones and an even share of the others stay. A mark has the
step or the time that is known of it; the other one is told as `near_step`, `near_time`, by the run's own lines.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from neatd.assist.render import one_line, size
from neatd.models import Event, Project, Run
from neatd.pipeline.kept import best_of
from neatd.pipeline.railcommits import commits_of
from neatd.pipeline.results import KINDS
from neatd.redact import redact
from neatd.store import checkpoints, events, predicted, spans, tabled, tails
from neatd.store.resolution import at_resolution

MOST = {"checkpoint": 600, "evaluation": 500, "event": 500, "commit": 150, "restart": 100, "note": 150}  # 2,000 in all
MOST_READ = 1500  # newest events of the run that are looked at
LONGEST = 200  # characters of a mark's text
PAIRS = 400  # points by which steps and times are told from each other


class Mark(NamedTuple):
    """One mark. `step` and `time` (unix seconds) are null where they are not known, `near_…` what comes close to them."""

    kind: str
    step: int | None
    time: float | None
    text: str
    id: str | None = None
    severity: str | None = None
    details: dict[str, Any] = {}  # noqa: RUF012 - never written to
    near_step: float | None = None
    near_time: float | None = None


def rail(records: sqlite3.Connection, points: sqlite3.Connection, project: Project, run: Run) -> dict[str, Any]:
    """{marks, left_out}: the marks in the order of their times, or steps where no line tells a time; and by kind how many
    are not among them. Reads git's own log of HEAD; starts git where the project is a part of its repository."""
    best, happened = best_of(records, run.id), events.events(records, run_id=run.id, limit=MOST_READ)
    parts: list[tuple[list[Mark], Callable[[Mark], bool]]] = [
        (_saves(records, run.id, best), lambda one: bool(one.details["best_of"])),
        (_evaluations(points, run.id, happened), lambda one: one.id is not None),
        ([_event(one) for one in reversed(happened) if one.rule not in KINDS], lambda one: one.severity == "critical"),
        (_commits(records, run), lambda one: bool(one.details["is_start"])),
        ([_restart(one) for one in spans.restarts(points, run.id, MOST["restart"] + 1)], lambda one: False),
        (_notes(records, project.id, run.id), lambda one: False),
    ]
    marks: list[Mark] = []
    left_out: dict[str, int] = {}
    for found, is_telling in parts:
        some = thinned(found, MOST[found[0].kind], is_telling) if found else []
        marks += some
        if len(some) < len(found):
            left_out[found[0].kind] = len(found) - len(some)
    pairs = _pairs(points, run.id)
    placed = [_placed(one, pairs) for one in marks]
    return {"marks": [one._asdict() for one in sorted(placed, key=_order)], "left_out": left_out}


def thinned(found: Sequence[Mark], most: int, is_telling: Callable[[Mark], bool]) -> list[Mark]:
    """At most `most` of these, in their order: the first, the last, the telling ones, and an even share of the others."""
    if len(found) <= most:
        return list(found)
    last = len(found) - 1
    telling = [n for n, one in enumerate(found) if n in (0, last) or is_telling(one)]
    others = [n for n in range(len(found)) if n not in set(telling)]
    stays = _evenly(telling, most)
    stays += _evenly(others, most - len(stays))
    return [found[n] for n in sorted(stays)]


def _evenly(some: Sequence[int], most: int) -> list[int]:
    """`most` of these, the ends among them."""
    if len(some) <= most:
        return list(some)
    return [some[round(n * (len(some) - 1) / max(1, most - 1))] for n in range(most)]


# ---- of each kind, in order ----


def _saves(records: sqlite3.Connection, run_id: str, best: dict[str, list[str]]) -> list[Mark]:
    return [
        Mark(
            "checkpoint", one.step, one.completed_at.timestamp(), f"{one.path}, {size(one.size_bytes)}", one.id, None,
            {"status": one.status, "size_bytes": one.size_bytes, "best_of": best.get(one.id, [])},
        )
        for one in sorted(checkpoints.catalogue(records, run_id), key=lambda one: (one.completed_at, one.ordinal))
    ]  # fmt: skip


def _evaluations(points: sqlite3.Connection, run_id: str, happened: Sequence[Event]) -> list[Mark]:
    """Batches of predictions, and what `neat eval` measured."""
    found = [
        Mark(
            "evaluation", step, None, f"{correct} of {examples} correct ({100 * correct / examples:.3g} %)", None, None,
            {"examples": examples, "correct": correct, "accuracy": correct / examples},
        )
        for step, examples, correct in predicted.evaluations(points, run_id)
    ]  # fmt: skip
    told = [one for one in happened if one.rule in KINDS and one.details.get("condition") == one.rule]
    return found + [
        Mark(
            "evaluation", one.step, one.started_at.timestamp(), one.message, one.id, None,
            {"measured": one.rule, "values": one.details.get("values")},
        )
        for one in reversed(told)
    ]  # fmt: skip


def _event(one: Event) -> Mark:
    more = {"rule": one.rule, "metric": one.metric}
    return Mark("event", one.step, one.started_at.timestamp(), one.message, one.id, one.severity, more)


def _commits(records: sqlite3.Connection, run: Run) -> list[Mark]:
    return [
        Mark(
            "commit", None, one.at, f"{one.commit[:10]} {one.subject}".strip(), one.commit, None,
            {"is_start": one.is_start},
        )
        for one in commits_of(records, run)
    ]  # fmt: skip


def _restart(one: spans.Restart) -> Mark:
    text = f"attempt {one.attempt} began at step {one.from_step}"
    return Mark("restart", one.from_step, one.time, text, None, None, {"attempt": one.attempt, "source": one.source})


def _notes(records: sqlite3.Connection, project_id: str, run_id: str) -> list[Mark]:
    """What names the run as its evidence, at the step that it names."""
    found = [
        Mark(
            "note", max(_steps(one.evidence, run_id), default=None), one.created_at.timestamp(),
            f"{kind}: {one.title or one.body}", one.id, None, {"kind": kind},
        )
        for kind, one in tabled.naming(records, project_id, run_id, MOST["note"])
    ]  # fmt: skip
    return sorted(found, key=lambda one: one.time or 0.0)


def _steps(evidence: Sequence[dict[str, Any]], run_id: str) -> Iterator[int]:
    yield from (one["step"] for one in evidence if one.get("run") == run_id and isinstance(one.get("step"), int))


# ---- steps and times ----

_Pair = tuple[float, float]  # step, unix seconds


def _pairs(points: sqlite3.Connection, run_id: str) -> list[_Pair]:
    """(step, time) along the run, both rising, of the densest series that tells times."""
    for name in tails.densest(points, run_id):
        found = [
            (float(step), time) for step, _, time in at_resolution(points, run_id, name, PAIRS) if time is not None
        ]
        if len(found) > 1:
            return _rising(found)
    return []


def _rising(found: Sequence[_Pair]) -> list[_Pair]:
    kept: list[_Pair] = []
    for one in found:
        if not kept or (one[0] > kept[-1][0] and one[1] >= kept[-1][1]):
            kept.append(one)
    return kept


def _placed(mark: Mark, pairs: Sequence[_Pair]) -> Mark:
    """With what comes close to what is not known of it, and its text in one line and without secrets."""
    step, time = mark.step, mark.time
    near_step = (
        float(step) if step is not None else _between(time, [(b, a) for a, b in pairs]) if time is not None else None
    )
    near_time = time if time is not None else _between(float(step), pairs) if step is not None else None
    return mark._replace(text=one_line(redact(mark.text), LONGEST), near_step=near_step, near_time=near_time)


def _between(at: float, pairs: Sequence[_Pair]) -> float | None:
    """The second of a pair at the first, on the line between the two around it; None outside of all of them."""
    if not pairs or not pairs[0][0] <= at <= pairs[-1][0]:
        return None
    place = bisect_left(pairs, (at,))
    (before, low), (after, high) = pairs[max(0, place - 1)], pairs[min(place, len(pairs) - 1)]
    return high if after == before else low + (high - low) * (at - before) / (after - before)


def _order(mark: Mark) -> tuple[bool, float, float]:
    time, step = mark.near_time, mark.near_step
    return time is None, step or 0.0 if time is None else time, step or 0.0
