"""What is known of a run besides its numbers: parameters, plan and facts, from the files beside it and from what its
trackers say. Files come before trackers, a tracker of lower rank before others; what none of them names of a trial of a
study the study tells."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neatd.pipeline.scene import LiveProject, LiveRun, Scene
from neatd.pipeline.trialruns import with_trial
from neatd.read.formats.table import FORMATS
from neatd.read.mlflow_facts import mlflow_facts
from neatd.read.runconfig import NAMES, planned_epochs, planned_steps, read_config
from neatd.redact import redact_value
from neatd.redact_own import compile_patterns, redact_value_with
from neatd.store import runs

_OWN_COLUMNS = ("config", "planned_steps")  # told, and kept elsewhere than in the facts
FILES = (*NAMES, "meta.yaml")  # the last is of MLflow's files


def refresh_facts(scene: Scene, project: LiveProject, live: LiveRun) -> None:
    """Bring parameters, plan and facts of a run up to date when a file or a tracker said something new."""
    stamp = _stamp_of(live.folder, FILES), live.run.job_id
    if stamp == live.config_stamp and not live.is_told:
        return
    told = _told(live)
    config = (read_config(live.folder, project.root) if stamp[0] else {}) or told.get("config") or {}
    config = with_trial(scene.records, live.run, config)
    # What a tracker says of its own run comes before what a parameter of some name may mean.
    steps = told.get("planned_steps") or planned_steps(config) or project.config.planned_steps
    epochs = told.get("planned_epochs") or planned_epochs(config) or project.config.planned_epochs
    said = {name: value for name, value in told.items() if name not in _OWN_COLUMNS}
    if epochs:
        said["planned_epochs"] = epochs
    if steps is None and epochs and _counts_epochs(live):
        steps = round(epochs)
    secrets = compile_patterns(project.config.secrets)
    config = redact_value_with(secrets, config)
    facts = {**live.run.facts, "told": redact_value_with(secrets, said)} if said else live.run.facts
    wanted: dict[str, Any] = {"config": config or live.run.config, "planned_steps": steps, "facts": facts}
    changed = {name: value for name, value in wanted.items() if getattr(live.run, name) != value}
    if changed:
        set_run(scene, live, **changed)
        project.is_stale = True
    began = told.get("started_at")
    if began:
        began_at(scene, live, float(began))
    live.config_stamp, live.is_told = stamp, False


def began_at(scene: Scene, live: LiveRun, seconds: float) -> None:
    """The run began at this moment (unix seconds), if that is earlier than what was known."""
    if 0 < seconds < live.run.started_at.timestamp() - 1:
        set_run(scene, live, started_at=datetime.fromtimestamp(seconds, UTC))


def _told(live: LiveRun) -> dict[str, Any]:
    """All that the run's sources say; of two that say the same thing the one of lower rank."""
    found: dict[str, Any] = {}
    for source in sorted(live.sources.values(), key=lambda one: -FORMATS[one.placed.format].rank):
        found |= source.cursor.told
    if any(source.placed.format == "mlflow" for source in live.sources.values()):
        found |= redact_value(dict(mlflow_facts(live.folder)))
    return found


def _counts_epochs(live: LiveRun) -> bool:
    """Whether the run's steps are its epochs: its rows name no other step."""
    states = [source.cursor.state for source in live.sources.values() if source.placed.format == "csv"]
    return bool(states) and all(state.get("epoch") == "step" for state in states)


def _stamp_of(folder: Path, names: tuple[str, ...]) -> tuple[int, int] | None:
    """Of the first of these files that is there."""
    for name in names:
        try:
            stat = os.stat(f"{folder}/{name}")  # noqa: PTH116 - for every run that goes on, again and again
        except OSError:
            continue
        return stat.st_mtime_ns, stat.st_size
    return None


def set_run(scene: Scene, live: LiveRun, **fields: object) -> None:
    """Change a run in the store and in memory alike."""
    runs.set_run(scene.records, live.run.id, **fields)
    live.run = live.run.model_copy(update=fields)
