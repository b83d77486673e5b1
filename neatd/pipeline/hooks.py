"""What each hook of an assistant does: the session is kept, and the assistant is told what it does not know.

Reading comes before writing, so that an assistant gets its context from a store that is busy or may only be read. What
goes wrong is a text for stderr, never an error: an assistant is not kept from its work. Stdlib only.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from neatd.assist.hookcall import HookCall, answer, takes_context
from neatd.errors import NeatError
from neatd.files import read_small
from neatd.lineage import lineage, starter
from neatd.now import News
from neatd.place import Place, find_root, here
from neatd.store import live, presence
from neatd.store.connection import database_path
from neatd.store.opening import OutOfReachError, connect
from neatd.store.presence import Attendance
from neatd.who import SESSION_VARIABLE, tell_session

if TYPE_CHECKING:
    from neatd.pipeline.tooluse import Use

BUSY_S = 1.0  # that a writer is waited for; all hooks of a session's end have 1.5 s together
NEWS_GAP_S = 60.0  # a session is seen again in the store this often, when a tool call is of no interest

Then = Callable[[Attendance | None], None]


class Outcome(NamedTuple):
    """What goes to the assistant on stdout, and what is said on stderr."""

    out: str = ""
    said: str = ""


class _Scene(NamedTuple):
    """A hook's call, with the project that it is about and the store."""

    home: Path
    call: HookCall
    place: Place
    records: sqlite3.Connection
    use: Use | None  # of a tool, where the event tells of one


def handle(home: Path, call: HookCall) -> Outcome:
    """Carry out one call. Raises NeatError, OSError and sqlite3.Error for what keeps it from being of use."""
    if call.event != "post-tool":
        return _attended(home, call)
    from neatd.pipeline.tooluse import use_of

    use = use_of(call)
    if use.test is None:
        return _attended(home, call, use)
    try:
        outcome = _attended(home, call, use)
    except (NeatError, OSError, sqlite3.Error):
        outcome = Outcome()  # a test run has ways of its own: it may be of another project, and need no store
    from neatd.pipeline.testcalls import keep_call

    kept = keep_call(home, *use.test, BUSY_S)
    said = f"the store is out of reach: the test run lies in {kept.inbox}" if kept and kept.inbox else ""
    return Outcome(outcome.out, said or outcome.said)


def _attended(home: Path, call: HookCall, use: Use | None = None) -> Outcome:
    """What the event means for the session, and for the assistant."""
    place = here(_folder(home, call))
    if not database_path(home, "neat").exists():
        return Outcome(said=f"there is no store yet in {home}: `neat init` in {place.root} makes one")
    try:
        with closing(connect(home, wait_s=BUSY_S)) as records:
            records.execute("PRAGMA synchronous = NORMAL")  # what a power cut takes of a session is seen again
            return _EVENTS[call.event](_Scene(home, call, place, records, use))
    except (OutOfReachError, OSError, sqlite3.OperationalError) as error:  # locked, on a full disk, not to be read
        if call.event != "session-start":
            raise
        return _without_store(home, call, place, error)


def _without_store(home: Path, call: HookCall, place: Place, error: Exception) -> Outcome:
    """A start is answered with what the project's own files tell."""
    from neatd.pipeline.recalling import recall_files

    text = recall_files(home, place, str(error).partition("\n")[0])
    said = f"the store did not answer: {error}; the context holds the brief alone"
    return Outcome(answer(call, text) if takes_context(call) else "", said)


def _folder(home: Path, call: HookCall) -> Path | None:
    """Where the assistant works now: it may have gone to another worktree since it began, or out of any project; then where
    it began, or where its session is known. None for where this runs."""
    asked = (call.cwd, os.environ.get("CLAUDE_PROJECT_DIR", ""))
    folders = [Path(one) for one in asked if one and Path(one).is_dir()]
    inside = next(filter(_is_in_project, folders), None)
    if inside or (not folders and _is_in_project(Path())):
        return inside
    return _known_root(home, call) or next(iter(folders), None)


def _is_in_project(folder: Path) -> bool:
    try:
        return find_root(folder.resolve()) is not None
    except OSError:
        return False


def _known_root(home: Path, call: HookCall) -> Path | None:
    """The project's folder in which the session was seen; None when it is known in none, or in several."""
    if not call.key or not database_path(home, "neat").exists():
        return None
    with closing(connect(home, wait_s=BUSY_S)) as records:
        found = presence.only_root(records, call.key)
    return Path(found) if found and _is_in_project(Path(found)) else None


# ---- the events ----


def _session_start(scene: _Scene) -> Outcome:
    from neatd.pipeline.recalling import recall
    from neatd.store import deliveries

    mark = live.mark(scene.records)  # what happens from here on may not be in the context
    text = recall(scene.home, scene.place, scene.records)

    def keep(known: Attendance | None) -> None:
        session_id = known.session_id if known else ""
        if session_id:
            presence.know(scene.records, session_id, *mark)
        name = f"{scene.call.event}:{scene.call.why}" if scene.call.why else scene.call.event
        where = (scene.place.project_id, str(scene.place.root), scene.call.assistant)
        deliveries.deliver(scene.records, *where, session_id, name, text)

    known, said = _keep(scene, keep)
    if known:
        said = _tell_environment(known.session_id) or said
    return Outcome(answer(scene.call, text) if takes_context(scene.call) else "", said)


