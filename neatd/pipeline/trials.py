"""A trial on its way: its job, what became of it by the points of its run, and its second try.

Invariant: a trial gets its job in one transaction with the row of it, and an id that its number decides, so a crash leaves
both or neither; how it ended and the row of its second try are one transaction too.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from neatd.errors import NeatError
from neatd.files import data_path, inside, read_small
from neatd.jobs import bell, shim
from neatd.jobs.folder import job_folder
from neatd.jobs.trainers import build_command, load_trainers
from neatd.models import ENDED, JOB_ENDED, Job, Run, SeriesFact, Study, Trial
from neatd.pipeline import reading
from neatd.pipeline.scene import Scene
from neatd.place import git_head
from neatd.store import jobs, points, requests, runs, studies, window
from neatd.store.connection import transaction
from neatd.store.moments import stamp, utc_now
from neatd.store.short import base32
from neatd.studies.answering import studies_folder
from neatd.studies.space import fingerprint
from neatd.studies.spec import StudyFile, placeholders

READ_S = 60.0  # after the end of its job a trial's run is read by then, or has left nothing
STOPPED = "stopped by "  # how the reason of a job begins that somebody ended
_LARGEST = 16 << 20  # bytes of an environment


class Template(NamedTuple):
    """What all jobs of a study run with, as it was when the study was created: readable by its owner only."""

    command: tuple[str, ...]  # with {names}; of a trainer the words that `python` became
    cwd: str
    env: dict[str, str]
    python: str = ""


def template_path(home: Path, study_id: str) -> Path:
    """Where a study's template is kept."""
    return studies_folder(home) / f"{study_id}.frozen.json"


def write_template(home: Path, study_id: str, template: Template) -> None:
    """Keep it; before the study's row, which is the order."""
    studies_folder(home).mkdir(parents=True, exist_ok=True, mode=0o700)
    shim.write_json(template_path(home, study_id), template._asdict())


def read_template(home: Path, study_id: str) -> Template:
    """Raises NeatError when it is gone or torn."""
    path = template_path(home, study_id)
    try:
        found = json.loads(read_small(path, _LARGEST))
        return Template(tuple(found["command"]), str(found["cwd"]), dict(found["env"]), str(found["python"]))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise NeatError(f"what the trials run with is not there: {path}: {error}", "create the study anew") from error


def run_folder(study_name: str, number: int) -> str:
    """A trial's folder, relative to the project."""
    return f"runs/{study_name}/trial-{number:04d}"


def command_of(
    spec: StudyFile, template: Template, out: Path, number: int, params: Mapping[str, Any], derived: Mapping[str, Any]
) -> tuple[str, ...]:
    """The words that try a point. Raises NeatError for a value that the trainer does not take."""
    if spec.trainer is not None:
        trainer = load_trainers(data_path("trainers")).get(spec.trainer)
        if trainer is None:
            raise NeatError(f"no trainer {spec.trainer!r}", "`neat train` lists them")
        passed = {**spec.set, **{name: one for name, one in derived.items() if name in trainer.parameters}, **params}
        words = build_command(trainer, out, [f"{name}={_text(value)}" for name, value in passed.items()])
        return (*template.command, *words[1:]) if trainer.command[0] == "python" else words
    values = {**derived, **params, "out": str(out), "trial": number, "study": spec.name}
    texts = {name: _text(value) for name, value in values.items()}
    return tuple(word.format_map(texts) if placeholders(word) else word.format() for word in template.command)


