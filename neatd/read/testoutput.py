"""The output of a test command, read as it passes by: counts and failing names from the runners' closing lines.

Pure, stdlib only. Holds a bounded rest of a line and bounded lists of names, never the output: a gigabyte may pass.
Most output is no closing line, so whole blocks are skipped by one search for the words that may matter.
"""

from __future__ import annotations

import re

from neatd.read.testcompiled import Cargo, Ctest, Go, Nextest
from neatd.read.testcounts import Counts, merge
from neatd.read.testpython import Pytest, Unittest
from neatd.read.testscripted import Jest, Node, Plain, Vitest

LONGEST = 8192  # bytes of a line that are looked at
# A line without one of these is no closing line. Literals, because bytes.find is ten times as fast as one pattern.
_WORDS = tuple(
    word.encode()
    for word in (
        "passed", "failed", "FAIL", "ERROR", "PASSES =", "test session starts", "short test summary", "skipped in",
        "deselected", "error in", "errors in", "no tests ran", "xfailed", "Ran ", "OK", "NO TESTS RAN", "UNEXPECTED",
        "test result:", "failures:", "Summary [", "TIMEOUT", "SIG", "ABORT", "--- ", "=== RUN", "ok  \t", '"Action"',
        "Tests", "●", "not ok", "✖", "ℹ ", "# tests", "# pass", "# fail", "# cancelled", "# skipped", "# todo",
    )
)  # fmt: skip
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


class OutputReader:
    """Feed it one stream's bytes as they come; `counts` tells what the runners said."""

    def __init__(self) -> None:
        self._rest = b""
        self._pytest, self._cargo, self._ctest, self._plain = Pytest(), Cargo(), Ctest(), Plain()
        plain = self._plain
        self._others = (Unittest(), self._cargo, Nextest(), Go(), self._ctest, Jest(), Vitest(), Node(), plain)

    def feed(self, data: bytes) -> None:
        """Take the next bytes, cut anywhere."""
        data = self._rest + data
        block, newline, rest = data.rpartition(b"\n")
        self._rest = rest[:LONGEST]
        if not newline:
            return
        at = 0
        for start, end in _marked(block):
            if self._is_listing:
                self._all(block[at:start])
            self._line(block[start:end])
            at = end + 1
        if self._is_listing:
            self._all(block[at:])

    @property
    def _is_listing(self) -> bool:
        """Whether names follow, in lines that hold no word to know them by."""
        return self._cargo.is_listing or self._ctest.is_listing

    def _all(self, block: bytes) -> None:
        for line in block.split(b"\n"):
            if not self._is_listing:
                return
            self._line(line)

    def _line(self, raw: bytes) -> None:
        text = raw.rstrip(b"\r").rpartition(b"\r")[2][:LONGEST].decode("utf-8", "replace")
        text = _COLOURS.sub("", text).rstrip()
        was_captured = self._pytest.is_captured
        self._pytest.line(text)
        if was_captured or self._pytest.is_captured:
            return  # pytest shows what a failing test printed: another run's closing lines, perhaps
        for one in self._others:
            one.line(text)

    def counts(self) -> Counts | None:
        """What the closing lines told; None when none was recognised. Ends the reading."""
        self.feed(b"\n")
        results = [one.result() for one in (self._pytest, *self._others) if one is not self._plain]
        return merge(one for one in results if one is not None) or self._plain.result()


def _marked(block: bytes) -> list[tuple[int, int]]:
    """(start, end) of each line that holds one of the words, in order."""
    starts: set[int] = set()
    for word in _WORDS:
        at = block.find(word)
        while at >= 0:
            starts.add(block.rfind(b"\n", 0, at) + 1)
            end = block.find(b"\n", at)
            at = -1 if end < 0 else block.find(word, end)
    return [(start, _end(block, start)) for start in sorted(starts)]


def _end(block: bytes, start: int) -> int:
    end = block.find(b"\n", start)
    return len(block) if end < 0 else end


def read_output(text: str | bytes) -> Counts | None:
    """The counts in a whole output."""
    reader = OutputReader()
    reader.feed(text.encode("utf-8", "replace") if isinstance(text, str) else text)
    return reader.counts()
