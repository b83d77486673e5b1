"""What is known of a configuration before it runs: whether it, or a refuted one near it, was tried, and how it ended.

Reads only. The command may name files anywhere the person who types it can read; they are read as parameters, no more.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from neatd.assist.notes.cells import ended_badly
from neatd.assist.tables import PLANNED
from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.knowledge import Experiment, Hypothesis
from neatd.models import ENDED, Goal, Job, Model, Run, SeriesFact
from neatd.pipeline.experiments import primary_metric
from neatd.pipeline.verdicts import runs_of_study
from neatd.read.parameters import SUFFIXES, read_parameters
from neatd.rules.commandline import Command, Value, flat, parse_command
from neatd.rules.goals import best_value
from neatd.rules.similar import Known, Similarity, compare, defaults_of, difference_text
from neatd.store import events, jobs, points, projects, records, runs

MOST_RUNS = 2000  # the newest are compared: 0.3 s here, with 40 parameters each
MOST_FOUND = 10


class Tried(Model):
    """Something alike that was tried. `differing` is name -> [asked, tried]; `verdict` is of the hypothesis it decided."""

    what: Literal["run", "experiment"]
    id: str
    name: str
    relation: Literal["same", "near"]
    differing: dict[str, tuple[Any, Any]] = Field(default_factory=dict)
    distance: float
    status: str
    metric: str = ""
    value: float | None = None
    verdict: str = ""
    hypothesis: str = ""  # id of the hypothesis that rests on it
    text: str


class DeadEnd(Model):
    """A refuted hypothesis with the runs that refuted it."""

    id: str
    title: str
    predict: str
    reason: str
    runs: tuple[str, ...] = ()  # names; also of the experiment that decided


def check_command(
    store: sqlite3.Connection, series: sqlite3.Connection, project_id: str, config: ProjectConfig, words: Sequence[str],
    cwd: Path, defaults: Mapping[str, Any] | None = None,
) -> list[Tried]:  # fmt: skip
    """What was tried that is like this command: refuted before others, the same before near, the nearest first.

    `defaults` are what its parameters are when nobody names them, if that is known; else it is learned from the runs.
    """
    command = parse_command(words)
    asked = {**_from_files(command, cwd), **command.params}
    listed = runs.newest_runs(store, project_id, MOST_RUNS, projects.baseline(store, project_id))
    known_jobs = {job.id: job for job in jobs.jobs(store, project_id)}
    tried = [(run, known_of(run, known_jobs.get(run.job_id or ""))) for run in listed]
    unsaid = {**defaults_of((one for _, one in tried), command.program), **flat(defaults or {})}
    alike = [(run, like) for run, one in tried if (like := compare(asked, one, command.program, unsaid))]
    hypotheses: list[Hypothesis] = [one for one in records.list_records(store, "hypothesis", project_id) if one.verdict]
    experiments: list[Experiment] = records.list_records(store, "experiment", project_id)
    found = _of_runs(alike, hypotheses, listed, store, series, project_id, config)
    for experiment in experiments:
        similarity = compare(asked, Known(flat(experiment.params), is_partial=True), defaults=unsaid)
        if similarity:
            found.append(_of_experiment(experiment, similarity, hypotheses))
    ordered = sorted(found, key=lambda one: (one.relation != "same", one.verdict != "refuted", one.distance))
    return ordered[:MOST_FOUND]


def missing_files(words: Sequence[str], cwd: Path) -> list[str]:
    """The parameter files that a command names and that are not there: what they would say is not compared."""
    return [name for name in parse_command(words).files if not os.path.lexists(cwd / name)]


def warnings(found: Sequence[Tried], most: int = 2) -> list[str]:
    """What a launcher says before it goes on: the same configuration, and the refuted ones near it; nothing else."""
    return [one.text for one in found if one.relation == "same" or one.verdict == "refuted"][:most]


def dead_ends(store: sqlite3.Connection, project_id: str) -> list[DeadEnd]:
    """The refuted hypotheses, newest verdict first: what need not be tried again."""
    refuted: list[Hypothesis] = [
        one for one in records.list_records(store, "hypothesis", project_id) if "refuted" in (one.verdict, one.status)
    ]
    return [
        DeadEnd(id=one.id, title=one.title, predict=one.predict, reason=one.verdict_reason, runs=_names(one))
        for one in sorted(refuted, key=lambda one: one.updated_at, reverse=True)
    ]


def _names(one: Hypothesis) -> tuple[str, ...]:
    """The names its evidence holds, else those it was written with."""
    told = [str(n.get("run_name") or n.get("name") or "") for n in one.evidence if n.get("role") != "baseline"]
    return tuple(dict.fromkeys(name for name in told if name)) or tuple(
        filter(None, (one.run, one.study, one.experiment))
    )


def _from_files(command: Command, cwd: Path) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name in command.files[:4]:
        path = cwd / name
        if path.suffix.lower() in SUFFIXES:
            found |= flat(read_parameters(path))
    return found


def known_of(run: Run, job: Job | None) -> Known:
    """A run's whole configuration, and what its command named, where either is known."""
    words = list(job.command) if job else run.process.command.split() if run.process else []
    if not words:
        return Known(flat(run.config))
    command = parse_command(words)
    return Known(flat(run.config), command.params, command.program)


