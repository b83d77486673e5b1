"""The lock: one holder at a time, and none after its death."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from neatd.errors import NeatError
from neatd.locks import FileLock
from tests.conftest import until
from tests.store_rows import child, output

HOLD = """
import sys
from pathlib import Path
from neatd.locks import FileLock
print(FileLock(Path(sys.argv[1])).try_acquire(), flush=True)
sys.stdin.read()
"""
TRY = """
import sys
from pathlib import Path
from neatd.locks import FileLock
print(FileLock(Path(sys.argv[1])).try_acquire())
"""


def test_a_second_holder_is_refused_until_the_first_gives_it_back(tmp_path: Path) -> None:
    """In one process as between two; the file stays and means nothing."""
    path = tmp_path / "new" / "a.lock"
    one, two = FileLock(path), FileLock(path)
    assert [one.try_acquire(), two.try_acquire(), one.try_acquire()] == [True, False, False]
    assert output(child(TRY, path)) == "False\n"
    one.release()
    one.release()
    assert path.exists() and output(child(TRY, path)) == "True\n"
    assert two.try_acquire()
    two.release()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    """The system drops it: no left-over file ever looks like a holder."""
    path = tmp_path / "a.lock"
    process = child(HOLD, path)
    assert process.stdout is not None and process.stdout.readline() == "True\n"
    lock = FileLock(path)
    assert not lock.try_acquire()
    process.kill()
    until(lock.try_acquire, "the lock of the killed process")
    lock.release()
    process.communicate()


def test_waiting_in_vain_names_what_is_busy(tmp_path: Path) -> None:
    """And the file, and what to do."""
    path = tmp_path / "a.lock"
    with FileLock(path), pytest.raises(NeatError, match="the store is busy") as caught:
        FileLock(path).acquire(0.05, "the store")
    assert str(path) in caught.value.message and caught.value.hint


def test_a_block_gives_the_lock_back_whatever_happens(tmp_path: Path) -> None:
    """An error in it, too."""
    path = tmp_path / "a.lock"
    with pytest.raises(ValueError, match="inside"), FileLock(path):
        raise ValueError("inside")
    with FileLock(path):
        assert not FileLock(path).try_acquire()


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors as Linux tells them")  # noqa: PTH112
def test_trying_in_vain_leaves_no_file_open(tmp_path: Path) -> None:
    """A waiter tries fifty times a second."""
    with FileLock(tmp_path / "a.lock"):
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        assert not any(FileLock(tmp_path / "a.lock").try_acquire() for _ in range(20))
        assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
