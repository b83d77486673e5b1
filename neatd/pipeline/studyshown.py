"""A study as the commands and the page show it: how many trials stand where, the best with its architecture, when it ends."""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from neatd.assist.render import one_line
from neatd.models import Study, Trial
from neatd.redact import redact_value
from neatd.store import studies

_ENDED = ("finished", "pruned", "failed", "cancelled")


class Shown(NamedTuple):
    """A study, the last try of each of its points, and what follows from them."""

    study: Study
    trials: tuple[Trial, ...]  # without those that were tried again
    planned: int  # tries that there will be: of the search, and those that a person added
    counts: Counter[str]
    best: Trial | None
    ends_at: datetime | None

    @property
    def ended(self) -> int:
        """How many have come to an end, however."""
        return sum(self.counts[status] for status in _ENDED)

    @property
    def best_text(self) -> str:
        """The best value with what it was reached with."""
        return f"{self.best.value:g} ({values_text(self.best)})" if self.best else "-"


def shown(records: sqlite3.Connection, study: Study, now: datetime | None = None) -> Shown:
    """How a study stands. A point that was lost and tried again counts once, as it ended the last time."""
    every = studies.trials(records, study.id)
    again = {one.retry_of for one in every}
    last = tuple(one for one in every if one.number not in again)
    repeats = len((study.spec.get("repeats") or {}).get("values", (None,)))
    added = sum(_root(every, one).chosen_by == "person" for one in last)
    planned = study.trials * repeats + added
    if study.status == "finished":
        planned = len(last)
    is_low = study.spec["goal"]["goal"] == "min"
    valued = [one for one in last if one.status == "finished" and one.value is not None]
    best = min(valued, key=lambda one: (one.value or 0.0) if is_low else -(one.value or 0.0), default=None)
    counts = Counter(str(one.status) for one in last)
    left = planned - sum(counts[status] for status in _ENDED)
    return Shown(study, last, planned, counts, best, _ends_at(study, last, left, now or datetime.now(UTC)))


def as_object(found: Shown) -> dict[str, Any]:
    """What programs read of a study."""
    study, best = found.study, found.best
    return {
        "id": study.id, "name": study.name, "status": study.status, "reason": study.reason, "trials": found.planned,
        "ended": found.ended, **{status: found.counts[status] for status in (*_ENDED, "running", "queued", "planned")},
        "diverged": [one.number for one in found.trials if one.diverged], "metric": study.spec["goal"]["metric"],
        "goal": study.spec["goal"]["goal"],
        "best": None if best is None else {
            "trial": best.number, "value": best.value, "step": best.value_step, "params": redact_value(best.params),
            "derived": best.derived, "run": best.run_id, "job": best.job_id,
        },
        "ends_at": found.ends_at, "created_at": study.created_at, "ended_at": study.ended_at,
    }  # fmt: skip


def values_text(trial: Trial) -> str:
    """What a trial was tried with, and what was made of it: `dim=768 layers=24 parameters=170,131,456`."""
    values = redact_value({**trial.params, **trial.derived})
    return " ".join(f"{name}={_number(value)}" for name, value in values.items())


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return one_line(str(value), 60)
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 100_000 else f"{value:.6g}"


def _root(trials: list[Trial], trial: Trial) -> Trial:
    """The first try of a trial's point."""
    by_number = {one.number: one for one in trials}
    while trial.retry_of is not None:
        trial = by_number[trial.retry_of]
    return trial


def _ends_at(study: Study, trials: tuple[Trial, ...], left: int, now: datetime) -> datetime | None:
    """When the last trial ends if those to come take as long as those that ended; None where nothing tells."""
    took = [
        (one.ended_at - one.started_at).total_seconds()
        for one in trials
        if one.status in ("finished", "pruned") and one.started_at and one.ended_at
    ]
    if study.status != "running" or not took or left <= 0:
        return None
    return now + timedelta(seconds=sum(took) / len(took) * math.ceil(left / int(study.spec["parallel"])))


def study_shapes(records: sqlite3.Connection, project_id: str, now: datetime | None = None) -> list[dict[str, Any]]:
    """What `neat study list --json` prints: the project's studies, newest first."""
    return [as_object(shown(records, one, now)) for one in studies.studies(records, project_id)]
