"""Why each queued job waits: the queue's rows, what runs and the machine as the daemon saw it, for `rules/admission.py`.

Read by commands, so it loads the standard library and the store only. Nothing of it is stored: the same function decides
what begins. Invariant: what is shown here is what the queue's turn would decide of the same rows.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple

from neatd.place import cpu_slots
from neatd.rules.admission import EVERY, Decision, Rule, Running, Waiting, World, admit
from neatd.rules.leases import CPU, Device
from neatd.store import queued


class Machine(NamedTuple):
    """What there is to be given to jobs, and why none may begin at all."""

    cpu_slots: int
    devices: tuple[Device, ...] = ()
    risk: str = ""


def why_waiting(records: sqlite3.Connection, home: Path) -> dict[str, Decision]:
    """Job id -> what the next turn would decide of it, in the queue's order. `lease` is None for those that wait, with the
    `reason` and in `until` what a person may type; () or shares for those that begin as soon as a daemon looks.

    Ten thousand jobs take some 60 ms. The machine is as the daemon saw it last (`shown_machine`).
    """
    world = world_of(records, shown_machine(home))
    return {one.id: one for one in admit((waiting(row) for row in queued.queued(records)), world)}


def world_of(records: sqlite3.Connection, machine: Machine) -> World:
    """All that decides, besides the queue itself."""
    return World(
        cpu_slots=machine.cpu_slots,
        running=tuple(Running(*row) for row in queued.held(records)),
        groups={one[0]: Rule(*one[1:]) for one in queued.groups(records)},
        devices=machine.devices,
        ended=queued.waited_for(records),
        pauses=queued.pauses(records),
        risk=machine.risk,
    )


def waiting(row: queued.Queued) -> Waiting:
    """A row as admission takes it."""
    return Waiting(*row[:6])


def paused_groups(world: World) -> list[str] | None:
    """The groups that are paused; None when all are."""
    paused = [name for name, rule in world.groups.items() if rule.is_paused]
    return None if EVERY in paused else paused


def machine_path(home: Path) -> Path:
    """Where the daemon leaves what it saw of the machine."""
    return home / "jobs" / "machine.json"


def shown_machine(home: Path) -> Machine:
    """As the daemon saw it last; where none did, this machine's slots and memory."""
    try:
        data = json.loads(machine_path(home).read_text(encoding="utf-8"))
        devices = tuple(Device(**one) for one in data["devices"])
        return Machine(int(data["cpu_slots"]), devices, str(data["risk"]))
    except (OSError, ValueError, LookupError, TypeError):
        return Machine(cpu_slots(), (Device(CPU, "cpu"),))


def shown(machine: Machine) -> dict[str, Any]:
    """As it is kept in that file."""
    return {**machine._asdict(), "devices": [one._asdict() for one in machine.devices]}