def _user_prompt(scene: _Scene) -> Outcome:
    return _with_news(scene, None)


def _post_tool(scene: _Scene) -> Outcome:
    """Edited files and commits become deeds of the session; anything else only asks for news."""
    use = scene.use
    if use is None or not use.is_kept:
        return _with_news(scene, None, is_lazy=use is None or use.test is None)
    from neatd.pipeline.tooluse import looked_up, take_in

    use = looked_up(use, scene.place.root)

    def keep(known: Attendance | None) -> None:
        if known:
            take_in(scene.records, known, str(scene.place.root), scene.call.cwd, use)

    return _with_news(scene, keep)


def _quiet(scene: _Scene) -> Outcome:
    """A turn ended, or the conversation is about to be compacted: what was done is taken in, and nothing is said."""
    return Outcome(said=_keep(scene, lambda known: None)[1])


def _session_end(scene: _Scene) -> Outcome:
    """The session is over at once, and is asked for its files then: the assistant may not wait for git."""
    before = _known(scene)
    if before is None or before.ended_at:
        return Outcome()  # nothing was done in it, or it was told before
    from neatd.store import attendance
    from neatd.store.moments import utc_now

    def keep(known: Attendance | None) -> None:
        if known:
            attendance.end(scene.records, known, utc_now(), f"{scene.call.event}:{scene.call.why}".rstrip(":"))

    known, said = _keep(scene, keep)
    if known:
        said = _keep_files(scene, known.session_id) or said
    return Outcome(said=said)


def _keep_files(scene: _Scene, session_id: str) -> str:
    """Which files the session changed; "" or why they are not kept."""
    from neatd.pipeline import edits
    from neatd.store.connection import transaction

    known = presence.get(scene.records, session_id)
    if known is None:
        return ""
    found = edits.look(scene.records, known)
    try:
        with transaction(scene.records):
            edits.keep(scene.records, known, found)
    except sqlite3.OperationalError as error:
        return f"the session's files are not kept: {error}"
    return ""


_EVENTS: dict[str, Callable[[_Scene], Outcome]] = {
    "session-start": _session_start, "user-prompt": _user_prompt, "post-tool": _post_tool, "pre-compact": _quiet,
    "stop": _quiet, "session-end": _session_end,
}  # fmt: skip


# ---- what they share ----


def _known(scene: _Scene) -> Attendance | None:
    if not scene.call.key:
        return None
    return presence.find(scene.records, scene.call.assistant, scene.call.key, scene.place.project_id)


def _with_news(scene: _Scene, keep: Then | None, is_lazy: bool = False) -> Outcome:
    """What happened since the session was asked last, told once: it is asked for in the transaction that writes down that
    it is known. With `is_lazy` nothing is written when nothing happened."""
    known = _known(scene) if is_lazy else None
    if known and _is_seen(scene, known) and not live.news_of(scene.records, known).happened:
        tell_session(known.session_id)
        return Outcome()
    told: News | None = None

    def keep_both(now_known: Attendance | None) -> None:
        nonlocal told
        if now_known and takes_context(scene.call):
            told = live.news_of(scene.records, now_known)
            presence.know(scene.records, now_known.session_id, told.told, told.told_at)
        if keep:
            keep(now_known)

    now_known, said = _keep(scene, keep_both)
    return Outcome(_told(scene.call, told) if told and told.happened and now_known else "", said)


def _told(call: HookCall, told: News) -> str:
    from neatd.assist.context import news

    return answer(call, news(told))


def _is_seen(scene: _Scene, known: Attendance) -> bool:
    """Whether the session is open, and was seen in this worktree a moment ago."""
    return not known.ended_at and known.root == str(scene.place.root) and known.seen_at > live.ago(NEWS_GAP_S)


def _keep(scene: _Scene, then: Then) -> tuple[Attendance | None, str]:
    """See the session and take in what was done in it, then `then`; (the session, "" or why it is not kept)."""
    from neatd.pipeline.visits import visit

    call = scene.call
    try:
        process, why = starter(lineage()), "" if call.payload.get("agent_id") else call.why
        known = visit(scene.records, scene.place, call.assistant, call.key, call.event, process, then, why)
    except sqlite3.OperationalError as error:
        before = _known(scene)
        tell_session(before.session_id if before else "")  # a test run that is left in the inbox names it
        return None, f"the session is not kept: {error}"
    return known, ""


def _tell_environment(session_id: str) -> str:
    """Have what the assistant starts from now on know its session, where the assistant offers a file for that."""
    name = os.environ.get("CLAUDE_ENV_FILE", "")
    if not name:
        return ""
    line = f"export {SESSION_VARIABLE}={session_id}\n"
    path = Path(name)
    try:
        old = read_small(path, 1 << 20) if path.exists() else b""
        if line.encode() not in old:
            with path.open("a", encoding="utf-8") as file:
                file.write(line if not old or old.endswith(b"\n") else "\n" + line)
    except OSError as error:
        return f"{name}: {error.strerror}"
    return ""
