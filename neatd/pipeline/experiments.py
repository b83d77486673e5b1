"""The experiment table: runs and recorded experiments compared by one metric, the baseline first. Writes nothing but the
cache of what git said."""

from __future__ import annotations

import difflib
import sqlite3
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from neatd.assist.facts import RunFact
from neatd.config import ProjectConfig
from neatd.knowledge import Data
from neatd.models import ENDED, GitState, Goal, Project, Run, SeriesFact
from neatd.now import is_system, telling
from neatd.pipeline.codebook import CodeBook
from neatd.pipeline.comparing import compared
from neatd.pipeline.datasets import versions
from neatd.pipeline.predicted import trend_of
from neatd.pipeline.reported import Told, as_row, notes_by_run, reported
from neatd.pipeline.trained import trained_on
from neatd.redact import redact
from neatd.rules.comparable import Basis, is_same_metric
from neatd.rules.goals import best_value, goal_of, is_evaluation, judged_metrics
from neatd.rules.scale import is_params_series
from neatd.store import projects, records, runs, tabled
from neatd.store.spans import time_spans

# What differs between any two runs says nothing.
SAYS_NOTHING = frozenset(
    {"out", "output", "output_dir", "out_dir", "name", "run_name", "started_at", "time", "save_dir", "log_dir"}
)
NO_GIT = GitState()
MOST_LAST = 4  # last values of a run that goes on
LONGEST_NUMBER = 10  # characters of a parameter that is told as it is
MOST_TRENDS = 20  # newest runs with predictions that say whether they get better: a millisecond each


class Table(NamedTuple):
    """The rows, what they are compared by, and what is to be said about that."""

    rows: tuple[RunFact, ...]
    metric: str
    goal: Goal | None
    problem: str = ""  # a primary metric that no run has
    hint: str = ""


class World(NamedTuple):
    """What the table tells besides the runs themselves: data versions, code, notes, attempts."""

    versions: Mapping[str, list[Data]] = {}
    book: CodeBook | None = None
    notes: Mapping[str, tuple[str, ...]] = {}
    attempts: Mapping[str, int] = {}


def experiment_table(
    store: sqlite3.Connection, series: sqlite3.Connection, project: Project, config: ProjectConfig, *,
    metric: str = "", listed: list[Run] | None = None, home: Path | None = None, with_reported: bool = True,
    against: str = "",
) -> Table:  # fmt: skip
    """The table of a project. `metric` is another than the primary one, `listed` fewer runs than all, `against` the id of
    another run than the baseline.

    With `home` what git says of commits is kept there; without, in memory.
    """
    listed = runs.all_runs(store, project.id) if listed is None else listed
    ids = [run.id for run in listed]
    counts = tabled.series_names(series, ids)
    baseline = against or projects.baseline(store, project.id)
    stated = reported(store, project.id, listed) if with_reported else []
    chosen, goal = _metric(config, counts, series, baseline, metric, stated)
    names = {chosen, *(name for name in counts if is_params_series(name))}
    facts_of = tabled.series_named(series, ids, names)
    book = CodeBook(Path(project.root), home / "commits" / f"{project.id}.json" if home else None)
    book.prepare({run.git.commit for run in listed})
    world = World(versions(store, project.id), book, notes_by_run(store, project.id, listed), tabled.attempts(series))
    measured = _based(listed, facts_of, chosen, goal, baseline, series, world)
    book.save()
    based = [*measured, *(as_row(one, chosen, world.versions) for one in stated)]
    rows = _against(based, goal)
    if any(chosen in facts for facts in facts_of.values()):
        counts = {**counts, chosen: 1}  # a series of the machine, asked for by name
    problem, hint = _problem(chosen, counts, stated) if metric or config.primary else ("", "")
    return Table(rows, chosen, goal, problem, hint)


