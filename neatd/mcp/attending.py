"""The session in which an assistant calls tools: the one that its hooks told of, else one of the server's own.

The same process started the hooks and this server, which ties them. An assistant without hooks has a session as long as
its server lives. Keeping a session never keeps a call from its answer.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing

from neatd.errors import NeatError
from neatd.lineage import Ancestor, lineage, starter
from neatd.mcp.caller import Caller
from neatd.place import Place, neat_home
from neatd.store.attendance import SERVER
from neatd.store.connection import database_path
from neatd.who import tell_session

BUSY_S = 1.0
_SEEN_GAP_S = 60.0  # a session is seen again in the store this often, by calls that only read
_own: dict[str, str] = {}  # project -> the session that this server began for it


def attend(caller: Caller, is_writing: bool) -> None:
    """What the call keeps from here on belongs to the assistant's session."""
    _try(lambda: _attend(caller, is_writing))


def delivered(caller: Caller, text: str) -> None:
    """Keep that this brief reached the assistant."""
    _try(lambda: _deliver(caller, text))


def depart() -> None:
    """The server leaves: the sessions that it began itself are over."""
    _try(_depart)


def _try(call: Callable[[], None]) -> None:
    """A project that is not set up, a store that is busy, read-only or missing: the call itself says so, if it has to."""
    try:
        call()
    except (NeatError, OSError, sqlite3.Error):
        tell_session("")


def _attend(caller: Caller, is_writing: bool) -> None:
    from neatd.pipeline.visits import visit
    from neatd.store import presence
    from neatd.store.belonging import session_above
    from neatd.store.live import ago

    if not database_path(caller.home, "neat").exists():
        tell_session("")
        return
    above, place = lineage(), caller.place
    process = starter(above)
    with closing(_connect(caller)) as records:
        known = presence.get(records, session_above(records, above, place.project_id))
        if known and not is_writing and known.seen_at > ago(_SEEN_GAP_S):
            tell_session(known.session_id)
            return
        assistant, key = (known.assistant, known.key) if known else (caller.source, _own_key(process))
        seen = visit(records, place, assistant, key, known.event if known else SERVER, process, lambda known: None)
    if seen and seen.key == _own_key(process):
        _own[place.project_id] = seen.session_id


def _own_key(process: Ancestor | None) -> str:
    """What a session without hooks is called: by the process that started the server, which may start it again."""
    return f"{SERVER}-{process.pid}-{process.born}" if process else f"{SERVER}-{os.getpid()}"


def _connect(caller: Caller) -> sqlite3.Connection:
    from neatd.store.opening import connect

    return connect(caller.home, wait_s=BUSY_S)


def _deliver(caller: Caller, text: str) -> None:
    from neatd.store import deliveries
    from neatd.store.connection import transaction
    from neatd.who import told_session

    place: Place = caller.place
    with closing(_connect(caller)) as records, transaction(records):
        deliveries.deliver(records, place.project_id, str(place.root), caller.source, told_session(), SERVER, text)


def _depart() -> None:
    if not _own:
        return
    from neatd.pipeline import attending
    from neatd.store import attendance, presence
    from neatd.store.connection import transaction
    from neatd.store.moments import utc_now
    from neatd.store.opening import connect

    with closing(connect(neat_home(), wait_s=BUSY_S)) as records:
        for session_id in _own.values():
            known = presence.get(records, session_id)
            if known and known.event == SERVER:  # no hook told of it since
                with transaction(records):
                    attending.take(records, known)
                    attendance.end(records, known, utc_now(), SERVER)
