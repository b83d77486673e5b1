"""The heads of files whose names are no proof: read at most once per state of a file, within a budget, remembered.

A yes holds until another file takes the name. A no is asked again at every change while the file is small, then at each
doubling, up to the 64 kB that are looked at: what writes a long preamble is found, what is none costs a dozen reads in
its life. Bounded: when MOST answers are remembered, further files are passed over and `is_full` says so.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from neatd.files import open_regular
from neatd.read.databases import BusyDatabase, kind_of
from neatd.read.listing import File
from neatd.read.naming import Named, by_name
from neatd.read.quick import Quick, QuickKey
from neatd.read.sniff import HEAD_BYTES, sniff

MOST = 50_000  # answers: some 15 MB
SMALL = 4096  # bytes up to which each change is looked at
BUDGET_READS = 2000  # of one survey
MOST_QUICK = 4000  # runs
BUDGET_S = 0.25  # of one survey: what a slow disk may hold up the daemon; the rest comes with the next


class _Answer(NamedTuple):
    inode: int
    size: int
    mtime_ns: int
    format: str  # "": none


class Heads:
    """Owned by whoever walks a project: one for each."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._answers: dict[str, _Answer] = {}
        self._asked_for: dict[str, _Answer] = {}  # since the survey began
        self._paths: dict[str, Path] = {}
        self._used: dict[str, Path] = {}
        self.quick: dict[QuickKey, Quick] = {}
        self._reads_left, self._seconds = BUDGET_READS, BUDGET_S
        self._until: float | None = None
        self.is_short = False  # some head was left for the next survey
        self.is_full = False
        self.is_wanted: Callable[[Path, bytes], bool] = (
            _none_wanted  # whether a log's head fits a pattern of the user's
        )

    def __len__(self) -> int:
        return len(self._answers)

    def begin(self, reads: int = BUDGET_READS, seconds: float = BUDGET_S) -> None:
        """A survey begins, with a new budget."""
        self.renew(reads, seconds)
        self.is_short = self.is_full = False
        self._asked_for = {}
        self._paths, self._used = self._used, {}

    def renew(self, reads: int, seconds: float) -> None:
        """A new budget. Its clock starts with the first read."""
        self._reads_left, self._until, self._seconds = reads, None, seconds

    def forget_unseen(self) -> None:
        """Drop what was not asked since `begin`: files that are gone. Only after a walk that saw everything."""
        self._answers = self._asked_for

    @property
    def is_spent(self) -> bool:
        """Whether a head was not read since the budget was renewed."""
        return self._reads_left < 0

    def remember(self, key: QuickKey, quick: Quick) -> None:
        """Keep what a quick look found, until the folder changes."""
        if len(self.quick) >= MOST_QUICK:
            self.quick.clear()
        self.quick[key] = quick

    def ask_again(self) -> None:
        """Forget the files in which nothing was found."""
        self._answers = {path: one for path, one in self._answers.items() if one.format}
        self.quick.clear()

    def knows(self, path: str) -> bool:
        """Whether a file was looked at already: a change of it is no reason for a survey right now."""
        return path in self._answers

    def may_tell_now(self, path: Path) -> bool:
        """Whether a file in which nothing was found has changed so that it is worth another look."""
        known, named = self._answers.get(str(path)), by_name(path.name)
        if known is None or known.format or named is None:
            return False
        try:
            return _is_due(known, named, path.stat())
        except OSError:
            return False

    def is_settled(self, path: str) -> bool:
        """Whether more of a file in which nothing was found would not be looked at."""
        known = self._answers.get(path)
        return known is not None and known.size >= HEAD_BYTES

    def path(self, text: str) -> Path:
        """`text` as a path, the same one as at the last survey: making ten thousand of them takes longer than the walk."""
        found = self._used.get(text)
        if found is None:
            found = self._used[text] = self._paths.get(text) or Path(text)
        return found

    def format_of(self, file: File) -> str | None:
        """The format of a file, or None. Reads its head when that may tell more than what is remembered."""
        known = self._answers.get(file.path)
        if known is not None and known.inode == file.inode and known.format:
            self._asked_for[file.path] = known
            return known.format
        answer = self._answer(file, known)
        if answer is None:
            return None
        self._answers[file.path] = self._asked_for[file.path] = answer
        return answer.format or None

    def _answer(self, file: File, known: _Answer | None) -> _Answer | None:
        about = file.about()
        if about is None or about.st_size == 0:
            return None
        if known is not None and known.inode == file.inode and not _is_due(known, file.named, about):
            return known
        if known is None and len(self._answers) >= self._most:
            self.is_full = True
            return None
        if not self._may_read():
            self.is_short = True
            return known
        found = _asked(Path(file.path), file.named, about.st_size, self.is_wanted)
        return None if found is None else _Answer(file.inode, about.st_size, about.st_mtime_ns, found)

    def _may_read(self) -> bool:
        now = time.monotonic()
        if self._until is None:
            self._until = now + self._seconds
        self._reads_left = self._reads_left - 1 if now <= self._until else -1
        return self._reads_left >= 0


def _none_wanted(path: Path, head: bytes) -> bool:
    return False


def _asked(path: Path, named: Named, size: int, is_wanted: Callable[[Path, bytes], bool]) -> str | None:
    """The file's format, "" where its head shows none; None: it does not tell now."""
    try:
        with open_regular(path) as file:
            head = file.read(HEAD_BYTES)
        for format in named.formats:
            if sniff(format, head, named.is_usual, size > HEAD_BYTES):
                return format if format != "database" or kind_of(path) else ""
        if "text" in named.formats and is_wanted(path, head):
            return "text"
    except BusyDatabase:
        return None
    except OSError:
        return ""  # asked again when it changes
    return ""


def _is_due(known: _Answer, named: Named, about: os.stat_result) -> bool:
    """Whether a file in which nothing was found may show something now."""
    if (about.st_size, about.st_mtime_ns) == (known.size, known.mtime_ns):
        return False
    if known.size < SMALL or about.st_size < known.size or "database" in named.formats:
        return True
    return known.size < HEAD_BYTES and about.st_size >= 2 * known.size
