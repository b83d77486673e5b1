"""What a person asks of a study: create it, add trials to it, stop it, go on with it.

Each is one transaction that the daemon's next turn goes on from (`pipeline/studying.py`); none needs a daemon. Mistakes of
a file are told before anything is written.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neatd.errors import NeatError
from neatd.files import data_path, inside
from neatd.jobs.trainers import Parameter, TrainerSpec, as_words, checked, load_trainers
from neatd.models import Project, Study, Trial
from neatd.pipeline import halting, trials
from neatd.pipeline.trials import Template
from neatd.store import jobs, requests, studies
from neatd.store.connection import transaction
from neatd.store.moments import utc_now
from neatd.store.short import new_id
from neatd.studies.answering import HINT
from neatd.studies.parameters import Value
from neatd.studies.sampling import Sequence as Points
from neatd.studies.sampling import random_point
from neatd.studies.space import Point, Space, fingerprint, parameter_of
from neatd.studies.spec import StudyFile


def check(spec: StudyFile, root: Path, template: Template, is_named: bool = False) -> Space:
    """The space of a study that can be run as it stands. Raises NeatError where a trial could not be put into words, nothing
    is feasible, the sampler is not installed, or its folder is taken (with `is_named` it is known to be)."""
    space = Space(spec)
    if spec.sampler.kind != "tpe":
        Points(space)
    if spec.needs_optuna:
        _check_optuna(spec)
    point = random_point(space, (), "check")
    if point is None:
        raise NeatError(f"study {spec.name}: no point of the space was found that meets its constraints", "loosen them")
    repeat = {spec.repeats.parameter: spec.repeats.values[0]} if spec.repeats else {}
    trials.command_of(spec, template, root / "runs", 1, {**point.params, **repeat}, point.derived)
    _check_ends(spec)
    folder = inside(root, trials.run_folder(spec.name, 1)).parent
    if not is_named and folder.exists() and any(folder.iterdir()):
        raise NeatError(f"{folder.relative_to(root).as_posix()} is there already", "give the study another `name`")
    return space


def _check_ends(spec: StudyFile) -> None:
    """Raises NeatError for a choice, or an end of a range, that the trainer does not take: a later trial would tell. What
    constraints or the budget speak of may be left out by them."""
    trainer = trainer_of(spec)
    if trainer is None:
        return
    values = {name: one.choices or (one.at(0.0), one.high) for name, one in spec.space.items()}
    values |= {spec.repeats.parameter: spec.repeats.values} if spec.repeats else {}
    for name, found in values.items():
        is_narrowed = any(re.search(rf"\b{re.escape(name)}\b", one) for one in spec.constraints)
        is_narrowed |= spec.budget is not None and spec.budget.by == name
        declared = None if is_narrowed else trainer.parameters.get(name)
        for value in found if declared else ():
            checked(trainer.name, trainer.parameters, as_words({name: _as(declared, value)}))


def _as(declared: Parameter | None, value: Any) -> Any:
    """The end of a range of whole numbers is kept as a float."""
    is_whole = declared is not None and declared.type == "int" and isinstance(value, float) and value.is_integer()
    return int(value) if is_whole else value


def trainer_of(spec: StudyFile) -> TrainerSpec | None:
    """The trainer that a study runs; None for one that runs a command. Raises NeatError for one that there is not."""
    if spec.trainer is None:
        return None
    known = load_trainers(data_path("trainers"))
    if spec.trainer not in known:
        raise NeatError(f"no trainer {spec.trainer!r}", f"shipped: {', '.join(known)}")
    return known[spec.trainer]


def create(
    records: sqlite3.Connection, home: Path, project: Project, spec: StudyFile, template: Template,
    who: str = "", session: str | None = None,
) -> Study:  # fmt: skip
    """Put a checked study down; the daemon begins with its next look. Raises NeatError when there is one of the name."""
    study_id = new_id("study")
    if spec.group is None or spec.group not in jobs.groups(records):
        jobs.set_group(records, spec.group_name, parallel=spec.parallel)
    trials.write_template(home, study_id, template)
    more = {"id": study_id, "who": who, "session": session, "trials": spec.trials}
    try:
        with transaction(records):
            return studies.add_study(records, project.id, project.root, spec.name, spec.model_dump(mode="json"), **more)
    except BaseException:
        trials.template_path(home, study_id).unlink(missing_ok=True)  # it holds an environment
        raise


def add_trial(
    records: sqlite3.Connection, study: Study, words: Sequence[str], why: str, is_outside: bool = False
) -> list[int]:
    """Plan the trials of a point that a person names by `k=v` words; their numbers. What the budget decides may be left out.

    Raises NeatError for a point that is not feasible, unless `is_outside`, and for one that was tried.
    """
    if study.status == "cancelled":
        raise NeatError(f"study {study.name} is stopped", f"`neat study resume {study.name}` goes on with it first")
    spec = StudyFile.model_validate(study.spec)
    point = _named_point(Space(spec), words, is_outside)
    with transaction(records):
        added = trials.put_point(records, study.id, spec, point.params, point.derived, chosen_by="person", why=why)
        if not added:
            raise _tried_error(records, study, spec, point)
        if study.status != "running":
            number = studies.next_number(records, study.id)
            fields: dict[str, Any] = {"reason": "goes on with what was added", "ended_at": None, "counted_from": number}
            studies.put_study(records, study.id, status="running", **fields)
    return added


def stop(records: sqlite3.Connection, study: Study, who: str, lets_run: bool = False) -> tuple[int, int]:
    """End a study: what is planned or queued is cancelled, what runs is stopped unless `lets_run`. How many of each."""
    reason, now = f"stopped by {who}", utc_now()
    with transaction(records):
        studies.put_study(records, study.id, status="cancelled", reason=reason, ended_at=now)
        rows = studies.open_trials(records, study.id)
        planned = [one for one in rows if one.job_id is None]
        for one in planned:
            fields = {"status": "cancelled", "reason": reason, "ended_at": now}
            studies.set_trial(records, study.id, one.number, **fields)
        cancelled = len(planned) + studies.cancel_jobs(records, study.id, reason)
        running = studies.running_jobs(records, study.id)
        for job_id in () if lets_run else running:
            requests.put(records, halting.KIND, study.project_id, {"job": job_id, "who": who})
    return cancelled, len(running)


def resume(records: sqlite3.Connection, study: Study, wanted: int | None = None, metric: str = "") -> int:
    """Go on with a study: trials that were cancelled are tried again, and the search goes on, to `wanted` points in all.
    With `metric` by another one, and trials whose run lacked the old one are judged anew. How many are tried again."""
    with transaction(records):
        found = studies.trials(records, study.id)
        if metric:
            _judge_by(records, study, found, metric)
        again = {one.retry_of for one in found}
        cancelled = [one for one in found if one.status == "cancelled" and one.number not in again]
        number = studies.next_number(records, study.id)
        for one in cancelled:
            trials.put_again(records, one, f"trial {one.number} was cancelled")
        fields: dict[str, Any] = {"reason": "", "ended_at": None, "counted_from": number}
        studies.put_study(records, study.id, status="running", trials=wanted or study.trials, **fields)
    return len(cancelled)


def _judge_by(records: sqlite3.Connection, study: Study, found: Sequence[Trial], metric: str) -> None:
    """Another metric for the goal. Open again, a trial whose job has ended gets its value with the daemon's next look."""
    old = str(study.spec["goal"]["metric"])
    if any(one.value is not None or one.diverged for one in found):
        raise NeatError(
            f"trials of {study.name} have values of {old} already", "create another study with the new metric"
        )
    studies.put_study(records, study.id, spec={**study.spec, "goal": {**study.spec["goal"], "metric": metric}})
    for one in found:
        if one.status == "failed" and one.reason == trials.without(old):
            studies.set_trial(records, study.id, one.number, status="running", reason="", ended_at=None)


