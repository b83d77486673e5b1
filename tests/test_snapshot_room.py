"""Snapshots where room is short or the source is not what it was: what cannot be copied whole is pinned or left."""

from __future__ import annotations

import errno
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from neatd.actions.snapshot import SnapshotInput, take
from tests.snapshots_made import NAME, can_reflink, catalogued, held, metadata, run_with_two, take_limited

needs_posix = pytest.mark.skipif(os.name == "nt", reason="links, limits and modes of POSIX")


@pytest.fixture
def inp(tmp_path: Path) -> SnapshotInput:
    """A run with checkpoints at steps 100 (the best) and 200 (from before the event), and room for both."""
    return run_with_two(tmp_path)


# ---- room ----


def test_over_the_budget_a_checkpoint_is_pinned(inp: SnapshotInput, tmp_path: Path) -> None:
    """Nothing is copied; metadata and result say that it was kept in place, and why."""
    if can_reflink(tmp_path):
        pytest.skip("a reflink takes no room here")
    done = take(replace(inp, budget_left_bytes=8))
    assert (done.mode, done.size_bytes) == ("pin", 0)
    assert done.reason == "kept in place: 11 bytes, 8 left for snapshots"
    assert held(inp.folder / done.path) == {}
    assert metadata(inp, done.path)["checkpoint"]["reason"] == done.reason


def test_the_one_from_before_has_the_first_claim_on_the_budget(inp: SnapshotInput, tmp_path: Path) -> None:
    """With room for one, the best is pinned."""
    if can_reflink(tmp_path):
        pytest.skip("a reflink takes no room here")
    done = take(replace(inp, budget_left_bytes=15))
    assert (done.mode, done.size_bytes) == ("copy", 11)
    assert metadata(inp, done.path)["best"]["mode"] == "pin"


def test_a_checkpoint_that_would_fill_the_disk_is_pinned(inp: SnapshotInput, tmp_path: Path) -> None:
    """A sparse file larger than what is free: the budget allows it, the disk does not."""
    if can_reflink(tmp_path):
        pytest.skip("a reflink takes no room here")
    disk = os.statvfs(tmp_path) if hasattr(os, "statvfs") else pytest.skip("statvfs")
    path = inp.folder / "checkpoints/step_200.pt"
    try:
        os.truncate(path, disk.f_bavail * disk.f_frsize)
    except OSError:
        pytest.skip("no sparse file of that size here")
    done = take(
        replace(inp, before=catalogued(inp.folder, "checkpoints/step_200.pt", 200), best=None, budget_left_bytes=2**62)
    )
    assert done.mode == "pin"
    assert "would fill the disk" in done.reason


@needs_posix
def test_a_disk_that_fills_up_during_the_copy_leads_to_a_pin(inp: SnapshotInput, tmp_path: Path) -> None:
    """Writing fails after 100,000 bytes: no part of the copy is left."""
    if can_reflink(tmp_path):
        pytest.skip("a reflink takes no room here")
    (inp.folder / "checkpoints/step_200.pt").write_bytes(b"x" * 300_000)
    inp = replace(inp, before=catalogued(inp.folder, "checkpoints/step_200.pt", 200))
    result = take_limited(inp, 100_000)
    assert result.stdout.strip() == "pin|9|kept in place: the disk is full", result.stderr
    assert list(held(inp.folder / "snapshots" / NAME)) == ["best_step_100.pt"]


@needs_posix
def test_no_room_even_for_the_metadata_is_an_error_that_leaves_nothing(inp: SnapshotInput) -> None:
    """No partial copy fills the disk further."""
    result = take_limited(inp, 20)
    assert f"OSError: [Errno {errno.EFBIG}]" in result.stderr
    assert list((inp.folder / "snapshots").iterdir()) == []


# ---- a source that is not what it was ----


@pytest.mark.parametrize("change", ["rewritten", "replaced", "gone"])
def test_a_source_changed_since_it_was_catalogued_is_not_taken(inp: SnapshotInput, change: str) -> None:
    """last.pt saved anew after the event holds the state after it: neither copied nor said to be pinned."""
    path = inp.folder / "checkpoints/step_200.pt"
    kept = path.rename(path.with_suffix(".old")).stat()
    if change != "gone":
        path.write_bytes(b"TWO HUNDRED" if change == "replaced" else b"two hundred and fifty")
        os.utime(path, ns=(kept.st_mtime_ns, kept.st_mtime_ns))
    done = take(inp)
    assert done.mode == "none"
    assert ("no longer there" if change == "gone" else "changed since") in done.reason
    assert list(held(inp.folder / done.path)) == ["best_step_100.pt"]


@needs_posix
def test_a_source_that_changes_during_the_copy_is_not_taken(inp: SnapshotInput, tmp_path: Path) -> None:
    """A writer appends from the moment the copy appears: the mixture is not kept."""
    if can_reflink(tmp_path):
        pytest.skip("a reflink is made at once")
    path = inp.folder / "checkpoints/step_200.pt"
    os.truncate(path, 1 << 27)  # sparse: long enough to copy that the writer comes in between
    inp = replace(
        inp, before=catalogued(inp.folder, "checkpoints/step_200.pt", 200), best=None, budget_left_bytes=2**62
    )
    copy = inp.folder / "snapshots/.partial_e-1/step_200.pt"
    ended = threading.Event()

    def append_when_copied() -> None:
        while not copy.exists() and not ended.is_set():
            time.sleep(0)
        with path.open("ab") as file:
            file.write(b"later")

    writer = threading.Thread(target=append_when_copied)
    writer.start()
    done = take(inp)
    ended.set()
    writer.join()
    assert (done.mode, done.size_bytes) == ("none", 0)
    assert "changed" in done.reason
    assert held(inp.folder / done.path) == {}


@needs_posix
def test_nothing_is_copied_through_a_link(inp: SnapshotInput, tmp_path: Path) -> None:
    """A checkpoint's name that now leads out of the run's folder."""
    (inp.folder / "checkpoints").rename(tmp_path / "elsewhere")
    (inp.folder / "checkpoints").symlink_to(tmp_path / "elsewhere")
    done = take(inp)
    assert done.mode == "none"
    assert "through a link" in done.reason
    assert held(inp.folder / done.path) == {}


@needs_posix
def test_nothing_is_written_through_a_link(inp: SnapshotInput, tmp_path: Path) -> None:
    """A repository may bring a link called snapshots that leads anywhere."""
    (tmp_path / "elsewhere").mkdir()
    (inp.folder / "snapshots").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotADirectoryError, match="A link"):
        take(inp)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_run_folder_that_is_gone_is_an_error_that_names_it(inp: SnapshotInput) -> None:
    """The run was deleted or moved before its snapshot was taken."""
    with pytest.raises(FileNotFoundError, match="gone"):
        take(replace(inp, folder=inp.folder.parent / "gone"))
    assert not (inp.folder.parent / "gone").exists()


def test_where_blocks_can_be_shared_they_are(inp: SnapshotInput, tmp_path: Path) -> None:
    """On btrfs and XFS a snapshot costs nothing, whatever is left of the budget."""
    if not can_reflink(tmp_path):
        pytest.skip("this file system cannot share blocks")
    done = take(replace(inp, budget_left_bytes=0))
    assert (done.mode, done.size_bytes) == ("reflink", 20)
    assert held(inp.folder / done.path) == {"step_200.pt": b"two hundred", "best_step_100.pt": b"a hundred"}
