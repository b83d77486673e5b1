"""Test runs as documents tell of them: the ones that came to an end, and those that were interrupted since. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from neatd.knowledge import TestRun

_NO_TESTS = frozenset({"true", "false", ":", "echo", "exit", "test", "["})  # of the shell: they run no test


class Tested(NamedTuple):
    """The last run of a command that came to an end, or was interrupted where none did; and the interrupted ones after
    it, newest first."""

    last: TestRun
    interrupted: list[TestRun]


def real_runs(runs: Iterable[TestRun]) -> list[TestRun]:
    """The runs that tested something: they have counts, or their command may have run tests."""
    return [one for one in runs if _is_counted(one) or not _is_no_test(one.command)]


def last_test(runs: Iterable[TestRun]) -> list[Tested]:
    """The last test run, of runs that come newest first; nothing where there is none."""
    return _tested(real_runs(runs))


def last_tests(runs: Iterable[TestRun]) -> list[Tested]:
    """The last test run of each command."""
    by_command: dict[str, list[TestRun]] = {}
    for one in real_runs(runs):
        by_command.setdefault(one.command, []).append(one)
    return [tested for some in by_command.values() for tested in _tested(some)]


def _tested(runs: Sequence[TestRun]) -> list[Tested]:
    """An interrupted run says nothing of the tests that it did not come to: the one before it stands."""
    place = next((n for n, one in enumerate(runs) if one.status != "interrupted"), 0)
    return [Tested(runs[place], list(runs[:place]))] if runs else []


def _is_counted(one: TestRun) -> bool:
    return one.passed is not None or one.failed is not None or bool(one.failing)


def _is_no_test(command: str) -> bool:
    words = command.split()
    return bool(words) and words[0].rpartition("/")[2] in _NO_TESTS
