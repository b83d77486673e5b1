"""Which queued jobs may begin now, and why the others wait. Pure: the queue and what runs in, a decision for each job out.

The rule is strict order, by what a job needs:
- Jobs are looked at in the queue's order. One that cannot begin whatever becomes free (paused, another job to end first, its
  group full, no CPU slot) is passed over and keeps nothing from those behind it: all that wait for the same slots find
  them taken too, so the first of them gets the next one.
- One that waits for room on devices keeps its slot, and every device that it could use, from all behind it: however small
  they are, they cannot delay it, so a large job is never starved by small ones. Devices that it could never use are theirs.
- One for which there would be no room even if no other job ran holds up nobody: it is too large, or programs that are no
  jobs hold what it needs.
The same queue gives the same decisions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from neatd.rules.leases import CPU, Device, Need, Share, fit, room, usable

ANY = "any:"  # before an id in `after`: it may end in any way
EVERY = "*"  # the group that a pause of the whole queue is of
GO_ON = "`neat rules go-on` lets the jobs of this project begin again"
_OVER = frozenset({"failed", "killed", "interrupted", "lost", "cancelled"})  # ended, and not well
_OPEN = frozenset({"queued", "running", "waiting", "paused"})
_SHOWN = 8  # characters of an id


class Waiting(NamedTuple):
    """A queued job, as far as it matters here."""

    id: str
    project_id: str = ""
    group: str = "default"
    gpus: int = 0
    memory_bytes: int | None = None
    after: tuple[str, ...] = ()  # ids of jobs and studies, each with ANY before it where a failure will do


class Running(NamedTuple):
    """A job that holds something."""

    id: str
    group: str = "default"
    shares: tuple[Share, ...] = ()

    @property
    def is_of_gpu(self) -> bool:
        """Whether it holds a GPU or a part of one: then it needs no CPU slot."""
        return any(key != CPU for key, _ in self.shares)


class Rule(NamedTuple):
    """A group. `parallel` None: its jobs share the machine's CPU slots with all such groups."""

    parallel: int | None = None
    is_paused: bool = False
    why: str = ""


class World(NamedTuple):
    """All that decides besides the queue itself."""

    cpu_slots: int
    running: tuple[Running, ...] = ()
    groups: Mapping[str, Rule] = {}
    devices: tuple[Device, ...] = ()
    ended: Mapping[str, str] = {}
    pauses: Mapping[str, str] = {}
    risk: str = ""  # why no job may begin at all


class Decision(NamedTuple):
    """What becomes of one job: it begins with `lease` (which may be ()), or waits for `reason`."""

    id: str
    lease: tuple[Share, ...] | None
    reason: str = ""
    until: str = ""  # what a person may type
    is_lost: bool = False  # what it waited for ended badly: it never begins


def admit(waiting: Iterable[Waiting], world: World, is_brief: bool = False) -> Iterator[Decision]:
    """A decision for each job, in the queue's order. `is_brief`: no more of them once nothing behind could begin."""
    books = _Books(world)
    for job in waiting:
        if is_brief and books.is_full():
            return
        yield books.decide(job)


class _Blocked(NamedTuple):
    never: str  # why it could not begin even if no other job ran; "" where it could
    first: str  # the job that waits for what it needs before all others


