"""One visit of an assistant: its session is seen, what was done in it is taken in, and what the visit brings is kept, in one
transaction. By its hooks, and by its server. Stdlib only."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime

from neatd.lineage import Ancestor
from neatd.pipeline import attending, commits
from neatd.place import Place
from neatd.store import attendance, deeds, presence
from neatd.store.connection import transaction
from neatd.store.moments import utc_now
from neatd.store.presence import Attendance
from neatd.store.short import ensure_project
from neatd.who import tell_session

START = "session-start"
CLEARED = (
    "clear"  # the source of a start by which an assistant leaves the session that it had; one process may hold several
)
_MOST_LOOKED_AT = 50  # open sessions whose assistants may be gone


def visit(
    records: sqlite3.Connection, place: Place, assistant: str, key: str, event: str, process: Ancestor | None,
    then: Callable[[Attendance | None], None], why: str = "",
) -> Attendance | None:  # fmt: skip
    """See the session that the assistant calls `key`, and carry out `then` with it; without a key there is none.

    `why` is the source of a start. What this process keeps afterwards belongs to the session. Raises
    sqlite3.OperationalError for a store that is busy or may only be read: then nothing of it is kept.
    """
    before = presence.find(records, assistant, key, place.project_id) if key else None
    looked = commits.look(records, before) if before else {}
    with transaction(records):
        ensure_project(records, place)
        known = None
        if key:
            if before and before.ended_at:  # what was done until then, before another stay begins
                attending.take(records, before, looked)
            if event == START and why == CLEARED and process:
                _end_cleared(records, place, assistant, key, process)
            known, is_new = attendance.see(records, place, assistant, key, event, process)
            tell_session(known.session_id)
            if is_new:
                _end_deserted(records, known)
            attending.take(records, known, looked)
        then(known)
        if known:
            deeds.write_down(records, known.session_id)
    return known


def _end_cleared(records: sqlite3.Connection, place: Place, assistant: str, key: str, process: Ancestor) -> None:
    """An assistant that clears its conversation has left the session that it was seen in last, whether or not it tells."""
    held = presence.of_process(records, assistant, str(place.root), process.pid, process.born)
    left = [
        one for one in held if one.key != key and one.event != attendance.SERVER
    ]  # which is this one, not named yet
    if left:
        newest = max(left, key=lambda one: one.seen_at)
        attending.take(records, newest)
        attendance.end(records, newest, utc_now(), f"{START}:{CLEARED}")


def _end_deserted(records: sqlite3.Connection, new: Attendance) -> None:
    """Where no daemon runs, who comes next ends the sessions whose assistants are gone."""
    for one in presence.open_ones(records, new.project_id)[:_MOST_LOOKED_AT]:
        if one.session_id != new.session_id:
            attending.end_deserted(records, one, datetime.now(UTC), attending.REST_S, attending.LONE_S)
