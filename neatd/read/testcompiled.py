"""What cargo test, cargo nextest, go test and ctest say at their end. Pure state machines over lines.

Written on the output of cargo 1.95, cargo-nextest 0.9, go 1.19 and ctest 3.25.
"""

from __future__ import annotations

import json
import re

from neatd.read.testcounts import MOST_NAMES, Counts, hold, total

_RESULT = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;")


class Cargo:
    """Every binary closes with a line of its own, after the list of its failing tests; all are added up."""

    def __init__(self) -> None:
        self.is_listing = False  # inside a list of names, whose lines say nothing by which to know them
        self._here: list[str] = []
        self._names: dict[str, None] = {}
        self._sum = [0, 0, 0]
        self._binaries = 0

    def line(self, text: str) -> None:
        """Take one line, without colours."""
        if text == "failures:":
            self.is_listing, self._here = True, []
        elif found := _RESULT.match(text):
            self._sum = [self._sum[n] + int(found[n + 1]) for n in range(3)]
            if int(found[2]):
                for name in self._here:
                    hold(self._names, name)
            self.is_listing, self._here, self._binaries = False, [], self._binaries + 1
        elif self.is_listing and text.startswith("    ") and len(self._here) < MOST_NAMES:
            self._here.append(text.strip())
        elif self.is_listing and text:
            self.is_listing = False

    def result(self) -> Counts | None:
        """What all binaries counted; None when there was none."""
        if not self._binaries:
            return None
        return Counts(self._sum[0], self._sum[1], self._sum[2], tuple(self._names)[:MOST_NAMES], ("cargo",))


_NEXTEST = re.compile(r"^ *Summary \[[^\]]{1,30}\] +[\d/]+ tests? run: (.+)$")
_NEXTEST_NAME = re.compile(
    r"^ *(?:TRY \d+ )?(?:FAIL|TIMEOUT|ABORT|SIG\w+|LEAK-FAIL|EXECFAIL) \[[^\]]{1,30}\] +(?:\([ \d/]+\) )?(\S.*)$"
)
_NEXTEST_BAD = ("failed", "timed out", "exec failed")


class Nextest:
    """One summary, followed by the failing tests as `binary test`."""

    def __init__(self) -> None:
        self._counts: list[Counts] = []
        self._names: dict[str, None] = {}

    def line(self, text: str) -> None:
        """Take one line, without colours."""
        if found := _NEXTEST.match(text):
            numbers = {word: int(number) for number, word in re.findall(r"(\d+) ([a-z]+(?: [a-z]+)?)", found[1])}
            failed = sum(numbers.get(word, 0) for word in _NEXTEST_BAD)
            self._counts.append(Counts(numbers.get("passed", 0), failed, numbers.get("skipped", 0)))
        elif self._counts and (found := _NEXTEST_NAME.match(text)):
            hold(self._names, found[1].strip())

    def result(self) -> Counts | None:
        """What the summaries counted; None when there was none."""
        if not self._counts:
            return None
        passed, failed, skipped = total(self._counts)
        return Counts(passed, failed, skipped, tuple(self._names)[:MOST_NAMES], ("nextest",))


_GO_TEST = re.compile(r"^ *--- (PASS|FAIL|SKIP): (\S+) \(")
_GO_PACKAGE = re.compile(r"^(ok  |FAIL|---|\?   )\t(\S+)(?:\t(.*)| (\[.*\]))?$")
_GO_KINDS = {"pass": 0, "fail": 1, "skip": 2}


class Go:
    """`go test`, with -v and -json too. Tests with subtests count beside them, as gotestsum counts.

    Without -v nothing is said of passes: they stay None. A package that did not build, or that died, fails by its name.
    """

    def __init__(self) -> None:
        self._sum = [0, 0, 0]
        self._here: list[str] = []  # failed tests whose package is named after them
        self._names: dict[str, None] = {}
        self._packages = 0
        self._knows_passes = False

    def line(self, text: str) -> None:
        """Take one line, without colours."""
        if text.startswith("{"):
            self._event(text)
        elif text.startswith("=== RUN "):
            self._knows_passes = True
        elif found := _GO_TEST.match(text):
            self._sum[_GO_KINDS[found[1].lower()]] += 1
            if found[1] == "FAIL" and len(self._here) < MOST_NAMES:
                self._here.append(found[2])
        elif found := _GO_PACKAGE.match(text):
            self._package(found[1].strip(), found[2], found[4] or "")

    def _package(self, word: str, package: str, why: str) -> None:
        self._packages += 1
        if word == "FAIL":
            if not self._here:
                self._sum[1] += 1
            names = [f"{package}.{name}" for name in self._here] or [f"{package} {why}".strip()]
            for name in names:
                hold(self._names, name)
        self._here = []

    def _event(self, text: str) -> None:
        """One line of -json."""
        try:
            event = json.loads(text)
            action, package, test = event["Action"], event["Package"], event.get("Test")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return
        if action not in _GO_KINDS or not isinstance(package, str):
            return
        self._knows_passes = True
        if test is None:
            # Its failing tests, if that was why, were events of their own before this one.
            is_alone = action == "fail" and not any(name.startswith(f"{package}.") for name in self._names)
            self._here = []
            self._package("FAIL" if is_alone else "ok", package, "")
            return
        self._sum[_GO_KINDS[action]] += 1
        if action == "fail":
            hold(self._names, f"{package}.{test}")

    def result(self) -> Counts | None:
        """What all packages counted; None when there was none."""
        if not self._packages:
            return None
        passed, skipped = (self._sum[0], self._sum[2]) if self._knows_passes else (None, None)
        return Counts(passed, self._sum[1], skipped, tuple(self._names)[:MOST_NAMES], ("go",))


_CTEST = re.compile(r"^ *\d+% tests passed, (\d+) tests? failed out of (\d+)$")
_CTEST_NAME = re.compile(r"^\s*\d+ - (\S.*?) \((Failed|Timeout|Not Run|SEGFAULT|Child aborted|Skipped|Disabled|\w+)\)")


class Ctest:
    """One closing line, then the failing tests by number and name."""

    def __init__(self) -> None:
        self.is_listing = False  # after the closing line, to the end of its lists
        self._counts: list[list[int]] = []
        self._names: dict[str, None] = {}

    def line(self, text: str) -> None:
        """Take one line, without colours."""
        if found := _CTEST.match(text):
            failed, total = int(found[1]), int(found[2])
            self._counts.append([max(0, total - failed), failed, 0])
            self.is_listing = True
        elif text.startswith(("Errors while running", "Internal ctest", "Test project")):
            self.is_listing = False
        elif self.is_listing and (found := _CTEST_NAME.match(text)):
            if found[2] in ("Skipped", "Disabled"):
                self._counts[-1][0] = max(0, self._counts[-1][0] - (found[2] == "Skipped"))
                self._counts[-1][2] += 1
            else:
                hold(self._names, found[1])

    def result(self) -> Counts | None:
        """What the closing lines counted; None when there was none."""
        if not self._counts:
            return None
        passed, failed, skipped = (sum(one[n] for one in self._counts) for n in range(3))
        return Counts(passed, failed, skipped, tuple(self._names)[:MOST_NAMES], ("ctest",))