def _of_runs(
    alike: list[tuple[Run, Similarity]], hypotheses: list[Hypothesis], listed: list[Run], store: sqlite3.Connection,
    series: sqlite3.Connection, project_id: str, config: ProjectConfig,
) -> list[Tried]:  # fmt: skip
    closest = sorted(alike, key=lambda pair: pair[1].distance)[: 5 * MOST_FOUND]
    facts_of = {run.id: {fact.name: fact for fact in points.series_of(series, run.id)} for run, _ in closest}
    metric, goal = primary_metric(config, facts_of, projects.baseline(store, project_id))
    decided = _decided(hypotheses, listed)
    odd = events.gravest(store, [run.id for run, _ in closest])
    return [
        _of_run(run, one, decided.get(run.id), facts_of[run.id], metric, goal, odd.get(run.id)) for run, one in closest
    ]


def _decided(hypotheses: list[Hypothesis], listed: list[Run]) -> dict[str, Hypothesis]:
    """Run id -> the hypothesis it decided; of several a refuted one."""
    found: dict[str, Hypothesis] = {}
    for one in sorted(hypotheses, key=lambda one: one.verdict == "refuted"):
        named = [str(n.get("run")) for n in one.evidence if n.get("role") != "baseline"]
        study = [run.id for run in runs_of_study(listed, one.study)] if one.study and not one.run else []
        found |= dict.fromkeys([*named, *study], one)
    return found


def _of_run(
    run: Run, similarity: Similarity, hypothesis: Hypothesis | None, facts: dict[str, SeriesFact], metric: str,
    goal: Goal | None, odd: tuple[int, str] | None,
) -> Tried:  # fmt: skip
    value = best_value(facts[metric], goal)[0] if metric in facts else None
    state = run.status if run.status in ENDED else f"still {run.status}"
    reached = f", best {metric} {value:.4g}" if value is not None else ""
    mishaps = f"; {odd[0]} anomal{'y' if odd[0] == 1 else 'ies'}, the gravest {odd[1]}" if odd else ""
    ended = f"{state}{reached}{mishaps}"
    return _tried("run", run.id, run.name, similarity, hypothesis, ended, run.status, metric, value)


def _of_experiment(one: Experiment, similarity: Similarity, hypotheses: list[Hypothesis]) -> Tried:
    resting = [h for h in hypotheses if any(number.get("experiment") == one.id for number in h.evidence)]
    hypothesis = max(resting, key=lambda h: h.verdict == "refuted", default=None)
    reached = f", {one.metric} {one.value:.4g}" if one.value is not None else ""
    status = _status_of(one)
    ended = f"{status}{reached}"
    return _tried("experiment", one.id, one.title, similarity, hypothesis, ended, status, one.metric, one.value)


def _status_of(one: Experiment) -> str:
    """An experiment's state; one that is kept as planned while its own columns say that it failed, has failed."""
    if one.value is not None or one.status.lower() not in PLANNED:
        return one.status
    texts = [str(value) for value in one.params.values() if isinstance(value, str)]
    return next(filter(None, map(ended_badly, texts)), one.status)


def _tried(
    what: Literal["run", "experiment"], record_id: str, name: str, similarity: Similarity,
    hypothesis: Hypothesis | None, ended: str, status: str, metric: str, value: float | None,
) -> Tried:  # fmt: skip
    is_untold = what == "experiment" and value is None and status.lower() in PLANNED
    done = "tried" if not is_untold else "recorded" if status.lower() == "open" else "planned"
    alike = done + ("" if similarity.relation == "same" else " near it")
    about = (
        f"; it {hypothesis.verdict} {hypothesis.title!r}" if hypothesis and hypothesis.verdict != "undecided" else ""
    )
    text = f"{alike}: {what} {name} ({difference_text(similarity)}): {ended}{about}"
    return Tried(
        what=what, id=record_id, name=name, relation=similarity.relation, differing=dict(similarity.differing),
        distance=round(max(0.0, similarity.distance), 3), status=status, metric=metric, value=value,
        verdict=hypothesis.verdict if hypothesis else "", hypothesis=hypothesis.id if hypothesis else "", text=text,
    )  # fmt: skip


def say_before_launch(
    store: sqlite3.Connection, series: sqlite3.Connection, project_id: str, config: ProjectConfig, words: Sequence[str],
    cwd: Path, defaults: Mapping[str, Any] | None = None,
) -> list[str]:  # fmt: skip
    """`warnings` for a launcher: whatever is wrong with the records, a launch is never stopped by this."""
    try:
        return warnings(check_command(store, series, project_id, config, words, cwd, defaults))
    except (NeatError, ValueError, sqlite3.Error):
        return []
