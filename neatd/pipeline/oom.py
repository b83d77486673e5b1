"""Runs that ended for want of memory: the evidence gathered for their status, and one record of a bug each.

Evidence, the surest first: the kernel's log names one of the run's processes; the kill counter of its control group grew since
the last look; the last line of its traceback says so. A SIGKILL just after the risk was HIGH at a limit above the run is
called probable, and never more.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from neatd.pipeline import bugs
from neatd.pipeline.scene import LiveProject, LiveRun, Scene
from neatd.place import Place
from neatd.read.kernlog import KernelKill, kernel_kills
from neatd.rules.headroom import HOST, amount
from neatd.rules.memory import Judgement
from neatd.rules.oom import MemoryEnd, said_by
from neatd.rules.oomadvice import bug_fields
from neatd.rules.status import RunFacts
from neatd.store import events, points

RSS = "system/rss_bytes"
RECENT_S = 60.0  # between a HIGH and the end that may be its own
STARTED_SLACK_S = 5.0  # a kill before the process began was of another one with its number
_BY_SIGKILL = ("SIGKILL", "exit code 137")


def with_memory(scene: Scene, live: LiveRun, facts: RunFacts) -> RunFacts:
    """The facts of a run whose process has gone, with what its end has to do with memory; kept for its record too."""
    if facts.is_alive or facts.job_status in ("finished", "interrupted", "queued", "running"):
        return facts
    if facts.oom_kills == 0 and live.memory is not None:
        facts = facts._replace(oom_kills=live.memory.oom_kills_at_end())
    kill = _in_kernel_log(live, facts)
    high = _high_before(scene, live)
    live.memory_end = next(_ends(scene, live, facts, kill, high), None)
    if live.memory_end is None:
        return facts._replace(memory_end=f"memory was short just before: {high.reason}") if high else facts
    if kill is not None:
        return facts._replace(oom_log=live.memory_end.how)
    return facts._replace(memory_end=live.memory_end.how)


def _ends(
    scene: Scene, live: LiveRun, facts: RunFacts, kill: KernelKill | None, high: Judgement | None
) -> Iterator[MemoryEnd]:
    """What the evidence says, the surest first."""
    usual = _numbers(scene, live, high)
    if kill is not None:
        whose = "its control group's limit" if kill.is_of_group else "the machine's memory"
        how = f"the kernel killed process {kill.pid} ({kill.name}, {amount(kill.rss_bytes)}) for memory: {whose} was reached"
        yield usual._replace(how=how, peak_bytes=max(usual.peak_bytes or 0, kill.rss_bytes))
    if facts.oom_kills:
        how = f"the kernel killed {facts.oom_kills} for memory in its control group"
        yield usual._replace(how=how)
    said = said_by(facts.traceback)
    if said is not None:
        how = f"it ended with {facts.traceback}"
        found = usual._replace(how=how, where=said.where, is_sure=not said.is_worker, wanted_bytes=said.wanted_bytes)
        if said.where != "host":
            found = found._replace(limit="the GPU" if said.where == "gpu" else "/dev/shm", limit_bytes=said.total_bytes)
            used = said.total_bytes - (said.free_bytes or 0) if said.total_bytes else None
            found = found._replace(left_bytes=said.free_bytes, peak_bytes=used, others_bytes=None)
        yield found
    if high is not None and facts.job_status == "killed" and any(one in facts.job_reason for one in _BY_SIGKILL):
        yield usual._replace(how=f"probably for memory, just before: {high.reason}", is_sure=False)


def _in_kernel_log(live: LiveRun, facts: RunFacts) -> KernelKill | None:
    """The kill of one of the run's processes, as the kernel wrote it down; of several the last."""
    pids = {facts.pid} | (live.memory.pids if live.memory else frozenset())
    began = live.run.process.started if live.run.process else live.run.started_at.timestamp()
    found = [one for one in kernel_kills() if one.pid in pids and one.at > began - STARTED_SLACK_S]
    return found[-1] if found else None


def _high_before(scene: Scene, live: LiveRun) -> Judgement | None:
    """The risk that was HIGH just now, at a limit that the run was under."""
    state = scene.memory
    if state.high is None or scene.clock() - state.high[0] > RECENT_S:
        return None
    groups = {str(folder) for folder in live.memory.groups} if live.memory else set()
    return state.high[1] if state.high[1].room.key in {HOST, *groups} else None


def _numbers(scene: Scene, live: LiveRun, high: Judgement | None) -> MemoryEnd:
    """The limit it was under, its peak, what others held and what was left at the last look."""
    peak = next((one.max for one in points.series_of(scene.points, live.run.id) if one.name == RSS), None)
    found = MemoryEnd("", peak_bytes=int(peak) if peak else None)
    last = live.memory.last if live.memory else None
    if last is None or last.rss_bytes is None:
        return found
    is_group = last.cgroup_headroom_bytes is not None and last.cgroup_headroom_bytes == last.headroom_bytes
    limit = last.cgroup_limit_bytes if is_group else last.host_total_bytes
    left = last.headroom_bytes
    if high is not None:
        limit, left = high.room.limit_bytes, high.room.available_bytes
        is_group = high.room.key != HOST
    others = max(0, limit - left - last.rss_bytes) if limit is not None and left is not None else None
    name = "its control group" if is_group else "the machine"
    return found._replace(
        limit=name if limit else "", limit_bytes=limit, left_bytes=left, others_bytes=others,
        peak_bytes=max(found.peak_bytes or 0, last.rss_bytes),
    )  # fmt: skip


def keep_bug(scene: Scene, project: LiveProject, live: LiveRun, status: str) -> bool:
    """Write the record and the event of a run that ended for want of memory, once for each run, whatever happens between."""
    end, run = live.memory_end, live.run
    if end is None or status not in ("killed", "failed", "lost"):
        return False
    place = Place(Path(run.root), project.project.id, project.project.name, run.git.branch, run.git.commit)
    said = bug_fields(run.name, end, run.config)
    _, is_new = bugs.keep_bug(scene, place, run.id, "out of memory", said)
    message = f"{said['title']}: {end.how}. {said['follow_up']}"
    events.add_mishap(
        scene.records, "out-of-memory", message, f"out-of-memory|{run.id}", "critical", run.project_id, run.id
    )
    return is_new
