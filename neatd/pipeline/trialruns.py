"""The trial of a study that a run is of: its parameters are the run's where the run's own files do not name them.

Told by the run's job, else by its folder, which a trial's number decides: so it is known before its job is tied to it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from neatd.models import Run
from neatd.store import studies
from neatd.store.studies import Tried

_FOLDER = re.compile(r"runs/(?P<study>[^/]+)/trial-(?P<number>\d{4,})(?:/|$)")  # as `trials.run_folder` names it


def trial_of(records: sqlite3.Connection, run: Run) -> Tried | None:
    """The trial that wrote a run; None for a run of no study."""
    found = studies.tried_by(records, run.job_id) if run.job_id else None
    if found is None and (told := _FOLDER.match(run.folder)):
        found = studies.tried_in(records, run.project_id, run.root, told["study"], int(told["number"]))
    return found


def with_trial(records: sqlite3.Connection, run: Run, config: dict[str, Any]) -> dict[str, Any]:
    """A run's configuration, as its own files say, with what only its study knows: they may say it below another name,
    as `optim.lr`, and then it is not said twice."""
    found = trial_of(records, run)
    if found is None:
        return config
    said = set(_names(config))
    return config | {name: value for name, value in found.trial.params.items() if name not in said}


def trial_shape(records: sqlite3.Connection, run: Run) -> dict[str, Any] | None:
    """The study of a run, and how its trial stands there: a value that is not finite fails a trial whose process ended well."""
    found = trial_of(records, run)
    if found is None:
        return None
    one = found.trial
    return {"id": one.study_id, "name": found.study, "trial": one.number, "status": one.status, "reason": one.reason}


def _names(config: Mapping[str, Any]) -> Iterator[str]:
    """The names at all depths, without what stands before their last dot."""
    for name, value in config.items():
        yield name.rpartition(".")[2]
        if isinstance(value, dict):
            yield from _names(value)