def begin(scene: Scene, study: Study, spec: StudyFile, template: Template, trial: Trial) -> None:
    """Give a planned trial its job. A trial that cannot be put into words has failed."""
    folder = run_folder(study.name, trial.number)
    try:
        out = inside(Path(study.root), folder)
        command = command_of(spec, template, out, trial.number, trial.params, trial.derived)
        out.mkdir(parents=True, exist_ok=True)
    except (NeatError, OSError) as error:
        with transaction(scene.records):
            fields = {"status": "failed", "reason": f"could not begin: {error}", "ended_at": utc_now()}
            studies.set_trial(scene.records, study.id, trial.number, **fields)
        return
    job_id = trial_job_id(study.id, trial.number)
    _freeze(scene.home, job_id, command, template)
    branch, commit = git_head(Path(template.cwd))
    more: dict[str, Any] = {
        "id": job_id, "root": study.root, "kind": "train" if spec.trainer else "command", "params": trial.params,
        "why": trial.why or f"trial {trial.number} of study {study.name}", "who": study.who, "session": study.session,
        "group_name": spec.group_name, "priority": spec.priority, "gpus": spec.gpus, "memory_bytes": spec.memory,
        "python": template.python, "branch": branch, "commit_id": commit, "study_id": study.id, "trial": trial.number,
    }  # fmt: skip
    with transaction(scene.records):
        if is_wanted := studies.is_wanted(scene.records, study.id, trial.number):
            jobs.put(scene.records, study.project_id, folder, list(command), template.cwd, folder, **more)
            studies.set_trial(scene.records, study.id, trial.number, status="queued", job_id=job_id)
    if not is_wanted:  # somebody stopped the study meanwhile
        if not jobs.ended(scene.records, (job_id,)):
            shutil.rmtree(job_folder(scene.home, job_id), ignore_errors=True)
        return
    bell.ring(scene.home, job_id)


def trial_job_id(study_id: str, number: int) -> str:
    """The id of a trial's job: the same however often it is asked."""
    digest = hashlib.sha256(f"{study_id}:{number}".encode()).digest()
    return f"j-{base32(int.from_bytes(digest[:10], 'big'))}"


def look_at(scene: Scene, study: Study, spec: StudyFile, trial: Trial) -> bool:
    """Bring a trial that has a job up to date; True when it has ended. Its end waits until its run is read."""
    job = jobs.get_job(scene.records, str(trial.job_id))
    if job.status not in JOB_ENDED:
        if job.status == "running" and trial.status != "running":
            with transaction(scene.records):
                started = stamp(job.started_at) if job.started_at else utc_now()
                studies.set_trial(scene.records, study.id, trial.number, status="running", started_at=started)
        return False
    run = runs.by_folder(scene.records, study.root, job.run_folder)
    if job.status != "cancelled" and not _is_read(scene, study, job, run):
        return False
    fields = {"run_id": run.id if run else None, **_outcome(scene, spec, trial, job, run)}
    is_again = fields.pop("is_again") and study.status == "running" and _tries(scene.records, trial) <= spec.retries
    fields["started_at"] = stamp(job.started_at) if job.started_at else None
    fields["ended_at"] = stamp(job.ended_at) if job.ended_at else utc_now()
    with transaction(scene.records):
        studies.set_trial(scene.records, study.id, trial.number, **fields)
        if is_again:
            put_again(scene.records, trial, f"trial {trial.number} was lost: {fields['reason']}")
    return True


def put_point(
    records: sqlite3.Connection, study_id: str, spec: StudyFile, params: Mapping[str, Any], derived: Mapping[str, Any],
    **more: Any,
) -> list[int]:  # fmt: skip
    """Plan the trials of a point that were not, in a transaction that the caller holds; their numbers."""
    numbers = []
    for repeat in spec.repeats.values if spec.repeats else (None,):
        whole = dict(params) if spec.repeats is None else {**params, spec.repeats.parameter: repeat}
        key = fingerprint(whole)
        if studies.trial_with(records, study_id, key) is None:
            number = studies.next_number(records, study_id)
            studies.put_trial(records, study_id, number, whole, key, derived=dict(derived), **more)
            numbers.append(number)
    return numbers


def put_again(records: sqlite3.Connection, trial: Trial, why: str) -> None:
    """Plan a trial's next try, in a transaction that the caller holds."""
    number = studies.next_number(records, trial.study_id)
    same: dict[str, Any] = {"derived": trial.derived, "chosen_by": "retry", "retry_of": trial.number, "why": why}
    studies.put_trial(records, trial.study_id, number, trial.params, trial.fingerprint, **same)


def _tries(records: sqlite3.Connection, trial: Trial) -> int:
    """How often the point was tried, this trial included."""
    by_number = {one.number: one for one in studies.trials(records, trial.study_id)} if trial.retry_of else {}
    count = 1
    while trial.retry_of is not None:
        trial, count = by_number[trial.retry_of], count + 1
    return count


