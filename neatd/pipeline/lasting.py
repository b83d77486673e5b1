"""How long a snapshot is kept. That of a best value stays for ever while it is the best of its series by its rule.

One that was beaten is as any other: its folder goes by the schedule, or at once where the rule's budget is spent, since
the better one takes its place; and what was only protected in place no longer is.
"""

from __future__ import annotations

import math
import sqlite3
from datetime import datetime, timedelta
from typing import NamedTuple

from neatd.models import Event, Run, Snapshot
from neatd.pipeline.upkeep.putting import Thing, brought_back, put_away
from neatd.pipeline.upkeep.shelf import shelved
from neatd.store import events

BEATEN = "beaten since"


class Lasting(NamedTuple):
    """Until when a snapshot is kept, None for no date; and that in words."""

    until: datetime | None
    said: str


def is_best(event: Event) -> bool:
    """Whether an event tells of a best value."""
    return event.details.get("condition") == "best"


def standing(records: sqlite3.Connection, run_id: str) -> frozenset[str]:
    """The ids of the snapshots of best values that stay: of each rule and metric of a run the best that still holds its
    checkpoint (of equals the newest), what cannot be compared, and all of a rule that says `keep_beaten`."""
    stays: set[str] = set()
    best: dict[tuple[str, str], tuple[float, str]] = {}
    for snapshot in reversed(events.snapshots(records, run_id=run_id, status="done")):
        if not _holds(records, snapshot):  # most of them, of a run without checkpoints: their events are not read
            continue
        event = events.get_event(records, snapshot.event_id)
        if not is_best(event):
            continue
        goal, value = event.details.get("goal"), event.value
        if event.details.get("keep_beaten") or goal is None or value is None or not math.isfinite(value):
            stays.add(snapshot.id)
            continue
        cost, key = value if goal == "min" else -value, (event.rule, event.metric)
        if key not in best or cost <= best[key][0]:
            best[key] = cost, snapshot.id
    return frozenset(stays | {snapshot_id for _, snapshot_id in best.values()})


def beaten_by(records: sqlite3.Connection, event: Event) -> Snapshot | None:
    """The newest snapshot with a copy by the same rule of the same series that a best value beats; None for any other
    event, and where the rule keeps those that were beaten."""
    goal, value = event.details.get("goal"), event.value
    if not is_best(event) or event.details.get("keep_beaten") or goal is None or value is None:
        return None
    for snapshot in events.snapshots(records, run_id=event.run_id, status="done"):
        other = events.get_event(records, snapshot.event_id)
        if (other.rule, other.metric) != (event.rule, event.metric) or snapshot.mode not in ("copy", "reflink"):
            continue
        if other.value is not None and (other.value > value if goal == "min" else other.value < value):
            return snapshot
    return None


def put_beaten_away(records: sqlite3.Connection, run: Run, snapshot: Snapshot, now: datetime) -> None:
    """Move the snapshot of a best value that was beaten into the trash; one that may not go stays for its days."""
    thing = shelved(run, snapshot, "snapshot of a best value that was beaten")
    if isinstance(thing, Thing):
        put_away(records, thing, f"{now.astimezone():%Y-%m-%d}-{run.id}-best")


def _holds(records: sqlite3.Connection, snapshot: Snapshot) -> bool:
    """Whether there is a checkpoint of it: a copy, or the one that it protects in place."""
    if snapshot.mode != "pin":
        return snapshot.mode in ("copy", "reflink")
    row = records.execute("SELECT status FROM checkpoint WHERE id = ?", (snapshot.checkpoint_id,)).fetchone()
    return row is not None and row[0] == "present"


def release_beaten(records: sqlite3.Connection, run_id: str) -> None:
    """Let go what a run's best values that were beaten only protect in place: the policy decides about it again."""
    some = events.snapshots(records, run_id=run_id, status="done")
    pins = [snapshot for snapshot in some if snapshot.mode == "pin" and not snapshot.path]
    stays = standing(records, run_id) if pins else frozenset()
    for snapshot in pins:
        if snapshot.id not in stays and is_best(events.get_event(records, snapshot.event_id)):
            events.set_snapshot(records, snapshot.id, status="expired", reason=BEATEN)


def lasting(
    records: sqlite3.Connection, snapshot: Snapshot, event: Event, stays: frozenset[str], days: float | None
) -> Lasting:
    """How long one is kept. `stays` is what `standing` says of its run, `days` what the schedule says: None for never."""
    if snapshot.status != "done":
        return Lasting(None, _not_done(records, snapshot))
    if not snapshot.path and snapshot.mode != "pin":
        return Lasting(None, "kept nothing")
    if snapshot.id in stays:
        what = "its rule keeps all of them" if event.details.get("keep_beaten") else f"the best {event.metric}"
        return Lasting(None, f"for ever: {what}")
    if snapshot.id in brought_back(records, snapshot.run_id):
        return Lasting(None, "for ever: brought back")
    more = f" ({BEATEN})" if is_best(event) else ""
    if days is None:
        return Lasting(None, f"no schedule lets it go{more}")
    until = snapshot.created_at + timedelta(days=days)
    return Lasting(until, f"{until.astimezone():%Y-%m-%d}{more}")


def _not_done(records: sqlite3.Connection, snapshot: Snapshot) -> str:
    if snapshot.status != "expired":
        return "waits" if snapshot.status == "pending" else "failed"
    sql = "SELECT EXISTS (SELECT 1 FROM deletion WHERE checkpoint_id = ? AND status = 'moved')"
    return "in the trash" if records.execute(sql, (snapshot.id,)).fetchone()[0] else "gone"
