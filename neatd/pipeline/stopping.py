"""The end of a run that a rule asks for: INT, TERM, KILL with time between, where the user allowed it on this machine.

Only the very process that the event is of, and only where it is that run's alone. A signal is written down before it is
sent: a daemon that is killed in between goes on with the next one and sends none twice.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from neatd.actions.ending import SIGNALS, send
from neatd.errors import NeatError
from neatd.jobs.folder import job_folder
from neatd.jobs.reconcile import observe
from neatd.models import ENDED, Event, ProcessFact, Request, Run
from neatd.pipeline.scene import Scene
from neatd.read.process import is_alive
from neatd.read.processfacts import identity
from neatd.store import events, projects, readings, requests, runs

log = logging.getLogger(__name__)
KIND = "end-run"
FOUND_S = 30.0  # within which the process of a run that was just met is found
LEFT_S = 60.0  # after KILL: a process that is stuck in the kernel is told of
SLACK_S = 60.0  # between the clock of a line and that of a process
EARLIEST_S = 1.4e9  # 2014: an earlier time in a line is a count of seconds of its own
_PINNED = {"pid", "started", "start_ticks", "boot_id"}


def ask_end(scene: Scene, event: Event, run: Run) -> str:
    """Ask for the run's end, which takes a while and is a request of its own. What came of it, also in the event."""
    said = _why_not(scene, event, run)
    if not said and not requests.has_asked(scene.records, KIND, event.id):
        requests.ask(scene.records, KIND, event.project_id, {"event": event.id, "run": run.id})
        scene.has_orders = True
    said = said or "asked for"
    events.add_details(scene.records, event.id, {"stop": said})
    return said


def _why_not(scene: Scene, event: Event, run: Run) -> str:
    if not _is_allowed(scene, run):
        return "not stopped: nobody allowed it; `neat allow stop` lets rules end the runs of this folder"
    if run.status in ENDED:
        return "it had ended"
    if _is_of_earlier_attempt(scene, event):
        return "not stopped: it was restarted since"
    others = requests.pending_of(scene.records, KIND)
    mine = next((one for one in others if one.payload.get("run") == run.id), None)
    if mine is not None and mine.payload["event"] != event.id:
        return f"it is being ended for {mine.payload['event'][:9]}"
    return ""


def _is_allowed(scene: Scene, run: Run) -> bool:
    return "stop" in projects.consents(scene.records, Path(run.root))


def _is_of_earlier_attempt(scene: Scene, event: Event) -> bool:
    """Whether the run began anew after the line that the event is of."""
    source, attempt = event.details.get("source"), event.details.get("attempt")
    if not event.metric or not isinstance(attempt, int):  # of the run as a whole, not of a line
        return False
    found = readings.readings(scene.points, event.run_id or "").items()
    return any(one.attempt > attempt for name, one in found if source in (name, one.stream))


def end_run(scene: Scene, request: Request) -> dict[str, Any] | None:
    """Go on with ending a run. None while it still ends: it is looked at again with the next turn."""
    event = events.get_event(scene.records, request.payload["event"])
    run = runs.get_run(scene.records, request.payload["run"])
    try:
        outcome = _step(scene, request, event, run)
    except NeatError as error:
        events.add_details(scene.records, event.id, {"stop": error.message})
        raise
    if not outcome:
        scene.has_orders = True
        return None
    events.add_details(scene.records, event.id, {"stop": outcome})
    return {**requests.get_request(scene.records, request.id).result, "outcome": outcome}


def _step(scene: Scene, request: Request, event: Event, run: Run) -> str:
    """One look, and the next signal when its time has come; how it ended, "" while it has not."""
    sent = list(request.result.get("sent", ()))
    pinned = request.result.get("process")
    fact = ProcessFact.model_validate(pinned) if pinned else _process_of(scene, request, event, run)
    if fact is None:
        return "it had ended by itself" if runs.get_run(scene.records, run.id).status in ENDED else ""
    if not is_alive(fact):
        return f"ended by {sent[-1][0]}" if sent else "it had ended by itself"
    if not _is_allowed(scene, run):
        raise NeatError("not stopped: the consent was taken back", "`neat allow stop`")
    return _signal(scene, request, run, fact, sent)


def _signal(scene: Scene, request: Request, run: Run, fact: ProcessFact, sent: list[Any]) -> str:
    now, since = scene.today().timestamp(), sent[0][1] if sent else 0.0
    if len(sent) == len(SIGNALS):
        if now - sent[-1][1] > LEFT_S:
            raise NeatError(f"process {fact.pid} did not end, not even by {SIGNALS[-1]}", "look at it with `ps`")
        return ""
    is_kernel = request.result.get("is_kernel", "ipykernel" in fact.command)
    if sent and is_kernel:
        return "interrupted; its notebook's kernel goes on"  # with all that it holds, which is not the run's alone
    after_s = (0.0, scene.settings.stop_term_s, scene.settings.stop_kill_s)[len(sent)]
    if sent and now - since < after_s:
        return ""
    name = SIGNALS[len(sent)]
    kept = {"process": fact.model_dump(include=_PINNED), "is_kernel": is_kernel, "sent": [*sent, [name, now]]}
    requests.set_request(scene.records, request.id, "running", kept)
    log.warning("%s: a rule ends it, %s to process %s", run.name, name, fact.pid)
    others = [one.process.pid for one in _others(scene, run) if one.process]
    send(fact, name, is_alive, others)
    return ""


def _process_of(scene: Scene, request: Request, event: Event, run: Run) -> ProcessFact | None:
    """The process that wrote what the event is of. None while it is looked for; raises NeatError for one that is not to be
    ended."""
    fact = run.process or _job_process(scene, run)
    if fact is None:
        if (scene.today() - request.created_at).total_seconds() > FOUND_S and run.status not in ENDED:
            raise NeatError("not stopped: no process of it is known", "end it by hand")
        return None
    at = event.started_at.timestamp()
    if EARLIEST_S < at < fact.started - SLACK_S:
        raise NeatError(f"not stopped: process {fact.pid} began after it", "it is the run's next life, perhaps")
    shared = next((one for one in _others(scene, run) if _is_same(one.process, fact)), None)
    if shared is not None:
        raise NeatError(f"not stopped: process {fact.pid} trains {shared.name} too", "end it by hand")
    return fact


def _job_process(scene: Scene, run: Run) -> ProcessFact | None:
    state = observe(job_folder(scene.home, run.job_id)) if run.job_id else None
    if state is None or state.status != "running" or state.pid is None or state.started is None:
        return None
    return ProcessFact.model_validate({"pid": state.pid, "started": state.started, **identity(state.pid)})


def _others(scene: Scene, run: Run) -> list[Run]:
    """The other runs that go on."""
    return [live.run for _, live in scene.live_runs() if live.run.id != run.id and not live.is_ended]


def _is_same(one: ProcessFact | None, other: ProcessFact) -> bool:
    return one is not None and one.pid == other.pid and abs(one.started - other.started) < 1.0
