"""The trash: a file leaves its place only when it is the planned one, and always comes back whole."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from neatd.actions.prune import _move, move_to_trash, reconcile, restore
from neatd.files import measure_checkpoint
from neatd.models import Checkpoint, Deletion
from tests.moves_made import killed_and_settled

NOW = datetime(2026, 1, 2, tzinfo=UTC)
needs_links = pytest.mark.skipif(os.name == "nt", reason="making links needs a privilege on Windows")


def catalogued(root: Path, path: str = "runs/a/checkpoints/step_100.pt") -> Checkpoint:
    """The row that the reader would keep of what lies at `path` under `root`."""
    file = root / path
    measured = measure_checkpoint(file)
    assert measured is not None
    return Checkpoint(
        id="c-1", run_id="r-1", path=path.removeprefix("runs/a/"), step=100, ordinal=0, size_bytes=measured[0],
        mtime_ns=measured[1], inode=measured[2], is_folder=file.is_dir(), completed_at=NOW,
    )  # fmt: skip


def planned(root: Path, trash: Path, expected: Checkpoint) -> Deletion:
    """A line of the journal for moving `expected` into `trash`."""
    return Deletion(
        id="x-1", batch="b-1", run_id="r-1", checkpoint_id=expected.id, from_path=str(root / "runs/a" / expected.path),
        trash_path=str(trash / "b-1" / "x-1" / Path(expected.path).name), size_bytes=expected.size_bytes,
        reason="older than the newest 40", created_at=NOW, updated_at=NOW,
    )  # fmt: skip


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` and what it holds."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def tree_at(place: Path) -> dict[str, bytes]:
    """Like `tree`, also of one file."""
    return {"": place.read_bytes()} if place.is_file() else tree(place)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A watched root with one run of two checkpoints: a file and a folder."""
    saves = tmp_path / "project/runs/a/checkpoints"
    (saves / "step_200/optimizer").mkdir(parents=True)
    (saves / "step_100.pt").write_bytes(b"weights")
    (saves / "step_200/model.safetensors").write_bytes(b"shard")
    (saves / "step_200/optimizer/state.bin").write_bytes(b"momentum")
    return tmp_path / "project"


@pytest.fixture
def trash(tmp_path: Path) -> Path:
    return tmp_path / "home/trash"


PATHS = ["runs/a/checkpoints/step_100.pt", "runs/a/checkpoints/step_200"]


# ---- there and back ----


@pytest.mark.parametrize("path", PATHS)
def test_a_moved_checkpoint_lies_whole_in_the_trash(root: Path, trash: Path, path: str) -> None:
    """File or folder: gone from its place, its bytes at the place that the journal names."""
    expected, before = catalogued(root, path), tree_at(root / path)
    deletion = planned(root, trash, expected)
    done = move_to_trash(deletion, expected, root)
    assert (done.status, done.note) == ("moved", "")
    assert not (root / path).exists()
    assert tree_at(Path(deletion.trash_path)) == before


@pytest.mark.parametrize("path", PATHS)
def test_undo_brings_back_the_same_bytes_time_and_inode(root: Path, trash: Path, path: str) -> None:
    """After restoring, the catalogue's row is true again and the trash is empty."""
    expected, before = catalogued(root, path), tree(root)
    moved = move_to_trash(planned(root, trash, expected), expected, root)
    done = restore(moved)
    assert (done.status, done.note) == ("restored", "")
    assert tree(root) == before
    assert catalogued(root, path) == expected
    assert not os.path.lexists(moved.trash_path)


def test_undo_makes_the_folders_that_are_gone_meanwhile(root: Path, trash: Path) -> None:
    """The checkpoints' folder was cleaned away by hand."""
    expected = catalogued(root)
    moved = move_to_trash(planned(root, trash, expected), expected, root)
    (root / "runs").rename(root / "old_runs")
    assert restore(moved).status == "restored"
    assert (root / PATHS[0]).read_bytes() == b"weights"


def test_moving_and_restoring_twice_changes_nothing(root: Path, trash: Path) -> None:
    """Each says again what it said."""
    expected = catalogued(root)
    deletion = planned(root, trash, expected)
    moved = move_to_trash(deletion, expected, root)
    assert move_to_trash(deletion, expected, root) == moved
    restored = restore(moved)
    assert restore(moved) == restored
    assert (root / PATHS[0]).read_bytes() == b"weights"


@pytest.mark.parametrize("is_folder", [False, True])
@pytest.mark.parametrize("path", PATHS)
def test_undo_never_overwrites(root: Path, trash: Path, path: str, is_folder: bool) -> None:
    """Whatever is at the old place stays, the old save stays in the trash, and undo works once the place is free."""
    expected = catalogued(root, path)
    moved = move_to_trash(planned(root, trash, expected), expected, root)
    (root / path).mkdir() if is_folder else (root / path).write_bytes(b"newer")
    newer = catalogued(root, path)
    done = restore(moved)
    assert done.status == "refused"
    assert "still in the trash" in done.note
    assert catalogued(root, path) == newer
    assert os.path.lexists(moved.trash_path)
    (root / path).rename(root / "newer")
    assert restore(done).status == "restored"