def _is_read(scene: Scene, study: Study, job: Job, run: Run | None) -> bool:
    """Whether all that the trial wrote is in the store, or will not come any more."""
    if run is not None and run.status in ENDED:
        return True
    project = scene.projects.get(study.root)
    live = project.runs.get(job.run_folder) if project else None
    if live is not None:
        reading.look(scene, live)
        live.look_by(0.0)
    return job.ended_at is None or (scene.today() - job.ended_at).total_seconds() > READ_S


def _outcome(scene: Scene, spec: StudyFile, trial: Trial, job: Job, run: Run | None) -> dict[str, Any]:
    """How it ended: its value where it has one; `is_again`: whether nothing of it was the point's own doing."""
    fact, last_step = _measured(scene, spec, run)
    value, step = _value(spec, fact)
    diverged = fact is not None and (value is None or fact.last is None or not math.isfinite(fact.last))
    fields: dict[str, Any] = {"value": value, "value_step": step, "last_step": last_step, "diverged": int(diverged)}
    if trial.pruned_step is not None and job.status not in ("finished", "cancelled"):
        at = window.values_at(scene.points, run.id, spec.goal.metric, [trial.pruned_step]) if run else None
        fields |= {"value": (at or {}).get(trial.pruned_step), "value_step": trial.pruned_step}
        return fields | {"status": "pruned", "reason": f"pruned at step {trial.pruned_step}", "is_again": False}
    if job.status == "finished":
        why = _why_no_value(spec, fact, value, last_step, diverged)
        return fields | {"status": "failed" if why else "finished", "reason": why, "is_again": False}
    if job.status == "cancelled" or (job.status == "killed" and job.reason.startswith(STOPPED)):
        return fields | {"status": "cancelled", "reason": job.reason, "is_again": False}
    by_rule = requests.stopped_by(scene.records, run.id) if run else ""  # which would end the same point again
    notes = "; it had diverged" * diverged + f"; {by_rule}" * bool(by_rule)
    is_again = job.status != "failed" and not by_rule
    return fields | {"status": "failed", "reason": f"{job.status}: {job.reason}{notes}", "is_again": is_again}


def _measured(scene: Scene, spec: StudyFile, run: Run | None) -> tuple[SeriesFact | None, int | None]:
    """(the goal's metric in numbers, the last step of the run)."""
    if run is None:
        return None, None
    found = points.series_of(scene.points, run.id)
    return next((one for one in found if one.name == spec.goal.metric), None), runs.progress_of(scene.points, run.id)[0]


def _value(spec: StudyFile, fact: SeriesFact | None) -> tuple[float | None, int | None]:
    """The value that the goal asks for, and its step; None where it is not finite."""
    if fact is None:
        return None, None
    value, step = fact.last, fact.last_step
    if spec.goal.value == "best":
        is_low = spec.goal.goal == "min"
        value, step = (fact.min, fact.min_step or 0) if is_low else (fact.max, fact.max_step or 0)
    return (value, step) if value is not None and math.isfinite(value) else (None, None)


def without(metric: str) -> str:
    """The reason of a trial whose job finished and whose run has no such metric."""
    return f"its run has no {metric}"


def _why_no_value(
    spec: StudyFile, fact: SeriesFact | None, value: float | None, last_step: int | None, diverged: bool
) -> str:
    """Why a trial whose job finished has no value that counts; "" where it has."""
    if fact is None:
        return without(spec.goal.metric)
    if last_step is not None and last_step < spec.goal.steps:
        return f"ended at step {last_step} of at least {spec.goal.steps}"
    if value is None:
        return f"diverged: {spec.goal.metric} is not finite" if diverged else f"its {spec.goal.metric} has no value"
    return ""


def _freeze(home: Path, job_id: str, command: tuple[str, ...], template: Template) -> None:
    """What the job is started with. One that a crash left is written over: no row named it."""
    folder = job_folder(home, job_id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    frozen = {"command": list(command), "cwd": template.cwd, "env": template.env}
    shim.write_json(folder / "frozen.json", frozen)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
