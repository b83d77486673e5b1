"""What pytest's cache tells of a run, and what it only keeps from an older one."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from neatd.pipeline.testfiles import look_for_results
from neatd.pipeline.testing import Outcome, keep_run
from neatd.read.resultfiles import Stamp
from neatd.read.testcounts import Counts
from neatd.store.opening import connect
from tests.testing_made import Checked

Look = Callable[[], bool]


@pytest.fixture
def made(tmp_path: Path) -> Checked:
    made = Checked(tmp_path)
    made.write("t.py", "x = 1\n")
    made.commit()
    return made


@pytest.fixture
def look(made: Checked) -> Iterator[Look]:
    """A daemon's looks at the project, each a little later than now."""
    seen: dict[str, Stamp] = {}
    store: sqlite3.Connection = connect(made.home)
    yield lambda: look_for_results(store, made.root, seen, datetime.fromtimestamp(time.time() + 5, UTC))
    store.close()


def test_a_green_run_is_not_recorded_as_failed_for_a_file_that_is_gone(made: Checked, look: Look) -> None:
    """pytest keeps what failed in it for good."""
    made.write("test_gone.py", "def test_a(): assert 0\n")
    made.pytest("-q")
    (made.root / "test_gone.py").unlink()
    made.write("test_kept.py", "def test_b(): pass\n")
    assert made.pytest("-q").returncode == 0 and look()
    assert (made.only().status, made.only().failed, made.only().failing) == ("passed", 0, ())


def test_a_green_run_of_other_tests_is_not_recorded_as_failed(made: Checked, look: Look) -> None:
    """A failure stands in the cache until its own test is run again: it is recorded once, for the time it happened."""
    made.write("test_x.py", "def test_a(): assert 0\n")
    made.write("test_y.py", "def test_b(): pass\n")
    made.commit()
    made.pytest("-q")
    kept = made.root / ".pytest_cache/v/cache/lastfailed"
    os.utime(kept, (time.time() - 600, time.time() - 600))
    assert look() and abs(made.only().created_at.timestamp() - kept.stat().st_mtime) < 0.01
    keep_run(made.home, made.place, Outcome("pytest test_y.py", Counts(1, 0, 0), origin=(".pytest_cache#x",)), "person")
    assert made.pytest("-q", "test_y.py").returncode == 0
    assert not look() and [one.status for one in made.runs()] == ["passed", "failed"]


def test_a_file_that_cannot_be_collected_has_failed(made: Checked, look: Look) -> None:
    """The cache names the file, and no test of it."""
    made.write("test_x.py", "import nowhere_at_all\n")
    made.pytest("-q")
    assert look() and made.only().failing == ("test_x.py",)
