"""What a test run counted: the one value that closing lines, JUnit files and pytest's cache are all read into.

Pure, stdlib only. A number nobody told is None and never 0: `go test` without -v says nothing of passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

MOST_NAMES = 200  # failing tests named; the count goes on
MOST_HELD = 10_000  # names held while reading: a bound for output that never ends


class Counts(NamedTuple):
    """Numbers of one run. `failed` holds errors too: what could not run did not pass."""

    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None
    failing: tuple[str, ...] = ()
    runners: tuple[str, ...] = ()  # who counted: pytest, cargo …

    @property
    def total(self) -> int:
        """How many tests are told of."""
        return (self.passed or 0) + (self.failed or 0) + (self.skipped or 0)


def hold(names: dict[str, None], name: str) -> None:
    """Keep a name, once and in order, while there is room."""
    if len(names) < MOST_HELD:
        names[name] = None


def merge(parts: Iterable[Counts]) -> Counts | None:
    """Several runs under one command as one: what is known of each number is added up. None for no parts."""
    found = list(parts)
    if not found:
        return None
    names = dict.fromkeys(name for part in found for name in part.failing)
    runners = dict.fromkeys(name for part in found for name in part.runners)
    return Counts(
        _sum([part.passed for part in found]),
        _sum([part.failed for part in found]),
        _sum([part.skipped for part in found]),
        tuple(names)[:MOST_NAMES],
        tuple(runners),
    )


def total(parts: Iterable[Counts]) -> tuple[int, int, int]:
    """Passed, failed and skipped of several closing lines of one runner, each of which tells all three."""
    known = [(part.passed or 0, part.failed or 0, part.skipped or 0) for part in parts]
    return sum(one[0] for one in known), sum(one[1] for one in known), sum(one[2] for one in known)


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def name_key(name: str) -> str:
    """A test's name such that a node id of pytest and the class and name in its JUnit file are equal."""
    head, bracket, rest = name.partition("[")
    head = head.replace("\\", "/").replace(".py::", ".").replace("::", ".").replace("/", ".")
    return head.removesuffix(".py").lstrip(".") + bracket + rest


def agree(one: Counts, other: Counts) -> bool:
    """Whether two accounts may be of the same run: the same tests fail, and no number that both know differs much.

    Failures are compared by name: one counts a test that fails and then cannot be torn down twice, the other once.
    """
    if {name_key(name) for name in one.failing} != {name_key(name) for name in other.failing}:
        return False
    if one.failing:
        return True
    pairs = ((one.passed, other.passed), (one.failed, other.failed), (one.skipped, other.skipped))
    return all(a is None or b is None or a == b for a, b in pairs)


def title(counts: Counts | None, seconds: float | None, exit_code: int | None, is_interrupted: bool) -> str:
    """`342 passed, 1 failed, 3 skipped in 12.3 s`; without counts the exit code, and that nothing was recognised."""
    text = _numbers(counts)
    if not text:
        text = "no counts recognised" if exit_code is None else f"exit code {exit_code}, no counts recognised"
    if is_interrupted:
        text = f"interrupted: {text}"
    return text if seconds is None else f"{text} in {_time(seconds)}"


def _numbers(counts: Counts | None) -> str:
    if counts is None or (counts.passed is None and counts.failed is None):
        return ""
    if counts.total == 0 and counts.passed is not None:
        return "no tests ran"
    parts = [] if counts.passed is None else [f"{counts.passed} passed"]
    if counts.failed or counts.passed is None:
        parts.append(f"{counts.failed or 'none'} failed")
    if counts.skipped:
        parts.append(f"{counts.skipped} skipped")
    return ", ".join(parts)


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"
