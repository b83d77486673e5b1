"""The queue's turn: what became of the jobs that run, which of those that wait begin, and their start.

Called by the loop, or by a command under the daemon's lock when none runs. Why jobs wait is told by
`pipeline/waiting.py: why_waiting`, which loads little. Once it is queued a job's row is written by this turn and by who stops
it (`pipeline/halting.py`).
Invariant: a lease is committed before anything of a job is started, and a start that a crash cut off is made good by starting
the same again, which `jobs/shim.py` does once at most. What has ended is never started.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from neatd.files import write_atomic
from neatd.jobs import bell
from neatd.jobs.folder import job_folder
from neatd.jobs.launch import START_WAIT_S, reap
from neatd.jobs.reconcile import observe
from neatd.models import JOB_ENDED, Job
from neatd.pipeline import devices, ended, starting
from neatd.pipeline.memory import why_wait
from neatd.pipeline.scene import Scene
from neatd.pipeline.waiting import Machine, machine_path, paused_groups, shown, waiting, world_of
from neatd.rules.admission import Decision, World, admit, has_failed, lost
from neatd.rules.leases import Device
from neatd.store import jobs, queued
from neatd.store.connection import transaction
from neatd.store.moments import utc_now

log = logging.getLogger(__name__)
MOST_STARTS = 8  # in a turn: some 5 ms each
FULL_DISK_PAUSE_S = 30.0
_LOOK_S = 0.02
_GIB = 1 << 30

Guard = Callable[..., Any]


def _plain(_: str, call: Callable[..., Any], *arguments: Any) -> Any:
    return call(*arguments)


def prepare(scene: Scene) -> None:
    """What a start needs: the folder of bells is there, so that it is watched."""
    bell.bell_folder(scene.home).mkdir(parents=True, exist_ok=True)


def turn(scene: Scene, is_sweep: bool = False, guard: Guard = _plain) -> bool:
    """One look at the queue; True when there is more to start at once. Nothing changed: a look into an empty folder.

    The bell tells which jobs began or ended, a sweep looks at all that run. `guard(what, call, *arguments)` keeps what goes
    wrong with one job from the others.
    """
    queue = scene.queue
    rung = bell.rung(scene.home)
    if rung:
        queue.is_due = True
        bell.clear(scene.home, rung)
    queue.children = reap(queue.children)
    if queue.is_new:
        prepare(scene)
    if queue.cpu_slots != scene.settings.cpu_slots:
        queue.cpu_slots, queue.is_due = scene.settings.cpu_slots, True
    if is_sweep or rung or queue.is_new:
        for job in jobs.running(scene.records):
            if is_sweep or queue.is_new or job.id in rung:
                guard(f"job {job.id}", look_at, scene, job)
        queue.is_due |= is_sweep and _have_devices_changed(scene)
        queue.is_new = False
    if not queue.is_due or scene.clock() < queue.not_before:
        return False
    return _let_begin(scene, guard)


def turn_here(scene: Scene) -> None:
    """The turn of a command, where no daemon runs: what is given room has begun, or could not, when this returns.

    The rest waits for a daemon."""
    until = scene.clock() + START_WAIT_S
    scene.queue.is_due = True
    while turn(scene, is_sweep=True):
        pass
    while (begins := [job for job in jobs.running(scene.records) if job.pid is None]) and scene.clock() < until:
        time.sleep(_LOOK_S)
        for job in begins:
            look_at(scene, job)
    scene.queue.children = reap(scene.queue.children)


def look_at(scene: Scene, job: Job) -> None:
    """Bring the row of a job that runs up to date; start it, where a crash came between its lease and its start."""
    state = observe(job_folder(scene.home, job.id))
    if state.status == "queued":
        _begin_again(scene, job)
        return
    scene.queue.begun.pop(job.id, None)
    if state.status in JOB_ENDED:
        ended.settle(scene, job, state)
        scene.queue.is_due = True
    elif (state.pid, reason := job.reason if ended.is_being_stopped(job) else state.reason) != (job.pid, job.reason):
        jobs.set_job(scene.records, job.id, pid=state.pid, reason=reason, started_at=ended.moment(state.started))


def _begin_again(scene: Scene, job: Job) -> None:
    """Nothing says that it was begun. A shim that is on its way is waited for; the lock lets one in, whoever starts two."""
    begun = scene.queue.begun.get(job.id)
    if job.pid is not None:  # it had been seen: its folder is gone, and it must not run twice
        ended.settle_lost(scene, job)
        scene.queue.is_due = True
    elif begun is None or scene.clock() - begun > START_WAIT_S:
        log.warning("job %s was given room and did not begin: it is started again", job.id)
        _begin(scene, job)


def _let_begin(scene: Scene, guard: Guard) -> bool:
    """Decide of those that wait; give room to those that begin, then start them."""
    queue = scene.queue
    if not queued.is_any(scene.records):
        queue.is_due, queue.devices = False, None
        return False
    seen = devices.look(scene)
    machine = Machine(scene.settings.cpu_slots, seen, why_wait(scene))
    _show(scene, machine)
    world = world_of(scene.records, machine)
    decided = _decide(scene, world)
    begun = _give_room(scene, [one for one in decided if one.lease is not None])
    has_lost = _cancel_lost(scene, world)
    told = {one.id: f"waits: {one.reason}" for one in decided}
    rest = "the queue is paused" if paused_groups(world) is None else machine.risk or "for its turn"
    queued.tell(scene.records, told, f"waits: {rest}")
    queue.devices = _mark(seen) if any(one.kind != "cpu" for one in seen) else None
    queue.is_due = has_lost or len(begun) == MOST_STARTS
    for job_id in begun:
        guard(f"job {job_id}", _begin, scene, jobs.get_job(scene.records, job_id))
    return queue.is_due and scene.clock() >= queue.not_before


def _decide(scene: Scene, world: World) -> list[Decision]:
    """The decisions up to as many starts as one turn takes. Rows are read as far as that; none of groups that are paused."""
    paused = paused_groups(world)
    if paused is None:
        return []
    decided, starts = [], 0
    for one in admit(map(waiting, queued.queued(scene.records, paused)), world, is_brief=True):
        decided.append(one)
        starts += one.lease is not None
        if starts == MOST_STARTS:
            break
    return decided


def _cancel_lost(scene: Scene, world: World) -> bool:
    """End those that come after one that ended badly, paused or not; whether there was one: others may come after it."""
    if not has_failed(world.ended.values()):
        return False
    rows = queued.queued(scene.records, only_after=True)
    never = [one for row in rows if (one := lost(waiting(row), world.ended))]
    for one in never:
        queued.cancel(scene.records, one.id, one.reason)
    return bool(never)


def _give_room(scene: Scene, begins: Sequence[Decision]) -> list[str]:
    """Commit their leases; those that still waited."""
    if not begins:
        return []
    with transaction(scene.records):
        now = utc_now()
        return [one.id for one in begins if queued.begin(scene.records, one.id, json.dumps(one.lease), now)]


def _begin(scene: Scene, job: Job) -> None:
    queue = scene.queue
    queue.begun[job.id] = scene.clock()
    if not starting.start(scene, job):
        queue.not_before = scene.clock() + FULL_DISK_PAUSE_S
        queue.begun.pop(job.id, None)
        queue.is_due = True


def _have_devices_changed(scene: Scene) -> bool:
    """Whether other programs took or gave back something for which a job waits."""
    if scene.queue.devices is None:
        return False
    return _mark(devices.look(scene)) != scene.queue.devices


def _mark(seen: Iterable[Device]) -> object:
    return tuple((one.key, one.foreign_bytes // _GIB, one.is_used, one.over_bytes // _GIB, one.is_gone) for one in seen)


def _show(scene: Scene, machine: Machine) -> None:
    """Leave for the commands what decided of the machine; what changes all the time is as of the last decision."""
    text = json.dumps(shown(machine._replace(devices=tuple(one._replace(free_bytes=None) for one in machine.devices))))
    if text != scene.queue.machine:
        with suppress(OSError):  # a full disk: the commands show the machine as it was
            write_atomic(machine_path(scene.home), text.encode())
            scene.queue.machine = text
