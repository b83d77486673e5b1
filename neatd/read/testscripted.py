"""What Jest, Vitest and node's own test runner say at their end, and the plain line any script may write.

Pure state machines over lines, written on the output of Jest 30, Vitest 4 and Node 20.
"""

from __future__ import annotations

import re

from neatd.read.testcounts import MOST_NAMES, Counts, hold, total

_TOTAL = re.compile(r"^Tests: +(.+), (\d+) total$")
_FILE = re.compile(r"^ *FAIL +(\S.*)$")
_TEST = re.compile(r"^  ● (.+)$")
_NUMBER = re.compile(r"(\d+) ([a-z]+)")
_NOT_RUN = "Test suite failed to run"


class Jest:
    """A line `Tests: … total`; the failing tests stand under their file, which is named before them."""

    def __init__(self) -> None:
        self._file = ""
        self._names: dict[str, None] = {}
        self._broken: dict[str, None] = {}  # files that could not run: their tests are in no number
        self._counts: list[Counts] = []

    def line(self, text: str) -> None:
        """Take one line, without colours."""
        if found := _FILE.match(text):
            self._file = found[1]
        elif self._file and (found := _TEST.match(text)):
            if found[1] == _NOT_RUN:
                hold(self._broken, self._file)
            elif found[1] != "Console":
                hold(self._names, f"{self._file} › {found[1]}")
        elif found := _TOTAL.match(text):
            self._counts.append(_numbers(found[1], 0))

    def result(self) -> Counts | None:
        """What the totals counted, with the files that could not run as failures; None when there was none."""
        if not self._counts:
            return None
        passed, failed, skipped = total(self._counts)
        names = (*self._names, *self._broken)
        return Counts(passed, failed + len(self._broken), skipped, names[:MOST_NAMES], ("jest",))


_VITEST = re.compile(r"^ +Tests  (?:(.+?) \(\d+\)|no tests)$")
_VITEST_BROKEN = re.compile(r"^(\S+) \[ .+ \]$")


class Vitest:
    """A line `Tests  1 failed | 5 passed (6)`; failing tests as `FAIL  file > group > test`."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {}
        self._broken: dict[str, None] = {}
        self._counts: list[Counts] = []

    def line(self, text: str) -> None:
        """Take one line, without colours."""
        if found := _FILE.match(text):
            broken = _VITEST_BROKEN.match(found[1])
            if broken:
                hold(self._broken, broken[1])
            elif " > " in found[1]:
                hold(self._names, found[1].strip())
        elif found := _VITEST.match(text):
            self._counts.append(_numbers(found[1] or "", 0))

    def result(self) -> Counts | None:
        """What the totals counted, with the files that could not run as failures; None when there was none."""
        if not self._counts:
            return None
        passed, failed, skipped = total(self._counts)
        names = (*self._names, *self._broken)
        return Counts(passed, failed + len(self._broken), skipped, names[:MOST_NAMES], ("vitest",))


def _numbers(text: str, least: int) -> Counts:
    numbers = {word: int(number) for number, word in _NUMBER.findall(text)}
    skipped = numbers.get("skipped", least) + numbers.get("todo", 0)
    return Counts(numbers.get("passed", least), numbers.get("failed", least), skipped)


_NODE_SUM = re.compile(r"^(?:#|ℹ) (tests|pass|fail|cancelled|skipped|todo) (\d+)$")
_NODE_BAD = re.compile(r"^not ok \d+ - (.{1,300}?)(?: # .*)?$")
_NODE_SPEC = re.compile(r"^✖ (.{1,300}) \([\d.]+ms\)$")


class Node:
    """`node --test`, which writes TAP into a pipe and marks on a terminal; both close with a line per number."""

    def __init__(self) -> None:
        self._sum: dict[str, int] = {}
        self._names: dict[str, None] = {}

    def line(self, text: str) -> None:
        """Take one line, without colours."""
        if found := _NODE_SUM.match(text):
            self._sum[found[1]] = self._sum.get(found[1], 0) + int(found[2])
        elif (found := _NODE_BAD.match(text) or _NODE_SPEC.match(text)) and len(self._names) < MOST_NAMES:
            hold(self._names, found[1])

    def result(self) -> Counts | None:
        """What the closing lines counted; None when there were none."""
        if not {"tests", "pass", "fail"} <= set(self._sum):
            return None
        failed = self._sum["fail"] + self._sum.get("cancelled", 0)
        skipped = self._sum.get("skipped", 0) + self._sum.get("todo", 0)
        return Counts(self._sum["pass"], failed, skipped, tuple(self._names) if failed else (), ("node",))


_PLAIN = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\.?$")


class Plain:
    """`12 passed, 1 failed` alone on a line: believed when no runner was recognised."""

    def __init__(self) -> None:
        self._last: Counts | None = None

    def line(self, text: str) -> None:
        """Take one line, without colours."""
        if found := _PLAIN.match(text):
            skipped = None if found[3] is None else int(found[3])
            self._last = Counts(int(found[1]), int(found[2]), skipped, (), ("plain",))

    def result(self) -> Counts | None:
        """The last such line; None when there was none."""
        return self._last
