"""What of ours is there more than once: hooks that run beside each other, servers with the same tools."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from neatd.assist.render import when
from neatd.pipeline.doctor.evidence import Evidence, changed_at, moment, shown
from neatd.pipeline.doctor.finding import Finding
from neatd.pipeline.wiring import Hook, Wiring
from neatd.who import CLAUDE

TOGETHER_S = 5.0  # two deliveries of one start that are nearer than this are two hooks
RECENT = timedelta(days=7)  # what was seen longer ago may have been mended
_SETTINGS = ("user", "project", "local")  # of these Claude Code runs identical hooks once


def twice(root: Path, assistant: str, hooks: Sequence[Hook]) -> Iterator[Finding]:
    """One finding for each set of places that set the same events up."""
    events: dict[tuple[tuple[Path, str], ...], list[str]] = {}
    for event in dict.fromkeys(one.event for one in hooks):
        copies = _copies([one for one in hooks if one.event == event])
        if len(copies) > 1:
            events.setdefault(tuple((one.path, one.source) for one in copies), []).append(event)
    for places, names in events.items():
        listed = " and ".join(dict.fromkeys(shown(root, path) for path, _ in places))
        plugin = next((source for _, source in places if source not in _SETTINGS), "")
        mend = f"`/plugin disable {plugin}`, or `neat init --undo` here" if plugin else "take one of the two out"
        text = f"{', '.join(names)} set up {len(places)} times, in {listed}: what they tell comes as often"
        yield Finding(f"{assistant} hooks", "note", text, mend, {"assistant": assistant, "events": names})


def _copies(hooks: Sequence[Hook]) -> list[Hook]:
    """Those that run beside each other at one call. Codex runs all, Claude Code identical ones of settings once."""
    found: list[Hook] = []
    for one in hooks:
        if not any(_is_same(one, other) for other in found):
            found.append(one)
    return [one for one in found if any(one is not other and _meet(one, other) for other in found)]


def _is_same(one: Hook, other: Hook) -> bool:
    is_settings = one.source in _SETTINGS and other.source in _SETTINGS
    return one.assistant == CLAUDE and is_settings and one.command == other.command


def _meet(one: Hook, other: Hook) -> bool:
    """Whether both are for the same event of ours, and some call fits both matchers."""
    if one.word != other.word:
        return False
    mine, others = set(one.matcher.split("|")), set(other.matcher.split("|"))
    return bool(mine & others) or any(word in ("", "*") or not word.isidentifier() for word in mine | others)


def seen_twice(assistant: str, hooks: Sequence[Hook], evidence: Evidence) -> Iterator[Finding]:
    """The last start of a session that was told twice, where nothing was changed since."""
    since = max(max(map(changed_at, hooks)), evidence.now - RECENT)
    starts = [
        one for one in evidence.deliveries if one.assistant == assistant and one.event.startswith("session-start")
    ]
    later: dict[tuple[str, str], datetime] = {}
    for one in starts:
        at, key = moment(one.at), (one.session_id, one.event)
        if not one.session_id or at < since:
            continue
        gap_s = (later[key] - at).total_seconds() if key in later else TOGETHER_S
        if gap_s < TOGETHER_S:
            text = f"session {one.session_id} was told twice within {gap_s:.1f} s at {when(at)}, by {one.event}"
            mend = "two hooks ran: look for a second `neat hook session-start` in settings and plugins (`/hooks`)"
            yield Finding(
                f"{assistant} hooks", "note", text, mend, {"assistant": assistant, "session_id": one.session_id}
            )
            return
        later[key] = at


def servers(root: Path, found: Wiring) -> Iterator[Finding]:
    """Servers that stand in a file twice, or in several under different names; and another's under our name."""
    yield from _foreign(root, found)
    for path in dict.fromkeys(found.doubled):
        text = f"{shown(root, path)} names a server of neat's twice: only the last one counts"
        yield Finding("assistants", "note", text, "take one of the two out")
    for assistant in sorted({one.assistant for one in found.servers}):
        servers = [one for one in found.servers if one.assistant == assistant]
        names = {one.name if one.source in _SETTINGS else f"{one.source}: {one.name}": one for one in servers}
        if len(names) > 1:
            text = f"neat's server is set up {len(names)} times: " + ", ".join(
                f"{name} in {shown(root, one.path)}" for name, one in names.items()
            )
            yield Finding(f"{assistant} server", "note", text, "take all but one out: each one's tools cost context")


def _foreign(root: Path, found: Wiring) -> Iterator[Finding]:
    """A server called as ours that is not: `neat init` leaves it, so that the assistant has no tool of neat's."""
    with_ours = {one.assistant for one in found.servers}
    for assistant, path in dict.fromkeys(found.foreign):
        if assistant not in with_ours:
            text = f"{shown(root, path)} has a server 'neat' that is not neat's: its tools are not set up here"
            mend = "rename that one and run `neat init`, or add `neat mcp` under another name"
            yield Finding(f"{assistant} server", "note", text, mend, {"file": str(path)})
