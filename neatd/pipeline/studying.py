"""The studies' turn: what became of trials, which are begun, which points come next, which are stopped early, the end.

The daemon alone asks and tells. The sampler lives in a process of its own (`pipeline/asker.py`), so no turn waits for it.
Invariant: the store is the truth. A point is planned, gets its job, ends and is tried again by one transaction each, and
every turn begins from the rows: wherever a daemon was killed, the next one goes on and nothing is doubled.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from neatd.errors import NeatError
from neatd.models import Study, Trial
from neatd.pipeline import halting, trials, unmeasured
from neatd.pipeline.scene import Scene
from neatd.store import requests, runs, studies, window
from neatd.store.connection import transaction
from neatd.store.moments import utc_now
from neatd.studies.spec import StudyFile

log = logging.getLogger(__name__)
LOOK_S = 0.2  # between looks at the same studies
REPORT_S = 1.0  # between looks at the values of trials that the pruner judges
HOPELESS = 5  # so many trials that fail, and none that ends with a value: the study is ended
MOST_REPORTS = 500  # of a trial: the pruner needs no more, and the journal keeps each
PRUNER = "the study's pruner"

Guard = Callable[..., Any]


@dataclass
class LiveStudy:
    """What the daemon remembers of a study that goes on. All of it is found again."""

    spec: StudyFile
    said: dict[str, Any]  # the same as the store has it
    known: set[int] | None = (
        None  # trials that the sampler's process needs no values of any more; None: it was not asked
    )
    told: dict[int, int] = field(default_factory=dict)  # open trial -> the last step whose value was told
    is_exhausted: bool = False
    is_level: bool = False  # all that has ended was told
    next_report: float = 0.0


def _plain(_: str, call: Callable[..., Any], *arguments: Any) -> Any:
    return call(*arguments)


def turn(scene: Scene, guard: Guard = _plain) -> bool:
    """One look at the studies; True when something changed and there may be more to do. Without any: one question to the
    store. `guard(what, call, *arguments)` keeps what goes wrong with one study from the others."""
    now, searches = scene.clock(), scene.searches
    if now < searches.next_look:
        return False
    searches.next_look = now + LOOK_S
    active = studies.active(scene.records)
    if not active:
        if searches.asker.is_awake:
            searches.asker.rest()
        searches.live.clear()
        return False
    answers, has_ended = searches.asker.take(now)
    if has_ended:
        log.error("the search's process ended by itself; studies/answering.log tells why")
        for one in searches.live.values():
            one.known = None
    changed = [guard(f"study {study_id}", look_at, scene, study_id, answers.get(study_id)) for study_id in active]
    if any(changed):
        searches.next_look = now
    return any(changed)


def look_at(scene: Scene, study_id: str, answer: dict[str, Any] | None) -> bool:
    """Bring one study forward; True when something changed."""
    study = studies.get_study(scene.records, study_id)
    live = _live(scene, study)
    before = scene.records.total_changes
    for trial in studies.open_trials(scene.records, study_id):
        if trial.job_id is not None and trials.look_at(scene, study, live.spec, trial):
            live.is_level = False
    if study.status == "running" and (why := unmeasured.reason(scene, study, live.spec)):
        _end(scene, study, "failed", why)
    elif study.status == "running":
        if answer is not None:
            _take(scene, study, live, answer)
        _begin(scene, study, live)
        _go_on(scene, studies.get_study(scene.records, study_id), live)
    elif any(one.job_id is None for one in studies.open_trials(scene.records, study_id)):
        _give_up_planned(scene, study)
    return scene.records.total_changes != before


def _live(scene: Scene, study: Study) -> LiveStudy:
    found: LiveStudy | None = scene.searches.live.get(study.id)
    if found is None or found.said != study.spec:  # `neat study resume --metric` changes it
        spec = StudyFile.model_validate(study.spec)
        found = scene.searches.live[study.id] = LiveStudy(spec, study.spec)
    return found


def _begin(scene: Scene, study: Study, live: LiveStudy) -> None:
    """Jobs for planned trials, as many as go side by side."""
    rows = studies.open_trials(scene.records, study.id)
    free = live.spec.parallel - sum(one.job_id is not None for one in rows)
    planned = [one for one in rows if one.job_id is None][: max(0, free)]
    if not planned:
        return
    try:
        template = trials.read_template(scene.home, study.id)
    except NeatError as error:
        _end(scene, study, "failed", error.message)
        return
    for trial in planned:
        trials.begin(scene, study, live.spec, template, trial)


def _go_on(scene: Scene, study: Study, live: LiveStudy) -> None:
    """Ask for what is missing, or end."""
    if study.status != "running" or scene.searches.asker.pending & {study.id}:
        return
    if why := _why_hopeless(scene, study):
        _end(scene, study, "failed", why)
        return
    rows = studies.open_trials(scene.records, study.id)
    wanted = 0 if live.is_exhausted else _wanted(scene, study, live, len(rows))
    is_over = not rows and not wanted and (live.is_exhausted or not _left(scene, study, live))
    if is_over and (live.is_level or not live.spec.needs_optuna):
        _finish(scene, study, live)
    elif wanted or is_over or _has_reports(scene, study, live, rows):
        _ask(scene, study, live, wanted)


def _left(scene: Scene, study: Study, live: LiveStudy) -> int:
    """How many points of the search are still to be planned."""
    planned = sum(n for (chosen_by, _), n in studies.counts(scene.records, study.id).items() if chosen_by == "sampler")
    return max(0, study.trials - planned // _repeats(live))


def _wanted(scene: Scene, study: Study, live: LiveStudy, opened: int) -> int:
    """How many points to ask for: as many as fill what is free."""
    free = live.spec.parallel - opened
    return min(math.ceil(free / _repeats(live)), _left(scene, study, live)) if free > 0 else 0


def _repeats(live: LiveStudy) -> int:
    return len(live.spec.repeats.values) if live.spec.repeats else 1


def _why_hopeless(scene: Scene, study: Study) -> str:
    """A mistake in the command fails each trial within seconds: they need not all be tried."""
    statuses = studies.statuses_from(scene.records, study.id, study.counted_from)
    failed = statuses.count("failed")
    if failed < HOPELESS or {"finished", "pruned"} & set(statuses):
        return ""
    last = [one for one in studies.trials(scene.records, study.id) if one.status == "failed"][-1]
    return f"its first {failed} trials failed: {last.reason}"


# ---- the sampler's process ----


def _ask(scene: Scene, study: Study, live: LiveStudy, wanted: int) -> None:
    asker = scene.searches.asker
    if scene.clock() < asker.not_before:
        return
    question: dict[str, Any] = {"spec": study.spec, "trials": None}
    if live.known is not None:
        rows = [_told(scene, live, one) for one in studies.trials(scene.records, study.id)]
        question |= {"trials": rows, "wanted": wanted}
        live.is_level = True
    try:
        asker.ask(scene.home, study.id, question)
    except OSError as error:
        asker.not_before = scene.clock() + REPORT_S
        studies.set_study(scene.records, study.id, reason=f"waits: the search cannot be asked: {error}")


def _told(scene: Scene, live: LiveStudy, trial: Trial) -> dict[str, Any]:
    """A trial for the sampler's process: `studies/told.py`."""
    state = "open" if trial.is_open else {"finished": "complete", "pruned": "pruned"}.get(trial.status, "failed")
    space = live.spec.space
    asked = [name for name in space if not live.spec.budget or name != live.spec.budget.by]
    is_outside = any(name not in trial.params or space[name].typed(trial.params[name]) is None for name in asked)
    return {
        "number": trial.number, "params": trial.params, "derived": trial.derived, "state": state, "value": trial.value,
        "reports": _reports(scene, live, trial), "is_outside": is_outside,
    }  # fmt: skip


