"""What a tool call of an assistant did: a test run, edited files, commits. Stdlib only, for the hook."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from neatd.assist.hookcall import HookCall
from neatd.assist.toolcall import ToolCall, commits_told, edited_files, line_of, may_commit, shell_call
from neatd.read.testcommand import HINT, TestCommand, find_in_words, find_test
from neatd.store.moments import utc_now
from neatd.store.presence import Attendance


class Use(NamedTuple):
    """What a tool call did, as far as a session's record tells it."""

    edited: tuple[str, ...]  # paths, as the tool names them
    commits: tuple[str, ...]  # beginnings of commits as git printed them
    quiet: str  # a command that makes commits, and printed none; else ""
    test: tuple[ToolCall, TestCommand] | None

    @property
    def is_kept(self) -> bool:
        """Whether it leaves a deed."""
        return bool(self.edited or self.commits or self.quiet)


def use_of(call: HookCall) -> Use:
    """What a call of a tool did."""
    edited = edited_files(call.payload)
    shell = None if edited else shell_call(call.payload, call.assistant)
    if shell is None:
        return Use(edited, (), "", None)
    told = commits_told(shell)
    quiet = line_of(shell) if not told and may_commit(shell) else ""
    return Use((), told, quiet, _test_in(shell))


def _test_in(shell: ToolCall) -> tuple[ToolCall, TestCommand] | None:
    """The test run that a tool call was."""
    if not HINT.search(line_of(shell).encode("utf-8", "replace")):
        return None
    found = find_test(shell.command) if isinstance(shell.command, str) else find_in_words(shell.command)
    return (shell, found) if found and found.words else None


def take_in(connection: sqlite3.Connection, known: Attendance, root: str, cwd: str, use: Use) -> None:
    """Keep what a tool call did as the session's own. Caller holds the transaction."""
    from neatd.pipeline import commits, edits

    edits.take_edited(connection, known, root, use.edited, cwd, utc_now())
    if use.commits or use.quiet:
        commits.take_told(connection, known, root, use.commits, use.quiet)
