"""What a tool call of an assistant did: a test run, edited files, commits. Stdlib only, for the hook."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from neatd.assist.hookcall import HookCall
from neatd.assist.toolcall import ToolCall, commits_told, edited_files, line_of, may_commit, shell_call
from neatd.pipeline.told import NOTHING, Told
from neatd.read.testcommand import HINT, TestCommand, find_in_words, find_test
from neatd.store.moments import utc_now
from neatd.store.presence import Attendance


class Use(NamedTuple):
    """What a tool call did, as far as a session's record tells it."""

    edited: tuple[str, ...]  # paths, as the tool names them
    told: Told  # of commits
    test: tuple[ToolCall, TestCommand] | None

    @property
    def is_kept(self) -> bool:
        """Whether it leaves a deed."""
        return bool(self.edited or self.told.is_any)


def use_of(call: HookCall) -> Use:
    """What a call of a tool did."""
    edited = edited_files(call.payload)
    shell = None if edited else shell_call(call.payload, call.assistant)
    if shell is None:
        return Use(edited, NOTHING, None)
    told = Told(commits_told(shell), shell.command, may_commit(shell), shell.cwd, _took_s(call.payload))
    return Use((), told, _test_in(shell))


def _took_s(payload: Mapping[str, Any]) -> float | None:
    """How long the call took, where the assistant tells."""
    found = (payload.get(name) for name in ("duration_ms", "duration"))
    took = next((one for one in found if isinstance(one, int | float) and not isinstance(one, bool)), None)
    return took / 1000 if took is not None and 0 <= took < 1e9 else None


def _test_in(shell: ToolCall) -> tuple[ToolCall, TestCommand] | None:
    """The test run that a tool call was."""
    if not HINT.search(line_of(shell).encode("utf-8", "replace")):
        return None
    found = find_test(shell.command) if isinstance(shell.command, str) else find_in_words(shell.command)
    return (shell, found) if found and found.words else None


def looked_up(use: Use, root: Path) -> Use:
    """With what git itself knows of the commits, where it keeps no log. To be called outside of a transaction."""
    if not use.told.printed:
        return use
    from neatd.pipeline import toldcommits

    return use._replace(told=toldcommits.look_up(root, use.told))


def take_in(connection: sqlite3.Connection, known: Attendance, root: str, cwd: str, use: Use) -> None:
    """Keep what a tool call did as the session's own. Caller holds the transaction."""
    from neatd.pipeline import edits, toldcommits

    edits.take_edited(connection, known, root, use.edited, cwd, utc_now())
    if use.told.is_any:
        toldcommits.take(connection, known, root, use.told)