def test_undo_of_an_emptied_trash_is_refused(root: Path, trash: Path) -> None:
    """A new file of another size at the old place is not taken for the restored one."""
    expected = catalogued(root)
    moved = move_to_trash(planned(root, trash, expected), expected, root)
    Path(moved.trash_path).unlink()
    (root / PATHS[0]).write_bytes(b"a newer save")
    assert (restore(moved).status, restore(moved).note) == ("refused", "no longer in the trash")


# ---- refusals: each leaves every file where it was ----


def refusal(root: Path, deletion: Deletion, expected: Checkpoint) -> str:
    """The note of a refused move, having checked that nothing was moved."""
    before = tree(root.parent)
    done = move_to_trash(deletion, expected, root)
    assert done.status == "refused"
    assert tree(root.parent) == before
    return done.note


@pytest.mark.parametrize("change", ["size", "time", "inode", "kind"])
def test_a_file_changed_after_planning_stays(root: Path, trash: Path, change: str) -> None:
    """Grown, rewritten in place, replaced by rename (each alike in all but one measure), or now a folder."""
    expected, file = catalogued(root), root / PATHS[0]
    deletion = planned(root, trash, expected)
    if change == "size":
        file.write_bytes(b"weights and more")
        os.utime(file, ns=(expected.mtime_ns, expected.mtime_ns))
    elif change == "time":
        os.utime(file, ns=(expected.mtime_ns, expected.mtime_ns + 1))
    elif change == "inode":
        other = file.with_suffix(".new")
        other.write_bytes(b"WEIGHTS")
        os.utime(other, ns=(expected.mtime_ns, expected.mtime_ns))
        other.replace(file)
    else:
        file.rename(file.with_suffix(".old"))
        file.mkdir()
    note = refusal(root, deletion, expected)
    assert note.startswith("no longer a plain file" if change == "kind" else "changed since it was planned")


def test_a_folder_with_one_changed_file_stays(root: Path, trash: Path) -> None:
    """A shard deep inside was written anew."""
    expected = catalogued(root, PATHS[1])
    shard = root / PATHS[1] / "optimizer/state.bin"
    os.utime(shard, ns=(expected.mtime_ns + 1, expected.mtime_ns + 1))
    assert "written at another time" in refusal(root, planned(root, trash, expected), expected)


def test_an_unknown_inode_is_not_compared(root: Path, trash: Path) -> None:
    """Inode 0 in the catalogue means that none was known."""
    expected = catalogued(root).model_copy(update={"inode": 0})
    assert move_to_trash(planned(root, trash, expected), expected, root).status == "moved"


def test_a_vanished_file_is_refused(root: Path, trash: Path) -> None:
    """The trainer rotated it away itself."""
    expected = catalogued(root)
    (root / PATHS[0]).unlink()
    assert "no longer there" in refusal(root, planned(root, trash, expected), expected)


@needs_links
@pytest.mark.parametrize("linked", ["runs", "runs/a/checkpoints", "runs/a/checkpoints/step_100.pt"])
def test_nothing_is_moved_through_a_link(root: Path, trash: Path, linked: str) -> None:
    """A link at any level below the root, to a twin outside or inside of it, protects what it points to."""
    expected = catalogued(root)
    for outside in (root.parent / "elsewhere", root / "elsewhere"):
        (root / linked).rename(outside)
        (root / linked).symlink_to(outside)
        assert "through a link" in refusal(root, planned(root, trash, expected), expected)
        (root / linked).unlink()
        outside.rename(root / linked)


@needs_links
def test_a_root_that_is_a_link_is_no_hindrance(root: Path, trash: Path) -> None:
    """Links at the root and above are the user's own way to it."""
    expected = catalogued(root)
    alias = root.parent / "alias"
    alias.symlink_to(root)
    assert move_to_trash(planned(alias, trash, expected), expected, alias).status == "moved"


@pytest.mark.parametrize("way", ["outside", "dots", "root"])
def test_a_path_outside_the_root_is_refused(root: Path, trash: Path, way: str) -> None:
    """Another project, a way out by dots, and the root itself."""
    expected = catalogued(root)
    place = {
        "outside": root.parent / "other" / expected.path,
        "dots": root / "../other" / expected.path,
        "root": root,
    }[way]
    (root.parent / "other/checkpoints").mkdir(parents=True)
    (root / PATHS[0]).replace(root.parent / "other" / expected.path)
    deletion = planned(root, trash, expected).model_copy(update={"from_path": str(place)})
    assert refusal(root, deletion, expected).startswith("outside")


def test_a_path_that_is_not_the_catalogues_is_refused(root: Path, trash: Path) -> None:
    """A journal line that names another file, even one of the same size, time and inode."""
    expected = catalogued(root)
    (root / "runs/a/checkpoints/twin.pt").hardlink_to(root / PATHS[0])
    deletion = planned(root, trash, expected)
    deletion = deletion.model_copy(update={"from_path": deletion.from_path.replace("step_100", "twin")})
    assert "not the path of the catalogue" in refusal(root, deletion, expected)


