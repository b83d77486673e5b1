"""What the history of a project's experiments suggests to try next. Reads only."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from neatd.config import ProjectConfig
from neatd.files import data_path
from neatd.jobs.trainers import load_trainers
from neatd.models import ENDED, Job, Project, Run, SeriesFact
from neatd.pipeline.checking import known_of
from neatd.pipeline.experiments import experiment_table
from neatd.rules.commandline import flat
from neatd.rules.goals import best_value
from neatd.rules.suggesting import RULES, Suggestion, Trial, suggest
from neatd.store import jobs, runs, tabled


def suggestions(
    store: sqlite3.Connection, series: sqlite3.Connection, project: Project, config: ProjectConfig, metric: str = ""
) -> tuple[str, list[dict[str, Any]]]:
    """(the metric, the suggestions in order); a command with each whose run was launched from a shipped trainer."""
    listed = runs.all_runs(store, project.id)
    table = experiment_table(store, series, project, config, metric=metric, listed=listed, with_reported=False)
    if table.goal is None:
        return table.metric, []
    facts = tabled.series_named(series, [run.id for run in listed], [table.metric])
    known = {job.id: job for job in jobs.jobs(store, project.id)}
    trials = [
        _trial(run, facts.get(run.id, {}).get(table.metric), table.goal, _program(run, known.get(run.job_id or "")))
        for run in listed
        if run.config
    ]
    by_name = {run.name: run for run in listed}
    found = suggest(trials, table.goal)
    return table.metric, [_shape(one, known.get(by_name[one.base].job_id or "")) for one in found]


def _trial(run: Run, fact: SeriesFact | None, goal: Any, program: str) -> Trial:
    value, step = best_value(fact, goal) if fact else (None, None)
    is_better = fact is not None and step is not None and step == fact.last_step and fact.points > 1
    has_failed = (value is None and run.status in ENDED) or bool(fact and fact.nonfinite)
    return Trial(run.name, flat(run.config), None if has_failed else value, is_better, has_failed, program)


def _program(run: Run, job: Job | None) -> str:
    """By its whole path where its folder is known: two may have one name."""
    program = known_of(run, job).program
    return str(Path(job.cwd) / program) if job and program else program


def _shape(one: Suggestion, job: Job | None) -> dict[str, Any]:
    shape = {"rule": one.rule, "says": RULES[one.rule], **one._asdict()}
    return shape | {"command": _command(one, job)}


def _command(one: Suggestion, job: Job | None) -> list[str]:
    """As a person would type it; [] where nobody knows how the run was started."""
    if job is None or job.kind != "train":
        return []
    places = {Path(word).parent for word in job.command}
    trainer = next((name for name, spec in load_trainers(data_path("trainers")).items() if spec.folder in places), "")
    params = {name: value for name, value in job.params.items() if name != "resume"} | {one.parameter: one.value}
    words = [f"{name}={_word(value)}" for name, value in params.items()]
    return ["neat", "train", trainer, *words] if trainer else []


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
