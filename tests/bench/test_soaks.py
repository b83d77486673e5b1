"""What `make test` shows with few kills, writers and days of pulls, with many of them. Kills of a daemon that reads: see
`test_faults_bench.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from tests.cli_place import Cli
from tests.test_cli_undo import COMMANDS, kill_and_finish
from tests.test_sync_replicas import DAYS, SLOW, pull_for_a_day
from tests.test_writers import write_at_once

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]


@pytest.mark.parametrize("words", COMMANDS, ids=["init", "undo"])
def test_what_was_killed_at_any_point_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """Before every single change that init or its undo makes."""
    kill_and_finish(Cli(tmp_path, monkeypatch, capsys), words, 1)


def test_fifty_writers_lose_none_of_a_thousand_notes(tmp_path: Path) -> None:
    """Twenty of each, at the same time."""
    write_at_once(tmp_path, 20)


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(operations=DAYS)
def test_clones_agree_after_many_days_of_pulls(tmp_path: Path, operations: list[tuple[Any, ...]]) -> None:
    """Whatever was done in them."""
    pull_for_a_day(tmp_path, operations)
