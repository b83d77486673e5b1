"""One visit of an assistant: its session is seen, what was done in it is taken in, and what the visit brings is kept, in one
transaction. By its hooks, and by its server. Stdlib only."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime

from neatd.lineage import Ancestor
from neatd.pipeline import attending
from neatd.place import Place
from neatd.store import attendance, deeds, presence
from neatd.store.connection import transaction
from neatd.store.presence import Attendance
from neatd.store.short import ensure_project
from neatd.who import tell_session

_MOST_LOOKED_AT = 50  # open sessions whose assistants may be gone


def visit(
    records: sqlite3.Connection, place: Place, assistant: str, key: str, event: str, process: Ancestor | None,
    then: Callable[[Attendance | None], None],
) -> Attendance | None:  # fmt: skip
    """See the session that the assistant calls `key`, and carry out `then` with it; without a key there is none.

    What this process keeps afterwards belongs to the session. Raises sqlite3.OperationalError for a store that is busy or
    may only be read: then nothing of it is kept.
    """
    with transaction(records):
        ensure_project(records, place)
        known = None
        if key:
            known, is_new = attendance.see(records, place, assistant, key, event, process)
            tell_session(known.session_id)
            if is_new:
                _end_deserted(records, known)
            attending.take(records, known)
        then(known)
        if known:
            deeds.write_down(records, known.session_id)
    return known


def _end_deserted(records: sqlite3.Connection, new: Attendance) -> None:
    """Where no daemon runs, who comes next ends the sessions whose assistants are gone."""
    for one in presence.open_ones(records, new.project_id)[:_MOST_LOOKED_AT]:
        if one.session_id != new.session_id:
            attending.end_deserted(records, one, datetime.now(UTC), attending.REST_S, attending.LONE_S)