def _reports(scene: Scene, live: LiveStudy, trial: Trial) -> list[tuple[int, float]]:
    """What the pruner was not told yet of a trial's values along the way."""
    assert live.known is not None
    if live.spec.pruner.kind == "none" or trial.number in live.known:
        return []
    after = live.told.get(trial.number)
    found = _values_after(scene, live, trial, after)
    if found:
        live.told[trial.number] = found[-1][0]
    if not trial.is_open:
        live.known.add(trial.number)
    return found[:: max(1, math.ceil(len(found) / MOST_REPORTS))]


def _values_after(scene: Scene, live: LiveStudy, trial: Trial, after: int | None) -> list[tuple[int, float]]:
    run_id = trial.run_id or _run_of(scene, trial)
    if run_id is None:
        return []
    first = None if after is None else after + 1
    return [(step, value) for step, value, _ in window.points_of(scene.points, run_id, live.spec.goal.metric, first)]


def _run_of(scene: Scene, trial: Trial) -> str | None:
    study = studies.get_study(scene.records, trial.study_id)
    run = runs.by_folder(scene.records, study.root, trials.run_folder(study.name, trial.number))
    return run.id if run else None


def _has_reports(scene: Scene, study: Study, live: LiveStudy, rows: list[Trial]) -> bool:
    """Whether a trial that goes on has values that the pruner has not seen."""
    if live.spec.pruner.kind == "none" or scene.clock() < live.next_report:
        return False
    live.next_report = scene.clock() + REPORT_S
    going = [one for one in rows if one.status == "running" and one.pruned_step is None]
    return any(_values_after(scene, live, one, live.told.get(one.number)) for one in going)