def _named_point(space: Space, words: Sequence[str], is_outside: bool) -> Point:
    params: dict[str, Value] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise NeatError(f"{word!r} is no NAME=VALUE", f"write for example {next(iter(space.parameters))}=…")
        value = parameter_of(space, name).typed(text)
        if value is None and not is_outside:
            raise NeatError(f"{name}={text} is outside of the study's space", "--outside tries it all the same")
        params[name] = _plain(text) if value is None else value
    missing = [name for name in space.asked if name not in params]
    if missing:
        raise NeatError(f"no value for {', '.join(missing)}", "name a value for each parameter: NAME=VALUE")
    point = space.complete(params)
    if point is not None:
        return point
    if is_outside and len(params) == len(space.parameters):
        return Point(params, space.derive(params))
    hint = "--outside tries it all the same" + (f", with a value for {space.by}" if space.by not in params else "")
    raise NeatError(f"that point is not feasible{_why_not(space, params)}", hint)


def _why_not(space: Space, params: Mapping[str, Value]) -> str:
    if space.by and space.by not in params:
        return f": no {space.by} meets the budget and the constraints"
    return f": {space.why_not(params)}"


def _tried_error(records: sqlite3.Connection, study: Study, spec: StudyFile, point: Point) -> NeatError:
    repeat = {spec.repeats.parameter: spec.repeats.values[0]} if spec.repeats else {}
    found: Trial | None = studies.trial_with(records, study.id, fingerprint({**point.params, **repeat}))
    assert found is not None
    came = f"{found.status}, {found.value:g}" if found.value is not None else found.status
    return NeatError(
        f"trial {found.number} tried that point: {came}", f"`neat study status {study.name}` shows the study"
    )


def _plain(text: str) -> Value:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.lower(), text)


def _check_optuna(spec: StudyFile) -> None:
    from importlib.util import find_spec

    if find_spec("optuna") is None:
        what = "sampler tpe" if spec.sampler.kind == "tpe" else f"pruner {spec.pruner.kind}"
        raise NeatError(
            f"{what} needs optuna, which is not installed", f"{HINT}; samplers grid, random and sobol need none"
        )
