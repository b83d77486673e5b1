"""Verdicts of hypotheses, computed when what decides them has ended: a run, all runs of a study, a recorded experiment.

A verdict that the daemon wrote is computed anew when its run came back, its experiment changed or another baseline was
named. What a person closed by hand is left alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from neatd.errors import NeatError
from neatd.knowledge import Experiment, Hypothesis
from neatd.models import ENDED, Run
from neatd.pipeline.scene import LiveProject, Scene
from neatd.rules.hypothesis import (
    HypothesisVerdict,
    Measured,
    Prediction,
    judge_hypothesis,
    judge_value,
    parse_prediction,
)
from neatd.store import points, projects, records, runs, window
from neatd.store.evidence import anchored

_TARGETS = ("created", "predict", "run", "study", "experiment")  # what says which result will be which


def decide_hypotheses(scene: Scene, project: LiveProject) -> None:
    """Compute the verdicts that ended runs and recorded experiments allow; the brief is stale when one changed."""

    def is_read(run: Run) -> bool:
        home = scene.projects.get(run.root)
        live = home.runs.get(run.folder) if home else None
        return live is None or not any(source.is_due for source in live.sources.values())

    if decide(scene.records, scene.points, project.project.id, is_read):
        project.is_stale = True


def decide(
    store: sqlite3.Connection, series: sqlite3.Connection, project_id: str,
    is_read: Callable[[Run], bool] = lambda run: True,
) -> bool:  # fmt: skip
    """Decide what can be decided of a project. `is_read`: whether all lines of a run are in the store. True: some changed."""
    asked = [one for one in records.list_records(store, "hypothesis", project_id) if _is_ours(one)]
    if not asked:
        return False
    deciding = _Deciding(store, series, project_id, is_read)
    return sum(deciding.decide(one) for one in asked) > 0


def _is_ours(one: Hypothesis) -> bool:
    """Open, or closed by the daemon and by nobody else."""
    return bool(one.predict) and (one.status == "open" or one.status == one.verdict)


def runs_of_study(known: Sequence[Run], study: str) -> list[Run]:
    """The runs below a folder of that name: `sweep` has runs/sweep/t1 and sweep/a/t2, and not runs/sweep itself."""
    name = study.strip("/")
    return [run for run in known if name and f"/{name}/" in f"/{run.name.rpartition('/')[0]}/"]


class _Deciding:
    """One pass over the hypotheses of a project, for which runs and baseline are looked up once."""

    def __init__(
        self, store: sqlite3.Connection, series: sqlite3.Connection, project_id: str, is_read: Callable[[Run], bool]
    ) -> None:
        self.store, self.series, self.is_read = store, series, is_read
        self.project_id = project_id
        self.runs = runs.all_runs(store, project_id)
        self.by_id = {run.id: run for run in self.runs}
        self.by_name = {run.name: run for run in reversed(self.runs)}  # of equal ones the newest
        self.by_last_part = {run.name.rsplit("/", 1)[-1]: run for run in reversed(self.runs)}
        self.baseline = projects.baseline(store, project_id)

    def decide(self, one: Hypothesis) -> bool:
        """Write the verdict of one hypothesis, if there is a new one."""
        found = self.verdict(one)
        if found is None or _is_same(one, found):
            return False
        records.set_verdict(self.store, one.id, *found)
        return True

    def verdict(self, one: Hypothesis) -> HypothesisVerdict | None:
        """What is to be said now; None while it is not over, or nothing changed since it was decided."""
        try:
            prediction = parse_prediction(one.predict)
        except NeatError as error:  # it came with a clone, or from an older neat
            return HypothesisVerdict("undecided", error.message, [])
        if not (one.run or one.study) and one.experiment:
            return self._by_experiment(one, prediction)
        ended = self._ended(one)
        if not ended or not self._is_due(one, prediction, max(run.ended_at for run in ended if run.ended_at)):
            return None
        found = judge_hypothesis(prediction, [self._measured(run, prediction) for run in ended], self._base(prediction))
        deciding = next((run for run in ended if found.evidence and run.id == found.evidence[0]["run"]), ended[0])
        return self._marked(one, found, deciding.ended_at, "after the run had ended")

    def _ended(self, one: Hypothesis) -> list[Run]:
        """The runs that decide, all of them ended and read; [] otherwise."""
        if one.run:
            run = self._named(one.run)
            found = [run] if run else []
        else:
            found = runs_of_study(self.runs, one.study)
        is_over = all(run.status in ENDED and run.ended_at and self.is_read(run) for run in found)
        return found if is_over else []

    def _named(self, word: str) -> Run | None:
        """As `runs.named`, which looks through all of them."""
        found = self.by_name.get(word.rstrip("/")) or self.by_last_part.get("" if word.startswith("r-") else word)
        return found or (runs.named(self.runs, word) if word.startswith("r-") else None)

    def _is_due(self, one: Hypothesis, prediction: Prediction, ended_at: datetime) -> bool:
        """Whether it is open, or what it was decided by has changed since."""
        if one.status == "open":
            return True
        changed_at = [ended_at]
        if prediction.number is None:
            if [number.get("run") for number in one.evidence if number.get("role") == "baseline"] != [self.baseline]:
                return True
            base = self.by_id.get(self.baseline)
            changed_at += [base.ended_at] if base and base.ended_at else []
        return max(changed_at) > _decided_at(one)

    def _by_experiment(self, one: Hypothesis, prediction: Prediction) -> HypothesisVerdict | None:
        experiment = self._experiment(one.experiment)
        if experiment is None or not self._is_due(one, prediction, experiment.updated_at):
            return None
        found = judge_value(prediction, experiment.metric, experiment.value, self._base(prediction))
        if found.verdict != "undecided":
            name = {"experiment": experiment.id, "name": experiment.title, "metric": experiment.metric}
            number = {**name, "value": experiment.value, "at": datetime.now(UTC).isoformat()}
            found = found._replace(evidence=[number, *found.evidence])
        return self._marked(one, found, experiment.created_at, "after the experiment was recorded")

    def _experiment(self, word: str) -> Experiment | None:
        """By the beginning of its id, or by its title."""
        known: list[Experiment] = records.list_records(self.store, "experiment", self.project_id)
        by_title = [one for one in known if one.title.lower() == word.lower()]
        return next(iter(by_title or [one for one in known if len(word) > 2 and one.id.startswith(word)]), None)

    def _base(self, prediction: Prediction) -> Measured | None:
        run = self.by_id.get(self.baseline)
        return self._measured(run, prediction) if run and prediction.number is None else None

    def _measured(self, run: Run, prediction: Prediction) -> Measured:
        facts = {fact.name: fact for fact in points.series_of(self.series, run.id)}
        wants = prediction.moment in ("at", "by") and prediction.metric in facts
        rows = window.points_of(self.series, run.id, prediction.metric, None, prediction.step) if wants else []
        return Measured(run.id, run.name, facts, [row[:2] for row in rows], run.status == "finished")

    def _marked(
        self, one: Hypothesis, found: HypothesisVerdict, known_since: datetime | None, when: str
    ) -> HypothesisVerdict:
        """The verdict with its numbers tied to their files, and marked when the prediction came after the result."""
        evidence = [self._tied(number) for number in found.evidence]
        is_late = known_since is not None and _said_at(self.store, one) > known_since
        reason = f"{found.reason}; the prediction was written {when}" if is_late else found.reason
        return HypothesisVerdict(found.verdict, reason, evidence)

    def _tied(self, number: dict[str, Any]) -> dict[str, Any]:
        run = self.by_id.get(str(number.get("run")))
        if run is None:
            return number
        sources = {fact.name: fact.source for fact in points.series_of(self.series, run.id)}
        return anchored(run, sources[number["metric"]], number)


def _said_at(store: sqlite3.Connection, one: Hypothesis) -> datetime:
    """When it was last said what is predicted, or of which run. A record that came with a clone has no history here."""
    said = [change.at for change in records.history(store, one.id) if change.field in _TARGETS]
    return max(said, default=one.created_at)


def _decided_at(one: Hypothesis) -> datetime:
    try:
        return datetime.fromisoformat(str(one.evidence[0]["at"]))
    except (IndexError, KeyError, ValueError):
        return one.updated_at


def _is_same(one: Hypothesis, found: HypothesisVerdict) -> bool:
    """Whether the record says so already; when its numbers were looked up makes no difference."""
    is_closed_so = one.status == ("open" if found.verdict == "undecided" else found.verdict)
    was, now = ([{**number, "at": ""} for number in numbers] for numbers in (one.evidence, found.evidence))
    return is_closed_so and (found.verdict, found.reason) == (one.verdict, one.verdict_reason) and was == now
