"""Experiments that somebody recorded, as rows beside the runs; and what records say of a run, as its notes.

A recorded experiment is reported, not measured: its number is somebody's word. One that names a watched run is a note of
that run and no row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from neatd.assist.facts import RunFact
from neatd.assist.render import one_line
from neatd.knowledge import Data, Experiment, Hypothesis, Record
from neatd.models import Run
from neatd.pipeline.trained import trained_on
from neatd.redact import redact
from neatd.rules.comparable import Basis, is_same_metric
from neatd.store import records, runs, tabled

MOST_NOTES = 5  # of a run
LONGEST_NOTE = 120
_HOURS = ("hours", "cost_hours", "gpu_hours", "time_h", "duration_h")


class Told(NamedTuple):
    """A recorded experiment with its short id."""

    record: Experiment
    short: str


def reported(store: sqlite3.Connection, project_id: str, listed: list[Run]) -> list[Told]:
    """The recorded experiments that no watched run tells of, newest first."""
    known = _Named(listed)
    found = [
        one
        for one in records.list_records(store, "experiment", project_id)
        if one.status != "superseded" and not (one.run and known.find(one.run))
    ]
    shorts = records.unique_prefixes([one.id for one in found])
    return [Told(one, shorts[one.id]) for one in found]


def as_row(told: Told, metric: str, versions: Mapping[str, list[Data]]) -> tuple[RunFact, Basis]:
    """A recorded experiment by itself, and what its number stands on."""
    record = told.record
    used = trained_on(record.params, {}, versions, at=record.created_at)
    named = record.metric if record.metric and not is_same_metric(record.metric, metric) else metric
    basis = used.basis._replace(metric=named, status=record.status)
    row = RunFact(
        id=record.id, short=told.short, name=one_line(redact(record.title or record.body), 80), status=record.status,
        reason="as it was stated", metric=named, value=record.value, is_reported=True,
        changed=tuple(redact(f"{key}={value}") for key, value in record.params.items()), commit=record.commit,
        started_at=record.created_at, hours=_hours(record), params=used.params, samples=used.basis.samples,
        data=used.text, data_fraction=used.basis.fraction,
        notes=(one_line(redact(record.body), LONGEST_NOTE),) if record.body and record.title else (),
    )  # fmt: skip
    return row, basis


def _hours(record: Experiment) -> float | None:
    for name, value in record.params.items():
        if name.lower().replace(" ", "_") in _HOURS and isinstance(value, int | float | str):
            try:
                return float(value)
            except ValueError:
                return None
    return None


# ---- notes ----


class _Named:
    """Runs by what a record calls them; each name is looked up once."""

    def __init__(self, listed: list[Run]) -> None:
        self._listed = listed
        self._found: dict[str, Run | None] = {}

    def find(self, word: str) -> Run | None:
        if word not in self._found:
            self._found[word] = runs.named(self._listed, word)
        return self._found[word]


def notes_by_run(store: sqlite3.Connection, project_id: str, listed: list[Run]) -> dict[str, tuple[str, ...]]:
    """Run id -> what was predicted of it, stated of it, and noted with it as the evidence."""
    known = _Named(listed)
    found: dict[str, list[str]] = {}
    for one in records.list_records(store, "hypothesis", project_id):
        run = known.find(one.run) if one.run else None
        if run is not None:
            found.setdefault(run.id, []).append(_of_hypothesis(one))
    for one in records.list_records(store, "experiment", project_id):
        run = known.find(one.run) if one.run else None
        if run is not None:
            found.setdefault(run.id, []).append(_said(one))
    for record in tabled.telling(store, project_id):
        for run_id in {str(proof.get("run")) for proof in record.evidence}:
            found.setdefault(run_id, []).append(_said(record))
    return {run_id: tuple(notes[:MOST_NOTES]) for run_id, notes in found.items()}


def _of_hypothesis(one: Hypothesis) -> str:
    return one_line(redact(f"{one.verdict or 'open'}: {one.title}"), LONGEST_NOTE)


def _said(record: Record) -> str:
    return one_line(redact(record.title or record.body), LONGEST_NOTE)
