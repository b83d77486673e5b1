"""A few hours of several trainings: nothing protected is lost, disk use stays in bounds, undo works."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.retention_day import Trainer, day, live_through


@pytest.mark.slow
def test_hours_of_saves_kills_and_a_changed_clock_lose_nothing(tmp_path: Path) -> None:
    """Runs with saves of one file and of three, one that rotates its own. `make bench` has the whole day."""
    trainers = [Trainer("a", 2, 300, "file"), Trainer("bb", 9, 500, "folder", keeps=3), Trainer("ccc", 6, 700, "pair")]
    with day(tmp_path, 7, trainers) as made:
        live_through(made, 120, 20)
        assert made.saves > 50 and made.kills > 0
