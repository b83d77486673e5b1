"""Hooks and servers of ours in assistants' files: whether they fire, and can be called."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from neatd.assist.render import age, when
from neatd.pipeline.doctor.doubled import seen_twice, servers, twice
from neatd.pipeline.doctor.evidence import Evidence, changed_at, files_of, listed, moment, shown
from neatd.pipeline.doctor.finding import Finding
from neatd.pipeline.wiring import Hook, Server, Wiring
from neatd.store.presence import Attendance
from neatd.who import CLAUDE, CODEX

ENOUGH_ENDS = 3  # sessions of which none ended by its hook
_SHELL = frozenset("&|;<>$`%")
_MENDS = {
    CLAUDE: "open and trust the project in Claude Code; `/hooks` shows them; start a new session; neat must be on its PATH",
    CODEX: "open and trust the project in Codex; trust them in `/hooks`; start a new session; neat must be on its PATH",
}


def wired(root: Path, found: Wiring, evidence: Evidence) -> Iterator[Finding]:
    """All that is to be said of hooks and servers."""
    for path, why in found.unread:
        text = f"{shown(root, path)} cannot be read: {why}"
        yield Finding("assistants", "note", text, "mend it: the assistant cannot read it either")
    for assistant in sorted({one.assistant for one in found.hooks}):
        hooks = [one for one in found.hooks if one.assistant == assistant]
        off = [path for name, path in found.switched_off if name == assistant]
        if off:
            text = f"all hooks are switched off in {shown(root, off[0])}"
            yield Finding(
                f"{assistant} hooks", "note", text, "switch them on there: disableAllHooks, or features.hooks"
            )
        else:
            yield _fired(root, assistant, hooks, evidence)
        yield from twice(root, assistant, hooks)
        yield from seen_twice(assistant, hooks, evidence)
    yield from _callable(root, (*found.hooks, *found.servers))
    yield from servers(root, found)


# ---- do they fire? ----


def _fired(root: Path, assistant: str, hooks: Sequence[Hook], evidence: Evidence) -> Finding:
    what, places = f"{assistant} hooks", listed(root, files_of(hooks))
    changed = min(map(changed_at, hooks))
    sessions = [one for one in evidence.sessions if one.assistant == assistant and not one.key.startswith("mcp-")]
    last = max((moment(one.seen_at) for one in sessions), default=None)
    since = [one for one in sessions if moment(one.started_at) >= changed]
    details = {
        "assistant": assistant, "files": [str(path) for path in files_of(hooks)], "changed_at": changed.isoformat(),
        "fired_at": last.isoformat() if last else None, "sessions_since": len(since),
    }  # fmt: skip
    mend = _MENDS.get(assistant, "start a new session")
    if not any(one.word == "session-start" for one in hooks):
        there = ", ".join(dict.fromkeys(one.word for one in hooks))
        text = f"session-start is not set up in {places}, only {there}: no session is told where things stand"
        mend = f"`neat init --assistant {assistant}` sets all of them up"
    elif last is None:
        text = f"set up in {places}, and none has fired here yet"
    elif last < changed:
        text = f"none has fired since {places} was changed at {when(changed)}; the last one at {when(last)}"
    else:
        text, mend = _missing(hooks, since, evidence)
        if not text:
            text = f"set up in {places}; the last one fired {age(last, evidence.now)}"
            return Finding(what, "ok", text, details=details)
    return Finding(what, "note", text, mend, details)


def _missing(hooks: Sequence[Hook], since: Sequence[Attendance], evidence: Evidence) -> tuple[str, str]:
    """(what does not fire although others do, what mends it); ("", "") for nothing. That others do shows that the project
    is trusted, and the program found."""
    words, ids = {one.word for one in hooks}, {one.session_id for one in since}
    starts = {one.session_id for one in evidence.deliveries if one.event.startswith("session-start")}
    if since and "session-start" in words and not ids & starts:
        text = f"they fire, but session-start has not: {_counted(len(since), 'session')} got no brief by it"
        return text, "start a new session: one that was open already has no start; `/hooks` shows whether it is listed"
    ends = [one.event for one in since if one.ended_at]
    if len(ends) >= ENOUGH_ENDS and "session-end" in words and not any(one.startswith("session-end") for one in ends):
        text = f"they fire, but session-end has not: {len(ends)} sessions ended without it"
        return text, "leave a session by /exit: one whose terminal is closed or killed calls none, and ends without it"
    return "", ""


# ---- can they be called? ----


def _callable(root: Path, entries: Iterable[Hook | Server]) -> Iterator[Finding]:
    """A finding for each program that is not there, with the files that call it."""
    wrong: dict[tuple[str, str], set[Path]] = {}
    for one in entries:
        if one.command and not any(_SHELL & set(word) for word in one.command):
            why = _why_not(root, one.command[0])
            if why:
                wrong.setdefault((one.command[0], why), set()).add(one.path)
    for (program, why), files in wrong.items():
        is_sure = why != _NOT_ON_PATH
        text = f"{program!r} {why}; called by {listed(root, files)}"
        mend = "`neat init --command /full/path/of/neat` in the project writes where it is"
        details = {"program": program, "files": sorted(map(str, files))}
        yield Finding(
            "assistants", "bad" if is_sure else "note", text, mend if is_sure else f"put it on PATH, or {mend}", details
        )


_NOT_ON_PATH = "is not on the PATH of this shell"


def _why_not(root: Path, program: str) -> str:
    if not os.path.dirname(program):  # noqa: PTH120 - `./x` must not lose its dot
        return "" if shutil.which(program) else _NOT_ON_PATH
    path = root / program
    if not path.is_file():
        return "is not there"
    return "" if os.access(path, os.X_OK) else "may not be executed"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")
