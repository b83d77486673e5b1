"""What a rule asks for besides its event: the evidence, a record of a bug, a pause of the queue, the end of the run.

Each is a request that was written with the event, so that none is forgotten and none is done twice.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from neatd.assist.eventwords import difference
from neatd.models import ENDED, Event, Request, Run
from neatd.pipeline.bugs import keep_bug
from neatd.pipeline.explaining import explain
from neatd.pipeline.scene import Scene
from neatd.pipeline.stopping import ask_end
from neatd.place import Place
from neatd.store import events, pauses, runs

KIND = "consequences"
WATCHED_S = 60.0  # a run whose last line is so much older than its being found was over by then


def follow_up(scene: Scene, request: Request) -> dict[str, Any]:
    """Do what the rule of an event asks for. Done again it changes nothing."""
    event = explain(scene, events.get_event(scene.records, request.payload["event"]))
    if event.run_id is None:
        return {}
    run = runs.get_run(scene.records, event.run_id)
    wanted = [str(one) for one in request.payload.get("then", ()) if one in _CALLS]
    if wanted and _was_over(scene, run):
        return dict.fromkeys(wanted, "not done: the run was over before it was found")
    done = {one: _CALLS[one](scene, event, run) for one in wanted}
    events.add_details(scene.records, event.id, {"done": done} if done else {})
    return done


def _was_over(scene: Scene, run: Run) -> bool:
    """Whether neat met the run only after its end: what went wrong in it then holds up nobody now."""
    project = scene.projects.get(run.root)
    live = project.runs.get(run.folder) if project else None
    if live is None or run.status not in ENDED:
        return False
    return (run.created_at - live.last_line_at).total_seconds() > WATCHED_S


def _keep_bug(scene: Scene, event: Event, run: Run) -> str:
    """The record's id: one a run and rule, whatever happens between."""
    place = _place(scene, run)
    against = event.details.get("against")
    fields = {
        "title": f"{run.name}: {event.rule}" + (f" at step {event.step}" if event.step is not None else ""),
        "body": event.message,
        "cause": f"unknown; against {against['name']}: {difference(against)}" if against else "",
        "follow_up": f"`neat run show {run.name}`, `neat show {event.id[:9]}`",
    }
    return keep_bug(scene, place, run.id, f"rule|{event.rule}", fields)[0]


def _pause_queue(scene: Scene, event: Event, run: Run) -> str:
    reason = f"{event.rule} in {run.name}: {event.message}"
    pauses.pause(scene.records, event.id, reason)
    project = scene.projects.get(run.root)
    if project is not None:
        project.is_stale = True
    return "no job of this project begins until `neat rules go-on`"


def _place(scene: Scene, run: Run) -> Place:
    project = scene.projects.get(run.root)
    name = project.project.name if project else Path(run.root).name
    return Place(Path(run.root), run.project_id, name, run.git.branch, run.git.commit)


_CALLS: dict[str, Callable[[Scene, Event, Run], str]] = {
    "bug": _keep_bug, "pause_queue": _pause_queue, "stop": ask_end,
}  # fmt: skip