def metric_of(
    config: ProjectConfig, series: sqlite3.Connection, run_ids: list[str], baseline: str
) -> tuple[str, Goal | None]:
    """What a table of these runs compares them by; ("", None) where they have nothing in common."""
    return _metric(config, tabled.series_names(series, run_ids), series, baseline, "", [])


def _metric(
    config: ProjectConfig, counts: Mapping[str, int], series: sqlite3.Connection, baseline: str, metric: str,
    stated: list[Told],
) -> tuple[str, Goal | None]:  # fmt: skip
    if metric:
        metric = metric if metric in counts else next((one for one in counts if is_same_metric(one, metric)), metric)
        is_primary = config.primary is not None and config.primary.metric == metric
        return metric, config.primary.goal if config.primary and is_primary else goal_of(metric)
    if config.primary:
        return config.primary.metric, config.primary.goal
    of_base = tabled.series_names(series, [baseline]) if baseline else {}
    found = _commonest(of_base or counts)
    if found:
        return found, goal_of(found)
    named = _commonest({one.record.metric: 1 for one in stated if one.record.metric})
    return named, goal_of(named) if named else None


def _commonest(counts: Mapping[str, int]) -> str:
    """An evaluation before a training loss, the commonest, a loss before a score; "" when there is none."""
    judged = judged_metrics(counts, None)
    ranked = sorted(judged, key=lambda name: (not is_evaluation(name), -counts[name], "loss" not in name, name))
    return ranked[0] if ranked else ""


def _problem(metric: str, counts: Mapping[str, int], stated: list[Told]) -> tuple[str, str]:
    """What is wrong with a metric that was asked for, and what was meant perhaps."""
    known = {*counts, *(one.record.metric for one in stated if one.record.metric)}
    if not known or any(is_same_metric(metric, one) for one in known):
        return "", ""
    near = difflib.get_close_matches(metric, known, n=3, cutoff=0.5)
    near += [name for name in sorted(known) if name not in near and name.split("/")[-1] == metric.split("/")[-1]]
    some = ", ".join(sorted(known)[:8])
    return f"no run has {metric}", f"did you mean {' or '.join(near)}?" if near else f"there are {some}"


def primary_metric(
    config: ProjectConfig, facts_of: Mapping[str, Mapping[str, SeriesFact]], baseline: str
) -> tuple[str, Goal | None]:
    """What experiments are compared by: neat.yaml's, else the baseline's evaluation, else the commonest one; a loss
    before a score. `facts_of` is by run id."""
    if config.primary:
        return config.primary.metric, config.primary.goal
    counts: dict[str, int] = {}
    for facts in [facts_of[baseline]] if facts_of.get(baseline) else facts_of.values():
        for name in facts:
            counts[name] = counts.get(name, 0) + 1
    found = _commonest(counts)
    return (found, goal_of(found)) if found else ("", None)


def _against(based: list[tuple[RunFact, Basis]], goal: Goal | None) -> tuple[RunFact, ...]:
    """Every row against the first, if that is the baseline's."""
    if not based or not based[0][0].is_baseline:
        return tuple(row for row, _ in based)
    base_row, base = based[0]
    return (base_row, *(compared(row, basis, base_row, base, goal) for row, basis in based[1:]))


def _based(
    listed: list[Run], facts_of: Mapping[str, Mapping[str, SeriesFact]], metric: str, goal: Goal | None, baseline: str,
    series: sqlite3.Connection, world: World,
) -> list[tuple[RunFact, Basis]]:  # fmt: skip
    """The runs by themselves, with what their numbers stand on: the baseline first, then the newest."""
    ids = [run.id for run in listed]
    shorts = records.unique_prefixes(ids)
    base = next((run for run in listed if run.id == baseline), None)
    progress = tabled.progress(series, ids)
    spans = time_spans(series, ids)
    accuracies = tabled.prediction_summaries(series, ids)
    trends = {run_id: trend_of(series, run_id) for run_id in [one for one in ids if one in accuracies][:MOST_TRENDS]}
    result = []
    for run in sorted(listed, key=lambda run: run.id != baseline):
        step, at = progress.get(run.id, (None, run.updated_at))
        seconds = spans.get(run.id) or max(0.0, (at - run.started_at).total_seconds())
        read = _Read(shorts[run.id], step, seconds / 3600, _accuracy(accuracies.get(run.id), trends.get(run.id)))
        result.append(_row(run, facts_of.get(run.id, {}), metric, goal, read, world, base))
    return result


