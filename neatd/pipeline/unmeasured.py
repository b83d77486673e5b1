"""A study whose goal's metric no trial writes: told after the first such trial, before the others are run for nothing.

Only a job that ended well speaks: what crashed may have been before its first evaluation. Invariant: once a trial has or
had a value of the metric, or one that goes on writes it, the name is right and nothing is said.
"""

from __future__ import annotations

import difflib

from neatd.models import Study
from neatd.now import is_system
from neatd.pipeline import trials
from neatd.pipeline.scene import Scene
from neatd.store import events, points, runs, studies
from neatd.studies.spec import StudyFile

RULE = "study-metric"


def reason(scene: Scene, study: Study, spec: StudyFile) -> str:
    """Why no further trial may begin, kept as an event too; "" where nothing is wrong."""
    metric = spec.goal.metric
    found = studies.first_without(scene.records, study.id, study.counted_from, trials.without(metric))
    if found is None:
        return ""
    number, run_id = found
    known = sorted(one.name for one in points.series_of(scene.points, run_id) if not is_system(one.name))
    if not known or metric in known or _is_written(scene, study, metric):
        return ""
    near = _near(metric, known)
    meant = f"did you mean {near[0]}?" if near else f"it has {', '.join(known[:8])};"
    name = near[0] if near else "METRIC"
    told = (
        f"trial {number}'s run has no {metric}, {meant} `neat study resume {study.name} --metric {name}` goes on;"
        " without --metric once the command writes it"
    )
    key = f"{RULE}|{study.id}|{study.counted_from}|{metric}"
    events.add_mishap(scene.records, RULE, f"study {study.name}: {told}", key, "warning", study.project_id, run_id)
    return told


def _is_written(scene: Scene, study: Study, metric: str) -> bool:
    """Whether a trial that goes on writes it."""
    for one in studies.open_trials(scene.records, study.id):
        run = runs.by_folder(scene.records, study.root, trials.run_folder(study.name, one.number))
        if run and any(fact.name == metric for fact in points.series_of(scene.points, run.id)):
            return True
    return False


def _near(metric: str, known: list[str]) -> list[str]:
    near = difflib.get_close_matches(metric, known, n=1, cutoff=0.6)
    return near or [name for name in known if name.rsplit("/", 1)[-1] == metric.rsplit("/", 1)[-1]]
