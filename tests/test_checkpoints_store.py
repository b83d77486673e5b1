"""The catalogue of checkpoints, the pins on them, and the journal of the trash."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from neatd.models import Checkpoint, Deletion, Run
from neatd.store import checkpoints
from tests.store_rows import AT, add_run, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_store(tmp_path)
    yield connection
    connection.close()


@pytest.fixture
def run(store: sqlite3.Connection) -> Run:
    return add_run(store)


def save(
    store: sqlite3.Connection, run: Run, path: str, step: int | None, size: int = 10, **fields: bool
) -> Checkpoint:
    """Catalogue a save; returns it as the catalogue has it."""
    checkpoints.add_save(store, run.id, path, step, (size, 5, 6), fields.get("is_folder", False), AT)
    return next(one for one in checkpoints.catalogue(store, run.id) if one.path == path)


def deletion(one: Checkpoint, number: int = 1, batch: str = "b-1") -> Deletion:
    return Deletion(
        id=f"x-{number}", batch=batch, run_id=one.run_id, checkpoint_id=one.id, from_path=f"/p/{one.path}",
        trash_path=f"/p/.neat/trash/{one.path}", size_bytes=10, reason="old", created_at=AT + timedelta(seconds=number),
        updated_at=AT,
    )  # fmt: skip


def test_saves_are_numbered_in_order_for_ever(store: sqlite3.Connection, run: Run) -> None:
    """A number is not given again when its file is gone: what the tiers say of the others must not change."""
    ids = [save(store, run, f"step_{step}.pt", step).id for step in (100, 200, 300)]
    checkpoints.set_status(store, [ids[2]], "gone")
    assert save(store, run, "step_400.pt", 400).ordinal == 3
    assert [one.ordinal for one in checkpoints.catalogue(store, run.id)] == [0, 1, 2, 3]


def test_what_was_measured_comes_back(store: sqlite3.Connection, run: Run) -> None:
    """Size, time, inode and kind, of the largest files and steps too."""
    checkpoints.add_save(store, run.id, "checkpoint-5", 2**62, (2**50, 2**60, 2**40), True, AT)
    (one,) = checkpoints.catalogue(store, run.id)
    assert (one.step, one.size_bytes, one.mtime_ns, one.inode) == (2**62, 2**50, 2**60, 2**40)
    assert (one.is_folder, one.status, one.completed_at) == (True, "present", AT)


def test_the_same_path_saved_anew_is_a_new_save(store: sqlite3.Connection, run: Run) -> None:
    """It moves to the end under its old id, present again, with its new measures."""
    first = save(store, run, "step_100.pt", 100)
    save(store, run, "step_200.pt", 200)
    checkpoints.set_status(store, [first.id], "gone")
    again = save(store, run, "step_100.pt", 100, size=11)
    assert (again.id, again.ordinal, again.status, again.size_bytes) == (first.id, 2, "present", 11)
    assert len(checkpoints.catalogue(store, run.id)) == 2


def test_a_file_without_a_step_is_numbered_apart_from_the_saves(store: sqlite3.Connection, run: Run) -> None:
    """best.pt, rewritten at each evaluation, moves no other checkpoint through the tiers."""
    save(store, run, "step_100.pt", 100)
    numbers = [
        save(store, run, name, None, size).ordinal for size, name in enumerate(("best.pt", "last.pt", "best.pt"))
    ]
    assert numbers == [-1, -2, -1]
    assert save(store, run, "step_200.pt", 200).ordinal == 1


def test_runs_number_their_own_saves(store: sqlite3.Connection, run: Run) -> None:
    """The same path in another run is another checkpoint."""
    save(store, run, "step_100.pt", 100)
    assert save(store, add_run(store, "runs/b"), "step_100.pt", 100).ordinal == 0


def add_snapshot(store: sqlite3.Connection, run: Run, number: int, *sources: str | None) -> None:
    store.execute("INSERT INTO event VALUES (?, ?, ?, 'r', '', 1, '', '', 'info', '', '', '', '', '{}', ?)",
                  (f"e-{number}", run.project_id, run.id, f"key {number}"))  # fmt: skip
    store.execute(
        "INSERT INTO snapshot (id, project_id, event_id, run_id, checkpoint_id, best_checkpoint_id, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, '', '')", (f"s-{number}", run.project_id, f"e-{number}", run.id, *sources),
    )  # fmt: skip


def test_sources_of_snapshots_are_pinned(store: sqlite3.Connection, run: Run) -> None:
    """The checkpoint before the event and the best one; a snapshot without any pins nothing."""
    one, two, free = (save(store, run, f"step_{step}.pt", step) for step in (1, 2, 3))
    add_snapshot(store, run, 1, one.id, two.id)
    add_snapshot(store, run, 2, None, two.id)
    add_snapshot(store, run, 3, None, None)
    found = checkpoints.pins(store, run.id)
    assert set(found) == {one.id, two.id} and free.id not in found
    assert "s-1" in found[one.id][0] and "1 more" in found[two.id][0]
    assert checkpoints.pins(store, add_run(store, "runs/b").id) == {}


def test_what_was_brought_back_from_the_trash_is_pinned(store: sqlite3.Connection, run: Run) -> None:
    """A person wants it, and other reasons to keep it are still told."""
    one = save(store, run, "step_1.pt", 1)
    add_snapshot(store, run, 1, one.id, None)
    checkpoints.plan_deletions(store, [deletion(one, 1), deletion(one, 2)])
    for number in (1, 2):
        checkpoints.settle_deletion(store, deletion(one, number).model_copy(update={"status": "restored"}))
    reasons = checkpoints.pins(store, run.id)[one.id]
    assert len(reasons) == 2 and "s-1" in reasons[0] and "trash" in reasons[1]


@pytest.mark.parametrize(("outcome", "status"), [("moved", "trashed"), ("restored", "present"), ("refused", "present")])
def test_the_outcome_of_a_move_is_kept_with_the_checkpoints_status(
    store: sqlite3.Connection, run: Run, outcome: str, status: str
) -> None:
    """A refused one stays where it is."""
    one = save(store, run, "step_1.pt", 1)
    checkpoints.plan_deletions(store, [deletion(one)])
    checkpoints.settle_deletion(store, deletion(one).model_copy(update={"status": outcome, "note": "why"}))
    assert checkpoints.catalogue(store, run.id)[0].status == status
    assert checkpoints.unsettled(store) == []
    assert [d.note for d in checkpoints.trashed(store)] == (["why"] if outcome == "moved" else [])


def test_an_outcome_and_its_status_are_both_there_or_neither(store: sqlite3.Connection, run: Run) -> None:
    """A write that fails half-way leaves the move planned, to be settled from the disk at the next start."""
    one = save(store, run, "step_1.pt", 1)
    checkpoints.plan_deletions(store, [deletion(one)])
    store.execute("CREATE TRIGGER full BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(sqlite3.IntegrityError, match="disk full"):
        checkpoints.settle_deletion(store, deletion(one).model_copy(update={"status": "moved"}))
    assert checkpoints.unsettled(store) == [deletion(one)]


def test_the_journal_is_written_as_a_whole_before_anything_moves(store: sqlite3.Connection, run: Run) -> None:
    """One line that cannot be written leaves none."""
    one = save(store, run, "step_1.pt", 1)
    with pytest.raises(sqlite3.IntegrityError):
        checkpoints.plan_deletions(store, [deletion(one, 1), deletion(one, 2), deletion(one, 1)])
    assert checkpoints.unsettled(store) == []


def test_the_trash_is_told_by_batch_newest_first(store: sqlite3.Connection, run: Run) -> None:
    """`neat retention undo` brings one batch back."""
    saves = [save(store, run, f"step_{step}.pt", step) for step in (1, 2, 3)]
    made = [deletion(one, number, "b-2" if number == 3 else "b-1") for number, one in enumerate(saves, start=1)]
    checkpoints.plan_deletions(store, made)
    for one in made:
        checkpoints.settle_deletion(store, one.model_copy(update={"status": "moved"}))
    assert [one.id for one in checkpoints.trashed(store)] == ["x-3", "x-2", "x-1"]
    assert [one.id for one in checkpoints.trashed(store, "b-1")] == ["x-2", "x-1"]
