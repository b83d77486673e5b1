"""How a run that ended is gone on with: from which checkpoint, and by which command. Reads only; who asks queues the job.

Good is the newest checkpoint that is there and that is from before the metrics became NaN or infinite, if they did and
stayed so. neat's trainers find it themselves (`resume=true`); of a program of the user's only its user knows how it is told.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from neatd.errors import NeatError
from neatd.files import data_path, is_inside
from neatd.jobs.trainers import TrainerSpec, checked, load_trainers
from neatd.models import ENDED, JOB_ENDED, Checkpoint, Job, Run
from neatd.store import checkpoints, events, jobs, points, runs
from neatd.store.moments import stamp

PLACE = "{checkpoint}"
_BRACED = re.compile(r"(?<!\$)\{[A-Za-z_][\w-]*\}")  # ${…} is for the program, or a shell
_MOST_TRIES = 50  # that are looked at


class Resume(NamedTuple):
    """What goes on, and how."""

    job: Job
    command: tuple[str, ...]
    checkpoint: str  # where it is; "" where the program itself looks
    step: int | None
    note: str = ""


def plan(
    records: sqlite3.Connection,
    series: sqlite3.Connection,
    job: Job,
    run: Run | None,
    more: Sequence[str],
    is_sure: bool,
) -> Resume:
    """The command that goes on with a job and its run, with `more` words behind it. Raises NeatError when it goes on, ended
    well (unless `is_sure`), has no checkpoint, or nobody knows how the program is told."""
    _refuse(records, job, run, is_sure)
    _refuse_unknown(more)
    found = last_good(records, series, run) if run else None
    spec = trainer_of(job)
    if spec is not None:
        return _of_trainer(job, run, spec, found, more)
    path = str(_place(run, found)) if run and found else ""
    if not more:
        example = f"`neat resume {job.id[:9]} -- --resume {PLACE}`"
        where = f"; its last good checkpoint is {path}" if path else ""
        raise NeatError(
            f"how {job.name} is told to go on is not known{where}",
            f"add the words that its program takes, such as {example}",
        )
    if any(PLACE in word for word in more) and not path:
        _, known = resumable(records, series, job, None, is_sure=True)
        hint = f"`neat resume {known.name}` goes on with that run" if known else f"name it yourself instead of {PLACE}"
        raise NeatError(f"{job.name}, job {job.id[:9]}, has no checkpoint that neat knows", hint)
    words = tuple(word.replace(PLACE, path) for word in more)
    return Resume(job, (*job.command, *words), path, found.step if found else None)


def resumable(
    records: sqlite3.Connection, series: sqlite3.Connection, job: Job, run: Run | None, is_sure: bool
) -> tuple[Job, Run | None]:
    """The job with its run, where that has a checkpoint, or it goes on or ended well; else the newest one before it, of its
    name, that has one: what failed at once had none to leave."""
    is_other = job.kind == "train" or (job.status == "finished" and not is_sure) or job.status not in JOB_ENDED
    if is_other or (run is not None and last_good(records, series, run)):
        return job, run
    rows = records.execute(
        "SELECT id FROM job WHERE project_id = ? AND name = ? AND id != ? AND created_at <= ?"
        " AND trial IS NULL ORDER BY created_at DESC, rowid DESC LIMIT ?",
        (job.project_id, job.name, job.id, stamp(job.created_at), _MOST_TRIES),
    ).fetchall()
    for row in rows:
        earlier = jobs.get_job(records, row[0])
        if earlier.status == "finished" and not is_sure:
            break  # what was asked for was done; the new one is another
        its = _run_of(records, earlier)
        if its is not None and last_good(records, series, its):
            return earlier, its
    return job, run


def _refuse_unknown(more: Sequence[str]) -> None:
    """A slip in the placeholder would be passed on as it is."""
    for word in more:
        unknown = next((one for one in _BRACED.findall(word) if one != PLACE), "")
        if unknown:
            raise NeatError(f"nothing is known to stand for {unknown}", f"did you mean {PLACE}?")


def last_good(records: sqlite3.Connection, series: sqlite3.Connection, run: Run) -> Checkpoint | None:
    """The newest checkpoint that is there, and from before what spoilt the run; None when there is none."""
    present = [one for one in checkpoints.catalogue(records, run.id) if one.status == "present" and _is_there(run, one)]
    stepped = sorted((one for one in present if one.step is not None), key=lambda one: (one.step or 0, one.ordinal))
    limit = _spoilt_at(records, series, run)
    good = [one for one in stepped if limit is None or (one.step or 0) < limit]
    return good[-1] if good else None if stepped else next(iter(present), None)


def trainer_of(job: Job) -> TrainerSpec | None:
    """The shipped trainer that a job runs; None for any other program, and for one that takes no `resume`."""
    if job.kind != "train":
        return None
    for spec in load_trainers(data_path("trainers")).values():
        if any(Path(word).parent == spec.folder for word in job.command):
            return spec if "resume" in spec.parameters else None
    return None


def _refuse(records: sqlite3.Connection, job: Job, run: Run | None, is_sure: bool) -> None:
    if job.status not in JOB_ENDED:
        raise NeatError(f"{job.name} is {job.status}", f"`neat stop {job.id[:9]}` ends it first")
    if run is not None and run.status not in ENDED:
        raise NeatError(
            f"{run.name} is {run.status}: {run.reason}", f"`neat run show {run.name}` tells more; end it first"
        )
    later = records.execute(
        "SELECT id, status FROM job WHERE retry_of = ? AND status IN ('queued', 'running')", (job.id,)
    ).fetchone()
    if later:
        raise NeatError(
            f"{job.name} goes on as job {later[0][:9]}, which is {later[1]}", f"`neat logs {later[0][:9]} -f`"
        )
    if job.status == "finished" and not is_sure:
        raise NeatError(
            f"{job.name} has ended well: {job.reason}", "there is nothing to go on with; --yes does it all the same"
        )


def _of_trainer(job: Job, run: Run | None, spec: TrainerSpec, found: Checkpoint | None, more: Sequence[str]) -> Resume:
    folder = Path(job.root) / job.run_folder
    if found is None and not any((folder / "checkpoints").glob("*")):
        raise NeatError(
            f"{job.name} has no checkpoint yet", f"begin it anew: `neat train {spec.name} --name ANOTHER …`"
        )
    unknown = [word for word in more if word.partition("=")[0] not in spec.parameters]
    if unknown:
        raise NeatError(f"{spec.name} has no parameter {unknown[0]!r}", f"it takes {', '.join(spec.parameters)}")
    checked(spec.name, spec.parameters, more)
    set_anew = {word.partition("=")[0] for word in (*more, "resume=true")}
    kept = [word for word in job.command if word.partition("=")[0] not in set_anew or "=" not in word]
    note = ""
    if run and found and (newest := _newest(folder)) and newest != found.step:
        note = f"it takes up its newest checkpoint, step {newest}; the last good one is step {found.step}"
    path = str(_place(run, found)) if run and found else ""
    return Resume(job, (*kept, *more, "resume=true"), path, found.step if found else None, note)


def _newest(folder: Path) -> int | None:
    """The step of the save that a trainer of neat takes up."""
    steps = [path.stem.removeprefix("step_") for path in (folder / "checkpoints").glob("step_*.pt")]
    return max((int(text) for text in steps if text.isdigit()), default=None)


def _place(run: Run, one: Checkpoint) -> Path:
    return Path(run.root) / run.folder / one.path


def _is_there(run: Run, one: Checkpoint) -> bool:
    place = _place(run, one)
    return place.exists() and is_inside(place, Path(run.root))


def _spoilt_at(records: sqlite3.Connection, series: sqlite3.Connection, run: Run) -> int | None:
    """The step at which a metric became NaN or infinite and stayed so; None where none did."""
    stuck = {
        fact.name for fact in points.series_of(series, run.id) if fact.last is None or not math.isfinite(fact.last)
    }
    if not stuck:
        return None
    steps = [
        event.step
        for event in events.events(records, run.project_id, run.id)
        if event.metric in stuck and event.step is not None and (event.value is None or not math.isfinite(event.value))
    ]
    return min(steps, default=None)


def job_of(records: sqlite3.Connection, word: str, project_id: str) -> tuple[Job | None, Run | None]:
    """(job, run) that a word means: an id or name of either. A run that neat did not start has no job. Raises NeatError when
    there is neither."""
    from neatd.pipeline.jobnames import find_bare, find_id

    if not word.startswith("r-"):
        try:
            job = jobs.get_job(records, find_id(records, word, "" if word.startswith("j-") else project_id))
            return job, _run_of(records, job)
        except NeatError:
            if word.startswith("j-"):
                raise
    try:
        run = runs.find_run(records, word, project_id)
    except NeatError as error:
        if word.startswith("r-") or not error.message.startswith("no run "):
            raise
        if bare := find_bare(records, word):
            job = jobs.get_job(records, bare)
            return job, _run_of(records, job)
        hint = "`neat queue --all` shows the jobs, `neat runs` the runs"
        raise NeatError(f"no job or run {word!r}", hint) from error
    return (jobs.get_job(records, run.job_id) if run.job_id else None), run


def _run_of(records: sqlite3.Connection, job: Job) -> Run | None:
    if job.run_folder:
        return runs.by_folder(records, job.root, job.run_folder)
    row = records.execute("SELECT id FROM run WHERE job_id = ?", (job.id,)).fetchone()
    return runs.get_run(records, row[0]) if row else None
