"""What a shell command of an assistant tells of commits, and which of them its words name. Stdlib only, for the hook.

A command that printed no commit names one by its subject, which is an argument of it or a line of one, never a part of
another; or by the word of git that makes such a one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from neatd.read.headlog import Made

_LONGEST = 20_000  # characters of a command that are looked at
_DEEPEST = 3  # shells that are started by shells
_JOINED = re.compile(r"-[a-zA-Z]*m|--message=")  # `-qmSUBJECT`
_SHELL_LINE = re.compile(r"\bgit\s[^\n]*\bcommit\s+-")  # an argument that is a command itself, as after `bash -lc`
_FOLDER = re.compile(r"""(?:\bcd|\s-C)\s+("[^"\n]+"|'[^'\n]+'|[^\s'";&|)]+)""")
_MOST_FOLDERS = 10


class Told(NamedTuple):
    """What one call of a shell tells of commits."""

    printed: tuple[str, ...]  # beginnings of commits, as git printed them
    command: str | tuple[str, ...]
    may_commit: bool
    cwd: str
    took_s: float | None  # where the assistant tells
    known: tuple[tuple[str, Made], ...] = ()  # (top of the repository, commit) that git itself was asked for

    @property
    def is_any(self) -> bool:
        """Whether it may have made a commit."""
        return bool(self.printed or self.may_commit)


NOTHING = Told((), "", False, "", None)


def folders_named(command: str | tuple[str, ...]) -> list[str]:
    """Where a command goes, or has git go."""
    line = command if isinstance(command, str) else " ".join(command)
    return [one.strip("'\"") for one in _FOLDER.findall(line[:_LONGEST])][:_MOST_FOLDERS]


class Names:
    """The subjects and the words of git that a command names."""

    def __init__(self, command: str | tuple[str, ...]) -> None:
        self._lines = frozenset(_squeezed(line) for one in _texts(command, 0) for line in one.split("\n"))
        line = command if isinstance(command, str) else " ".join(command)
        self._words = frozenset(re.findall(r"[a-z-]+", line[:_LONGEST]))

    def has(self, one: Made) -> bool:
        """Whether a command that printed nothing names this commit."""
        if one.is_picked or one.action == "rebase":
            return False
        return _squeezed(one.subject) in self._lines if one.action.startswith("commit") else one.action in self._words


def _squeezed(text: str) -> str:
    return " ".join(text.split())  # as git writes a subject into its log


def _texts(command: str | tuple[str, ...], depth: int) -> Iterator[str]:
    """The lines of a command as they stand, and its arguments; those of the commands in it, too."""
    if isinstance(command, str):
        yield command[:_LONGEST]
    for word in _arguments(command[:_LONGEST]) if isinstance(command, str) else command:
        yield word
        joined = _JOINED.match(word)
        if joined:
            yield word[joined.end() :]
        if depth < _DEEPEST and _SHELL_LINE.search(word):
            yield from _texts(word, depth + 1)


def _arguments(line: str) -> list[str]:
    import shlex  # which few hooks need

    try:
        return shlex.split(line)
    except ValueError:  # a quote that stays open, as in a text that is handed in
        return re.split(r"['\"]", line)
