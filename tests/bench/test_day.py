"""A day of five trainings under a clock of our own: thousands of saves, schedules, kills, a clock that is put twice."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.retention_day import Trainer, day, live_through

TRAINERS = [
    Trainer("a", 1, 100, "file"), Trainer("bb", 5, 500, "folder", keeps=3), Trainer("ccc", 4, 137, "pair"),
    Trainer("dddd", 10, 1000, "shards"), Trainer("eeeee", 7, 250, "tagged"),
]  # fmt: skip


@pytest.mark.bench
@pytest.mark.timeout(1800)
def test_a_day_of_saves_loses_nothing_and_stays_in_bounds(tmp_path: Path) -> None:
    """After each hour every save is at its place, in the trash with its bytes, emptied by age or removed by its trainer."""
    begun = time.perf_counter()
    with day(tmp_path, 1, TRAINERS) as made:
        live_through(made, 1440, 60)
        print(
            f"{made.saves} saves, {made.kills} kills in a pass, {made.snapshots} snapshots, {made.emptied} emptied,"
            f" {made.most_trash} files in the trash at the most, {time.perf_counter() - begun:.0f} s"
        )
        assert made.saves > 2000 and made.kills >= 10 and made.emptied > 500