def test_another_checkpoints_row_is_a_mistake_of_the_caller(root: Path, trash: Path) -> None:
    """Row and journal line must be of one checkpoint."""
    expected = catalogued(root)
    with pytest.raises(ValueError, match="c-2"):
        move_to_trash(planned(root, trash, expected), expected.model_copy(update={"id": "c-2"}), root)


def test_a_taken_place_in_the_trash_is_refused(root: Path, trash: Path) -> None:
    """What is in the trash is somebody's work too."""
    expected = catalogued(root)
    deletion = planned(root, trash, expected)
    Path(deletion.trash_path).parent.mkdir(parents=True)
    Path(deletion.trash_path).write_bytes(b"older")
    assert "taken" in refusal(root, deletion, expected)


def test_a_trash_that_cannot_be_made_is_refused(root: Path, trash: Path) -> None:
    """A file lies where the trash's folder should be."""
    expected = catalogued(root)
    trash.parent.mkdir(parents=True)
    trash.write_bytes(b"")
    assert "not moved" in refusal(root, planned(root, trash, expected), expected)


def test_a_trash_on_another_file_system_is_refused(root: Path) -> None:
    """Nothing is copied in place of a rename: a copy could be cut short."""
    shm = Path("/dev/shm")
    if not shm.is_dir() or not os.access(shm, os.W_OK) or shm.stat().st_dev == root.stat().st_dev:
        pytest.skip("no second file system to write to")
    expected = catalogued(root)
    place = shm / f"neat-test-{os.getpid()}"
    try:
        assert "another file system" in refusal(root, planned(root, place, expected), expected)
    finally:
        for folder in (place / "b-1/x-1", place / "b-1", place):
            folder.rmdir()


def test_a_file_replaced_between_check_and_rename_is_put_back(root: Path, trash: Path) -> None:
    """The move itself looks again at what arrived."""
    expected, file = catalogued(root), root / PATHS[0]
    other = file.with_suffix(".new")
    other.write_bytes(b"NEWER..")
    other.replace(file)
    deletion = planned(root, trash, expected)
    done = _move(deletion, file, Path(deletion.trash_path), expected)
    assert (done.status, done.note) == ("refused", "changed during the move: put back")
    assert file.read_bytes() == b"NEWER.."
    assert not os.path.lexists(deletion.trash_path)


# ---- crashes ----


@pytest.mark.parametrize("path", PATHS)
def test_a_crash_after_the_move_is_found_as_moved(root: Path, trash: Path, path: str) -> None:
    """The journal still says planned; the disk says moved, and undo works from there."""
    expected = catalogued(root, path)
    deletion = planned(root, trash, expected)
    move_to_trash(deletion, expected, root)
    found = reconcile(deletion)
    assert found.status == "moved"
    assert reconcile(found) == found
    restored = restore(found)
    assert restored.status == "restored"
    assert reconcile(restored) == restored


def test_a_crash_before_the_move_is_found_as_not_moved(root: Path, trash: Path) -> None:
    """The plan is settled as refused and the file is untouched: the next plan may name it again."""
    expected = catalogued(root)
    found = reconcile(planned(root, trash, expected))
    assert (found.status, found.note) == ("refused", "interrupted before the move: the file is at its place")
    assert (root / PATHS[0]).read_bytes() == b"weights"


def test_a_new_save_after_a_crash_does_not_hide_the_moved_one(root: Path, trash: Path) -> None:
    """Both names exist: the old one is in the trash."""
    expected = catalogued(root)
    deletion = planned(root, trash, expected)
    move_to_trash(deletion, expected, root)
    (root / PATHS[0]).write_bytes(b"new")
    found = reconcile(deletion)
    assert (found.status, found.note) == ("moved", "another file has since been written at its place")


def test_a_checkpoint_that_is_nowhere_is_settled(root: Path, trash: Path) -> None:
    """Neither place has it: nothing was moved by us."""
    expected = catalogued(root)
    (root / PATHS[0]).unlink()
    assert reconcile(planned(root, trash, expected)).note == "neither at its place nor in the trash"


def test_an_undo_cut_between_its_two_steps_is_finished(root: Path, trash: Path) -> None:
    """The file had both names when the daemon died: it keeps the first."""
    expected = catalogued(root)
    moved = move_to_trash(planned(root, trash, expected), expected, root)
    (root / PATHS[0]).hardlink_to(moved.trash_path)
    assert restore(moved).status == "restored"
    assert (root / PATHS[0]).read_bytes() == b"weights"
    assert not os.path.lexists(moved.trash_path)


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
@pytest.mark.parametrize("rounds", [1, 3, 7])
def test_a_kill_at_any_moment_loses_nothing(root: Path, trash: Path, rounds: int) -> None:
    """A process that moves and restores without end is killed; reconcile and undo bring the file back."""
    expected = catalogued(root)
    deletion = planned(root, trash, expected)
    killed_and_settled(deletion, expected, root, rounds)
    assert catalogued(root) == expected
    assert not os.path.lexists(deletion.trash_path)
