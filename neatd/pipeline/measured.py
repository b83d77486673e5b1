"""What a job of kind eval or profile found, kept against its run: an event with the numbers, the checkpoint and its hash.

The result is the last line of the job's output that is a JSON object. Invariant: a job's result is kept once, by the job's id.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

from neatd.assist.render import number
from neatd.errors import NeatError
from neatd.files import is_text, measure_checkpoint, open_regular
from neatd.jobs.folder import LOG, job_folder
from neatd.models import Event, Job
from neatd.pipeline.results import MOST_SAID
from neatd.pipeline.scene import Scene
from neatd.store import events, runs
from neatd.store.connection import transaction
from neatd.store.rows import finite_json
from neatd.store.short import new_id

_TAIL = 256 << 10  # bytes of the output in which the result is looked for
_MOST_NUMBERS = 200
NOTHING = "its output ends with no JSON object of numbers: nothing was kept"


def keep(scene: Scene, job: Job) -> str:
    """Keep the result of a job that ended well; what its reason has to tell besides."""
    found = result_in(job_folder(scene.home, job.id) / LOG)
    if not found:
        return NOTHING
    step, is_changed = found.pop("step", job.params.get("step")), _is_changed(job)
    metric, value = next(iter(found.items()))
    run_id, now = job.params.get("run"), scene.today()
    details = {name: job.params[name] for name in ("checkpoint", "hash", "set") if job.params.get(name)}
    details |= {"condition": job.kind, "values": finite_json(found), "job": job.id, "is_changed": is_changed}
    event = Event(
        id=new_id("event"), project_id=job.project_id, run_id=run_id if _is_run(scene, run_id) else None, rule=job.kind,
        metric=f"{job.kind}/{metric}", step=int(step) if step is not None else None, started_at=now, created_at=now,
        severity="info", value=value, message=_message(job, found, step, is_changed), details=details,
        dedupe=f"{job.kind}|{job.id}",
    )  # fmt: skip
    with transaction(scene.records):
        events.insert_event(scene.records, event)
    if project := scene.projects.get(job.root):
        project.is_stale = True
    return "the checkpoint was written anew since it was queued" if is_changed else ""


def result_in(log: Path) -> dict[str, float]:
    """The numbers of the last line of an output that is a JSON object; {} where there is none."""
    try:
        with open_regular(log) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            lines = file.read(_TAIL).decode("utf-8", "replace").splitlines()
    except OSError:
        return {}
    for line in reversed(lines):
        text = line.strip()
        if text.startswith("{") and text.endswith("}"):
            try:
                found = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if numbers := _numbers(found):
                return numbers
    return {}


def _numbers(found: object) -> dict[str, float]:
    """The finite and other numbers of an object; a step only where it is a whole one."""
    if not isinstance(found, dict):
        return {}
    plain = {
        name: one for name, one in found.items() if type(one) in (int, float) and 0 < len(name) <= 200 and is_text(name)
    }
    step = plain.get("step")
    if (isinstance(step, float) and not step.is_integer()) or (step is not None and abs(step) >= 2**63):
        plain.pop("step")
    kept = {name: _float(one) for name, one in list(plain.items())[:_MOST_NUMBERS]}
    return kept if set(kept) - {"step"} else {}


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _is_run(scene: Scene, run_id: object) -> bool:
    try:
        return bool(run_id) and bool(runs.get_run(scene.records, str(run_id)))
    except NeatError:
        return False


def _is_changed(job: Job) -> bool:
    """Whether the checkpoint is another than the one that was hashed."""
    stamp, path = job.params.get("stamp"), job.params.get("path")
    return bool(stamp and path) and list(measure_checkpoint(Path(str(path))) or ()) != stamp


def _message(job: Job, found: Mapping[str, float], step: float | None, is_changed: bool) -> str:
    what = job.params.get("checkpoint") or job.name
    at = "" if step is None else f" at step {step:.0f}"
    said = [f"{name} {number(value)}" for name, value in list(found.items())[:MOST_SAID]]
    more = f" and {len(found) - MOST_SAID} more" if len(found) > MOST_SAID else ""
    changed = "; the file was written anew since it was queued" if is_changed else ""
    return f"{what}{at}: {', '.join(said)}{more}{changed}"