def _take(scene: Scene, study: Study, live: LiveStudy, answer: dict[str, Any]) -> None:
    """What the sampler's process answered: points become planned trials, hopeless trials are stopped."""
    if "error" in answer:
        _end(scene, study, "failed", f"{answer['error']}; {answer['hint']}" if answer["hint"] else answer["error"])
        return
    if "known" in answer:
        live.known, live.told = set(answer["known"]), {}
        return
    live.is_exhausted |= answer["is_exhausted"] and not answer["points"]
    for params, derived in answer["points"]:
        _plan(scene, study, live, params, derived)
    for number, step in answer["pruned"].items():
        _prune(scene, study, int(number), int(step))


def _plan(scene: Scene, study: Study, live: LiveStudy, params: dict[str, Any], derived: dict[str, Any]) -> None:
    """A point's trials, one for each repeat. One that a person added meanwhile is not tried twice."""
    with transaction(scene.records):
        trials.put_point(scene.records, study.id, live.spec, params, derived)


def _prune(scene: Scene, study: Study, number: int, step: int) -> None:
    """Have a trial's job stopped, and remember why, in one transaction."""
    trial = next((one for one in studies.open_trials(scene.records, study.id) if one.number == number), None)
    if trial is None or trial.pruned_step is not None or trial.job_id is None:
        return
    with transaction(scene.records):
        studies.set_trial(scene.records, study.id, number, pruned_step=step, reason=f"hopeless at step {step}")
        requests.put(scene.records, halting.KIND, study.project_id, {"job": trial.job_id, "who": PRUNER})
    scene.has_orders = True


# ---- the end ----


def _finish(scene: Scene, study: Study, live: LiveStudy) -> None:
    found = studies.trials(scene.records, study.id)
    ended = sum(one.status in ("finished", "pruned") for one in found)
    points = len({one.fingerprint for one in found})
    reason = f"{ended} of {points} trials ended with a value"
    if live.is_exhausted:
        reason += f"; no more than these {points} points can be tried"
    _end(scene, study, "finished", reason)


def _end(scene: Scene, study: Study, status: str, reason: str) -> None:
    """End it, with the trials that were planned and never begun. Those that run go on to their end. One that somebody
    stopped meanwhile stays so, and one that he added a trial to goes on."""
    with transaction(scene.records):
        is_open = studies.get_study(scene.records, study.id).status == "running"
        if not is_open or (status == "finished" and studies.open_trials(scene.records, study.id)):
            return
        studies.put_study(scene.records, study.id, status=status, reason=reason, ended_at=utc_now())
        _cancel_planned(scene, study)
    scene.queue.is_due = True  # what waits for it
    log.info("study %s: %s, %s", study.name, status, reason)


def _give_up_planned(scene: Scene, study: Study) -> None:
    """What was planned while somebody stopped the study would keep it open for ever, and never begin."""
    with transaction(scene.records):
        if studies.get_study(scene.records, study.id).status != "running":
            _cancel_planned(scene, study)


def _cancel_planned(scene: Scene, study: Study) -> None:
    for trial in studies.open_trials(scene.records, study.id):
        if trial.job_id is None:
            fields = {"status": "cancelled", "reason": "the study ended", "ended_at": utc_now()}
            studies.set_trial(scene.records, study.id, trial.number, **fields)
