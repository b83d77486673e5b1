"""The machine's memory, watched while a run or job is active: the risk, and whether something may be started now. Nothing is
asked to end.

One look, judged: 0.4 ms, and 17 us for each control group around a run (measured on Linux 6.18); none while nothing runs.
"""

from __future__ import annotations

import os
from pathlib import Path

from neatd.config import Settings
from neatd.pipeline.memoryalerts import tell, write_state
from neatd.pipeline.scene import Scene
from neatd.read.cgroups import find_mounts, groups_of, limits_of, pressure_of
from neatd.read.memory import read_host
from neatd.rules.headroom import HOST, MemoryLook, Room
from neatd.rules.memory import Judgement, MemoryWatch, Thresholds, reason_to_wait

WRITE_S = 30.0  # between writes of the state file while the risk stays


def watch_memory(scene: Scene) -> None:
    """Look at the machine's memory when its time has come; forget it when nothing runs any more."""
    state, now = scene.memory, scene.clock()
    if now < state.next_look:
        return
    state.next_look = now + scene.settings.memory_look_s
    if not is_wanted(scene):
        if state.watch is not None:
            state.watch = state.now = state.high = None
            write_state(scene)
        return
    state.watch = state.watch or MemoryWatch(thresholds(scene.settings))
    seen = state.watch.feed(look_at_memory(state.root, groups_around(scene)), now)
    state.now = seen.judgement
    if seen.judgement is None:
        return
    if seen.judgement.risk == "HIGH":
        state.high = now, seen.judgement
    if seen.is_changed or seen.crossed:
        tell(scene, seen, seen.judgement)
    if seen.is_changed or now >= state.next_write:
        state.next_write = now + WRITE_S
        write_state(scene)


def is_wanted(scene: Scene) -> bool:
    """Whether something runs that needs memory, or waits for it."""
    return scene.memory.is_waiting or any(
        live.run.process is not None or live.run.job_id is not None for _, live in scene.open_runs()
    )


def thresholds(settings: Settings) -> Thresholds:
    """What makes a risk on this machine."""
    return Thresholds(
        settings.memory_warning_percent / 100, settings.memory_critical_percent / 100,
        settings.memory_high_s, settings.memory_medium_s,
        settings.memory_stalled_percent, settings.memory_stalled_percent, settings.memory_calm_s,
    )  # fmt: skip


def groups_around(scene: Scene) -> list[Path]:
    """The control groups around the runs that go on, and around this process, which starts jobs; each once."""
    found = dict.fromkeys(own_groups(scene))
    for _, live in scene.open_runs():
        if live.memory is not None:
            found |= dict.fromkeys(live.memory.groups)
    return list(found)


def own_groups(scene: Scene) -> list[Path]:
    """Those around this process."""
    state = scene.memory
    if state.own_groups is None:
        state.own_groups = groups_of(os.getpid(), find_mounts(state.root), state.root)
    return state.own_groups


def look_at_memory(root: Path, groups: list[Path]) -> MemoryLook:
    """All limits now: the host's, and those of the groups."""
    host = read_host(root)
    rooms = [
        Room(
            str(one.folder), _group_name(root, one.folder), one.limit_bytes, one.headroom_bytes, *_pressure(one.folder)
        )
        for one in limits_of(groups)
    ]
    if host.total_bytes and host.available_bytes is not None:
        pressure = host.psi_some_avg10, host.psi_full_avg10
        rooms.insert(0, Room(HOST, "the machine", host.total_bytes, host.available_bytes, *pressure))
    return MemoryLook(tuple(rooms), host.swap_total_bytes or 0, host.swap_used_bytes or 0)


def _pressure(folder: Path) -> tuple[float | None, float | None]:
    return pressure_of(folder / "memory.pressure") or (None, None)


def _group_name(root: Path, folder: Path) -> str:
    """As people know it: the unit, the scope or the container, by the end of its path."""
    below = folder.relative_to(root / "sys" / "fs" / "cgroup").parts if folder.is_relative_to(root / "sys") else ()
    parts = [part for part in below if part not in ("memory", "unified")]
    return f"control group {parts[-1]}" if parts else "this container's control group"


def glance(scene: Scene, groups: list[Path]) -> Judgement | None:
    """The risk by one look, of a machine that is not watched now: its pace is not known."""
    return MemoryWatch(thresholds(scene.settings)).feed(look_at_memory(scene.memory.root, groups), 0.0).judgement


def shown_memory(scene: Scene) -> dict[str, object] | None:
    """The risk as programs read it, by one look where nothing is watched. Asked by other threads: touches no run."""
    found = scene.memory.now or glance(scene, own_groups(scene))
    return found.shape() if found else None


def why_wait(scene: Scene) -> str:
    """Why no job may be started now; "" where one may. From then on memory is watched until it may."""
    state = scene.memory
    if not scene.settings.memory_pauses:
        return ""
    why = reason_to_wait(state.now if state.watch is not None else glance(scene, groups_around(scene)))
    if why and not state.is_waiting:
        state.is_waiting, state.next_look = True, 0.0
    return why


def has_room_again(scene: Scene) -> bool:
    """Whether what waited for memory may be started now. True once."""
    state = scene.memory
    if not state.is_waiting or state.watch is None or reason_to_wait(state.now):
        return False
    state.is_waiting = False
    return True