class _Read(NamedTuple):
    """What the store's numbers say of a run besides its series."""

    short: str
    step: int | None
    hours: float  # by the times in its lines, else from its start to when its last line was written
    accuracy: str


def _row(
    run: Run, facts: Mapping[str, SeriesFact], metric: str, goal: Goal | None, read: _Read, world: World,
    base: Run | None,
) -> tuple[RunFact, Basis]:  # fmt: skip
    """A run by itself, and what its number stands on."""
    value, value_step = best_value(facts[metric], goal) if metric in facts else (None, None)
    used = trained_on(run.config, {name: fact.last for name, fact in facts.items()}, world.versions, run)
    basis = used.basis._replace(
        metric=metric, status=run.status, step=read.step, planned_steps=run.planned_steps,
        metric_code=world.book.metric_code(run.git) if world.book else "",
    )  # fmt: skip
    base_git = base.git if base is not None and base is not run else NO_GIT
    row = RunFact(
        id=run.id, short=read.short, name=run.name, status=run.status, reason=run.reason, step=read.step,
        planned_steps=run.planned_steps, metric=metric, value=value, value_step=value_step, is_baseline=run is base,
        changed=_changed(base, run), commit=run.git.commit, is_dirty=bool(run.git.dirty), started_at=run.started_at,
        ended_at=run.ended_at, hours=read.hours, accuracy=read.accuracy,
        params=used.params, samples=basis.samples, data=used.text, data_fraction=basis.fraction,
        code=world.book.difference(base_git, run.git) if world.book else "", notes=world.notes.get(run.id, ()),
        attempt=world.attempts.get(run.id, 1), last=() if run.status in ENDED else _last(facts),
    )  # fmt: skip
    return row, basis


def _last(facts: Mapping[str, SeriesFact]) -> tuple[tuple[str, float | None], ...]:
    """The last values that people look at first."""
    shown = sorted((name for name in facts if not is_system(name)), key=telling)
    return tuple((name, facts[name].last) for name in shown[:MOST_LAST] if facts[name].points)


def _changed(base: Run | None, run: Run) -> tuple[str, ...]:
    """Parameters that differ from the baseline's, without secrets."""
    if base is None or base is run or not base.config or not run.config:
        return ()
    missing = "(none)"
    pairs: Iterable[tuple[str, object, object]] = (
        (key, base.config.get(key, missing), run.config.get(key, missing))
        for key in {**base.config, **run.config}
        if key not in SAYS_NOTHING
    )
    return tuple(_shown(f"{key} {_change(before, after)}") for key, before, after in pairs if before != after)


def _change(before: object, after: object) -> str:
    was, now = _brief(before), _brief(after)
    return f"{was} -> {now}" if was != now else f"{before} -> {after}"


def _brief(value: object) -> str:
    """A parameter in few characters: a study draws numbers of seventeen digits."""
    text = str(value)
    return f"{value:.6g}" if isinstance(value, float) and len(text) > LONGEST_NUMBER else text


@lru_cache(maxsize=8192)  # the runs of a sweep differ by the same few values
def _shown(text: str) -> str:
    return redact(text)


def _accuracy(summary: tuple[int, int, int] | None, trend: str | None) -> str:
    """ "41 of 64 correct at step 200, improving"; of one evaluation no trend is said."""
    if summary is None:
        return ""
    return f"{summary[2]} of {summary[1]} correct at step {summary[0]}" + (f", {trend}" if trend else "")
