"""What pytest and unittest say at their end. Pure state machines over lines: one line in, counts at the end.

Written on the output of pytest 9 (also -q, -qq, --no-summary, xdist, colours) and of Python 3.11's unittest. A test
may print another run's closing lines; pytest shows them among its failures, where they count nothing.
"""

from __future__ import annotations

import re

from neatd.read.testcounts import MOST_HELD, MOST_NAMES, Counts, hold

_STARTS = re.compile(r"^=+ test session starts .*=+$")
_CAPTURED = re.compile(r"^=+ (?:FAILURES|ERRORS|PASSES|XPASSES) =+$")
_SUMMARY = re.compile(r"^=+ short test summary info =+$")
_CLOSING = re.compile(
    r"^(?:=+ )?(no tests ran|\d+ [a-z][a-z ]{0,30}(?:, \d+ [a-z][a-z ]{0,30})*)"
    r" in \d[\d.]* ?s(?:econds)?(?: \([\d:., a-z]+\))?(?: =+)?$"
)
_NUMBER = re.compile(r"(\d+) ([a-z][a-z ]*)")
_NAMED = re.compile(r"^(?:FAILED|ERROR|SUBFAILED(?:\[[^\]]*\])? ?(?:\([^)]*\))?) (\S.*)$")
_WORDS = {
    "passed": "passed", "xpassed": "passed", "failed": "failed", "error": "failed", "errors": "failed",
    "skipped": "skipped", "xfailed": "skipped", "deselected": "", "warning": "", "warnings": "", "rerun": "",
}  # fmt: skip


class Pytest:
    """Sessions of pytest, one after the other (tox runs several): their closing lines are added up."""

    def __init__(self) -> None:
        self.is_captured = False  # among the failures, where anything may stand
        self._has_summary = False
        self._nested = 0  # sessions begun inside a test's own output
        self._late: dict[str, int] | None = None  # a closing line at a place where it may be a test's output
        self._here: dict[str, None] = {}
        self._names: dict[str, None] = {}
        self._sum: dict[str, int] = {"passed": 0, "failed": 0, "skipped": 0}
        self._sessions = 0
        self._knows_passes = True

    def line(self, text: str) -> None:
        """Take one line, without colours."""
        if _STARTS.match(text):
            self._start()
        elif _CAPTURED.match(text):
            self.is_captured = True
        elif _SUMMARY.match(text):
            if not self._nested:
                self.is_captured = self._has_summary = True
        elif self._has_summary and (found := _NAMED.match(text)):
            hold(self._here, _node_id(found[1]))
        elif found := _CLOSING.match(text):
            self._close(found[1])

    def _start(self) -> None:
        if self.is_captured and not self._has_summary:
            self._nested += 1
        else:
            self._settle()

    def _close(self, text: str) -> None:
        numbers = _closing_numbers(text)
        if numbers is None:
            return
        if self.is_captured and (self._nested or not self._has_summary):
            self._nested, self._late = max(0, self._nested - 1), numbers
        else:
            self._count(numbers)

    def _settle(self) -> None:
        """A session ended without a closing line where one is expected: -qq writes none, -rN no summary before it."""
        if self._late is not None:
            self._count(self._late)
        elif self._here:
            self._knows_passes = False
            self._count({"failed": len(self._here)})

    def _count(self, numbers: dict[str, int]) -> None:
        for name, number in numbers.items():
            self._sum[name] += number
        self._sessions += 1
        for name in self._here:
            hold(self._names, name)
        self._here, self._late = {}, None
        self.is_captured, self._has_summary, self._nested = False, False, 0

    def result(self) -> Counts | None:
        """What all sessions counted; None when there was none."""
        self._settle()
        if not self._sessions:
            return None
        passed, failed, skipped = self._sum["passed"], self._sum["failed"], self._sum["skipped"]
        if not self._knows_passes:
            return Counts(None, failed, None, tuple(self._names)[:MOST_NAMES], ("pytest",))
        return Counts(passed, failed, skipped, tuple(self._names)[:MOST_NAMES], ("pytest",))


