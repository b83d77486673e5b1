"""The fault matrix at length: 200 SIGKILLs over every format, and a line of a gigabyte."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fault_place import place_in
from tests.test_faults import read_past_a_long_line
from tests.test_killed import compare_killed_and_unkilled

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]


def test_two_hundred_kills_leave_what_an_unkilled_daemon_leaves(tmp_path: Path) -> None:
    """Of each format: points, numbers, attempts, events, snapshots, detectors."""
    compare_killed_and_unkilled(tmp_path, 200, 48_000)


def test_a_line_of_a_gigabyte_takes_no_memory(tmp_path: Path) -> None:
    """Passed over once, with the good lines before and after it read."""
    with place_in(tmp_path) as place:
        place.up()
        read_past_a_long_line(place, 1 << 30)
