"""JUnit XML read into counts: streamed, of bounded size, and without a document type, so that nothing can expand.

Tests are counted one by one; the totals in the attributes are taken only where no test is listed. A file may come
with a repository: it is data, no entity of it is resolved and nothing outside of it is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

from neatd.errors import NeatError
from neatd.files import open_regular
from neatd.read.testcounts import MOST_NAMES, Counts, hold

LARGEST = 64 << 20  # bytes; 200,000 tests of pytest are 20 MB
_BLOCK = 1 << 18
_LONGEST_TAG = 2 << 20  # bytes of one tag: three million attributes in one took a gigabyte of memory
_LONGEST_NAME = 500
_FAILED = frozenset({"failure", "error"})


class JunitResult(NamedTuple):
    """What one file told."""

    counts: Counts
    seconds: float | None


def read_junit(path: Path) -> JunitResult:
    """The file's counts. Raises NeatError for what is no JUnit file, has a document type or is too large; OSError."""
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = False
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = _refuse
    try:
        with open_regular(path) as file:
            fed = 0
            while block := file.read(_BLOCK):
                fed += len(block)
                if fed > LARGEST:
                    raise NeatError(f"{path}: larger than {LARGEST >> 20} MiB", "name a file of test results")
                parser.Parse(block, False)
                if fed - parser.CurrentByteIndex > _LONGEST_TAG:
                    raise NeatError(f"{path}: a tag of more than {_LONGEST_TAG >> 20} MiB", "no test result has one")
        parser.Parse(b"", True)
    except (expat.ExpatError, UnicodeDecodeError, LookupError, ValueError) as error:
        raise NeatError(f"{path}: not XML: {error}", "name the file that the test command writes") from error
    if not reader.is_junit:
        raise NeatError(f"{path}: no test results in it", "name a JUnit XML file, as `pytest --junitxml=FILE` writes")
    return reader.result()


def _refuse(*_: object) -> None:
    raise NeatError("the file declares a document type", "JUnit files have none; what expands is not read")


class _Reader:
    """Counts while the elements pass by."""

    def __init__(self) -> None:
        self.is_junit = False
        self._depth = 0
        self._case: tuple[int, str, str] | None = None  # depth, name, outcome
        self._numbers = {"passed": 0, "failed": 0, "skipped": 0}
        self._names: dict[str, None] = {}
        self._suites: list[dict[str, str]] = []  # the outermost ones
        self._in_suite = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        tag = tag.rpartition("}")[2].rpartition(":")[2]
        if tag == "testsuite":
            self.is_junit = True
            if not self._in_suite and len(self._suites) < 10_000:
                self._suites.append({key: value[:40] for key, value in attributes.items()})
            self._in_suite += 1
        elif tag == "testsuites":
            self.is_junit = True
        elif tag == "testcase" and self.is_junit and self._case is None:
            self._case = (self._depth, _name(attributes), "passed")
        elif self._case is not None and self._depth == self._case[0] + 1:
            outcome = "failed" if tag in _FAILED else "skipped" if tag == "skipped" else ""
            if outcome and self._case[2] != "failed":
                self._case = (self._case[0], self._case[1], outcome)

    def end(self, tag: str) -> None:
        if self._case is not None and self._depth == self._case[0]:
            _, name, outcome = self._case
            self._numbers[outcome] += 1
            if outcome == "failed":
                hold(self._names, name)
            self._case = None
        elif tag.rpartition("}")[2].rpartition(":")[2] == "testsuite":
            self._in_suite -= 1
        self._depth -= 1

    def result(self) -> JunitResult:
        passed, failed, skipped = self._numbers.values()
        if not passed + failed + skipped:
            passed, failed, skipped = self._totals()
        names = tuple(self._names)[:MOST_NAMES]
        times = [_number(suite.get("time", "")) for suite in self._suites]
        seconds = sum(time for time in times if time is not None) if any(time is not None for time in times) else None
        return JunitResult(Counts(passed, failed, skipped, names, ("junit",)), seconds)

    def _totals(self) -> tuple[int, int, int]:
        """What the suites' attributes say, for a file without its tests."""

        def of(*names: str) -> int:
            return sum(int(_number(suite.get(name, "")) or 0) for suite in self._suites for name in names)

        failed, skipped = of("failures", "errors"), of("skipped", "disabled")
        return max(0, of("tests") - failed - skipped), failed, skipped


def _name(attributes: dict[str, str]) -> str:
    """A test's name as its class, a dot and its own; a node id where the file is named too (pytest's xunit1)."""
    group, name = attributes.get("classname", ""), attributes.get("name", "")
    return (f"{group}.{name}" if group else name)[:_LONGEST_NAME]


def _number(text: str) -> float | None:
    """A finite number of reasonable size, as times and totals are; thousands may be grouped by commas."""
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None