def _closing_numbers(text: str) -> dict[str, int] | None:
    """The numbers of a closing line; None when it is some other line of numbers and seconds."""
    words = [(int(number), word.strip()) for number, word in _NUMBER.findall(text)]
    if text != "no tests ran" and not any(word in _WORDS for _, word in words):
        return None
    numbers: dict[str, int] = {}
    for number, word in words:
        if name := _WORDS.get(word):
            numbers[name] = numbers.get(name, 0) + number
    return numbers


def _node_id(text: str) -> str:
    """The node id of a summary line. A parameter may hold ` - ` too, so the message begins outside of brackets."""
    depth = 0
    for index, letter in enumerate(text):
        depth += (letter == "[") - (letter == "]")
        if depth <= 0 and text.startswith(" - ", index):
            return text[:index]
    if depth <= 0:
        return text
    end = text.find("] - ")  # a bracket in a parameter that is never closed
    return text[: end + 1] if end >= 0 else text


_RAN = re.compile(r"^Ran (\d+) tests? in \d[\d.]*s$")
_VERDICT = re.compile(r"^(OK|FAILED|NO TESTS RAN)(?: \((.*)\))?$")
_ONE = re.compile(r"^(FAIL|ERROR|UNEXPECTED SUCCESS): (\S+) \(([\w<>]+(?:\.[\w<>]+)+)\)(.{0,300})$")
_DETAIL = re.compile(r"(failures|errors|skipped|expected failures|unexpected successes)=(\d+)")
_FIXTURES = ("setUpClass", "tearDownClass", "setUpModule", "tearDownModule")


class Unittest:
    """Runs of unittest, and what is built on it (Django)."""

    def __init__(self) -> None:
        self._ran: int | None = None
        self._here: dict[str, str] = {}  # name with its subtest -> name of the test
        self._names: dict[str, None] = {}
        self._sum = [0, 0, 0]
        self._runs = 0

    def line(self, text: str) -> None:
        """Take one line, without colours."""
        if found := _ONE.match(text):
            if len(self._here) < MOST_HELD:
                test = _dotted(found[2], found[3])
                self._here[test + found[4].rstrip()] = test
        elif found := _RAN.match(text):
            self._ran = int(found[1])
        elif self._ran is not None and (found := _VERDICT.match(text)):
            self._count(self._ran, {name: int(number) for name, number in _DETAIL.findall(found[2] or "")})

    def _count(self, ran: int, details: dict[str, int]) -> None:
        unexpected = details.get("unexpected successes", 0)
        skipped = details.get("skipped", 0) + details.get("expected failures", 0)
        failed = details.get("failures", 0) + details.get("errors", 0) + unexpected
        tests = {test for test in self._here.values() if test.rpartition(".")[2] not in _FIXTURES}
        # A test may fail in several subtests, and a class before any of its tests ran.
        not_passed = len(tests) if self._here else failed
        self._sum = [self._sum[0] + max(0, ran - skipped - not_passed), self._sum[1] + failed, self._sum[2] + skipped]
        if failed:
            for name in self._here:
                hold(self._names, name)
        self._ran, self._here, self._runs = None, {}, self._runs + 1

    def result(self) -> Counts | None:
        """What all runs counted; None when there was none."""
        if not self._runs:
            return None
        return Counts(self._sum[0], self._sum[1], self._sum[2], tuple(self._names)[:MOST_NAMES], ("unittest",))


def _dotted(name: str, place: str) -> str:
    """`test_x` of `mod.Class`, or of `mod.Class.test_x` as Python 3.11 and later write it."""
    if place.startswith("unittest.loader._FailedTest"):
        return name  # a module that could not be imported
    return place if place.endswith(f".{name}") else f"{place}.{name}"