class _Books:
    """What is held, by those that run, by those admitted so far, and by those that wait in front."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.slots = 0
        self.in_group: dict[str, int] = {}
        self.held: list[Share] = []
        self.kept: dict[str, str] = {}  # device -> the job that waits for it
        self.blocked: dict[
            Need, _Blocked
        ] = {}  # what there is no room for: there will be none, since what is held only grows
        for one in world.running:
            self._count(one.group, one.is_of_gpu)
            self.held += one.shares
        self.gpus = frozenset(one.key for one in world.devices if one.kind != "cpu")

    def decide(self, job: Waiting) -> Decision:
        if held_up := self._why_not_now(job):
            return held_up
        need = Need(job.gpus, job.memory_bytes)
        if full := self._why_no_slot(job, need):
            return Decision(job.id, None, full)
        if need in self.blocked:
            return Decision(job.id, None, self._keep_room(job, need, ""))
        lease = fit(*need, self.world.devices, [*self.held, *((key, None) for key in self.kept)])
        if isinstance(lease, tuple):
            self._count(job.group, self._is_of_gpu(need))
            self.held += lease
            return Decision(job.id, lease)
        return Decision(job.id, None, self._keep_room(job, need, lease))

    def is_full(self) -> bool:
        """Whether nothing could begin any more, whatever it needs."""
        if self.world.risk:
            return True
        if self.slots < self.world.cpu_slots or any(self._has_place(name) for name in self.world.groups):
            return False
        return not any(self._has_room(one) for one in self.world.devices if one.key in self.gpus)

    def _has_place(self, group: str) -> bool:
        rule = self.world.groups[group]
        return rule.parallel is not None and not rule.is_paused and self.in_group.get(group, 0) < rule.parallel

    def _has_room(self, device: Device) -> bool:
        shares = [size for key, size in self.held if key == device.key]
        return device.key not in self.kept and (
            room(device, shares) > 0 or not (shares or device.is_used or device.is_gone)
        )

    def _why_not_now(self, job: Waiting) -> Decision | None:
        if job.after and (found := _comes_after(job, self.world.ended)):
            return found
        for name, what in ((EVERY, "the queue"), (job.group, f"group {job.group}")):
            rule = self.world.groups.get(name)
            if rule and rule.is_paused:
                reason = f"{what} is paused: {rule.why}" if rule.why else f"{what} is paused"
                return Decision(job.id, None, reason, _go_on(name))
        if why := self.world.pauses.get(job.project_id):
            return Decision(job.id, None, f"paused by a rule: {why}", GO_ON)
        return Decision(job.id, None, self.world.risk) if self.world.risk else None

    def _why_no_slot(self, job: Waiting, need: Need) -> str:
        rule, count = self.world.groups.get(job.group), self.in_group.get(job.group, 0)
        if rule and rule.parallel is not None:
            return f"group {job.group} runs {count} of {rule.parallel}" if count >= rule.parallel else ""
        if self._is_of_gpu(need) or self.slots < self.world.cpu_slots:
            return ""
        return (
            f"all {self.world.cpu_slots} CPU slots are taken" if self.world.cpu_slots > 1 else "the CPU slot is taken"
        )

    def _keep_room(self, job: Waiting, need: Need, reason: str) -> str:
        """Keep what it waits for from those behind it; the reason, with the job that it waits behind."""
        if need not in self.blocked:
            mine = usable(need, self.world.devices)
            never = "" if mine else str(fit(*need, self.world.devices, ()))
            first = next((self.kept[one] for one in sorted(mine) if one in self.kept), "")
            for key in mine:
                self.kept.setdefault(key, job.id)
            self.blocked[need] = _Blocked(never, first or job.id)
        never, first = self.blocked[need]
        if never:
            return never
        self._count(job.group, self._is_of_gpu(need))
        return reason if first == job.id else f"behind {first[:_SHOWN]}, which waits for room"

    def _is_of_gpu(self, need: Need) -> bool:
        return need.is_of_gpu or (need.memory_bytes is not None and bool(self.gpus))

    def _count(self, group: str, is_of_gpu: bool) -> None:
        self.in_group[group] = self.in_group.get(group, 0) + 1
        rule = self.world.groups.get(group)
        if not is_of_gpu and (rule is None or rule.parallel is None):
            self.slots += 1


def lost(job: Waiting, ended: Mapping[str, str]) -> Decision | None:
    """That a job never begins, for one that it comes after ended badly; None where it may yet."""
    found = _comes_after(job, ended)
    return found if found and found.is_lost else None


def has_failed(statuses: Iterable[str]) -> bool:
    """Whether one of them is a bad end."""
    return not _OVER.isdisjoint(statuses)


def _go_on(group: str) -> str:
    return "`neat queue go-on`" if group == EVERY else f"`neat queue go-on {group}`"


def _comes_after(job: Waiting, ended: Mapping[str, str]) -> Decision | None:
    """What keeps a job that comes after others: first an end that was bad, then one that is still to come."""
    found = [_after(job, one.removeprefix(ANY), ended, one.startswith(ANY)) for one in job.after]
    held_up = [one for one in found if one]
    return next((one for one in held_up if one.is_lost), held_up[0] if held_up else None)


def _after(job: Waiting, other: str, ended: Mapping[str, str], may_fail: bool) -> Decision | None:
    status, short = ended.get(other, "gone"), other[:_SHOWN]
    if status in _OPEN:
        return Decision(job.id, None, f"after {short}, which is {status}")
    if may_fail or status not in _OVER | {"gone"}:
        return None
    how = "is gone" if status == "gone" else f"ended {status}"
    return Decision(job.id, None, f"{short}, which it comes after, {how}", is_lost=True)
