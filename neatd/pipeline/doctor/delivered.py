"""What `neat doctor` says of assistants: which brief reached whom and when, whether it fits, who is here."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from neatd.assist.block import BEGIN
from neatd.assist.render import age, when
from neatd.errors import NeatError
from neatd.files import read_small
from neatd.lineage import is_alive
from neatd.pipeline.doctor.doubled import RECENT
from neatd.pipeline.doctor.evidence import Evidence, moment
from neatd.pipeline.doctor.finding import Finding
from neatd.pipeline.doctor.hooked import wired
from neatd.pipeline.doctor.imported import imported
from neatd.pipeline.doctor.oversized import oversized
from neatd.pipeline.wiring import homes, wiring
from neatd.place import Place, here
from neatd.store import deliveries, presence
from neatd.store.connection import database_path
from neatd.store.deliveries import Delivery
from neatd.store.opening import connect
from neatd.store.presence import Attendance
from neatd.who import CLAUDE, CODEX, CURSOR

_BLOCKS = {
    CLAUDE: "CLAUDE.md",
    CODEX: "AGENTS.md",
    CURSOR: ".cursor/rules/neat.mdc",
}  # that lead to the brief, or hold it
_LARGEST = 1 << 20


def delivered(home: Path, root: Path) -> Iterator[Finding]:
    """Whether what neat knows reaches the assistants of the project in `root`."""
    try:
        place = here(root)
    except NeatError:
        return  # the project's own check says it
    user = homes()
    found = wiring(root, user)
    now = datetime.now(UTC)
    records = _store(home)
    try:
        evidence = _evidence(records, place, now) if records else Evidence(now)
        set_up = found.assistants() | {name for name, path in _BLOCKS.items() if _holds_block(root / path)}
        met = {one.assistant for one in evidence.sessions} | {one.assistant for one in evidence.deliveries}
        if not set_up | met:
            yield Finding("assistants", "ok", "none is set up here, and none was here")
        with_hooks = {one.assistant for one in found.hooks}
        for name in sorted(set_up | met):
            yield from _brief(name, evidence, root, name in with_hooks)
            if name not in with_hooks and not found.unread:
                yield from _unhooked(name, evidence, root)
        yield from imported(root, found, set_up)
        yield from wired(root, found, evidence)
        yield from oversized(home, place, records, user, set_up | met)
        if set_up | met:
            yield _sessions(evidence)
    finally:
        if records:
            records.close()


def _store(home: Path) -> sqlite3.Connection | None:
    """The records; None where there are none to be read, which the store's own check says."""
    if not database_path(home, "neat").exists():
        return None
    try:
        return connect(home)
    except (NeatError, sqlite3.Error, OSError):
        return None


def _evidence(records: sqlite3.Connection, place: Place, now: datetime) -> Evidence:
    try:
        return Evidence(
            now,
            presence.lately(records, place.project_id, ""),
            deliveries.deliveries(records, place.project_id, deliveries.MOST_KEPT),
        )
    except sqlite3.Error:
        return Evidence(now)


def _holds_block(path: Path) -> bool:
    try:
        return BEGIN in read_small(path, _LARGEST)
    except OSError:
        return False


# ---- which brief reached whom ----


def _brief(assistant: str, evidence: Evidence, root: Path, has_hooks: bool) -> Iterator[Finding]:
    last = next((one for one in evidence.deliveries if one.assistant == assistant), None)
    if last:
        yield _received(last, evidence.now, root)
    elif assistant == CURSOR:
        yield Finding(f"{assistant} brief", "ok", "reads .neat/brief.md by its rule; when, neat is not told")
    elif not has_hooks:  # what is wrong with hooks is said of them
        text = "no delivery by a hook or a tool is known; where its file imports .neat/brief.md, neat is not told"
        yield Finding(f"{assistant} brief", "note", text, f"`neat init --assistant {assistant}` sets hooks up")


def _unhooked(assistant: str, evidence: Evidence, root: Path) -> Iterator[Finding]:
    """That hooks told a session of this folder lately, and none is set up now."""
    told = (one for one in evidence.deliveries if one.assistant == assistant and one.root == str(root))
    last = next((one for one in told if one.event.startswith("session-start")), None)
    if assistant != CURSOR and last and evidence.now - moment(last.at) < RECENT:
        text = f"none is set up here any more: the last session that one told began at {when(moment(last.at))}"
        yield Finding(f"{assistant} hooks", "note", text, f"`neat init --assistant {assistant}` sets them up again")


def _received(last: Delivery, now: datetime, root: Path) -> Finding:
    at = datetime.fromisoformat(last.at)
    is_changed = _changed_since(last, at)
    where = "" if last.root == str(root) else f" in {last.root}"
    session = f" in session {last.session_id}" if last.session_id else ""
    since = "" if not is_changed else "; the brief has changed since"
    text = (
        f"{last.characters:,} characters at {when(at)} ({age(at, now)}) by {last.event}{session}{where},"
        f" hash {last.hash}{since}"
    )
    details: dict[str, object] = {
        **{name: value for name, value in last._asdict().items() if name != "project_id"},
        "age_s": round((now - at).total_seconds(), 1), "has_brief_changed": is_changed,
    }  # fmt: skip
    return Finding(f"{last.assistant} brief", "ok", text, details=details)


def _changed_since(last: Delivery, at: datetime) -> bool | None:
    """Whether the brief of that folder is another now; None where there is none."""
    path = Path(last.root) / ".neat" / "brief.md"
    try:
        text, written_at = read_small(path, _LARGEST).decode("utf-8", "replace"), path.stat().st_mtime
    except OSError:
        return None
    return written_at > at.timestamp() and deliveries.text_hash(text) != last.hash


# ---- who is here ----


def _sessions(evidence: Evidence) -> Finding:
    open_ones = [one for one in evidence.sessions if not one.ended_at]
    gone = [one for one in open_ones if one.pid and not is_alive(one.pid, one.born)]
    details = {
        "open": len(open_ones), "gone": len(gone), "sessions": [_session(one, one in gone) for one in open_ones],
    }  # fmt: skip
    text = f"{len(open_ones)} open here" if open_ones else "none is open here"
    if gone:
        text += f", of which {len(gone)} without the process that began {'it' if len(gone) == 1 else 'them'}"
        mend = "`neatd start`, or the start of the next session, ends what is over"
        return Finding("sessions", "note", text, mend, details)
    return Finding("sessions", "ok", text, details=details)


def _session(one: Attendance, is_gone: bool) -> dict[str, object]:
    names = ("session_id", "assistant", "root", "pid", "started_at", "seen_at", "event")
    return {name: getattr(one, name) for name in names} | {"is_gone": is_gone}
