"""The files of one save go together or not at all: found by their names, moved, brought back, emptied."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from neatd.actions.prune import move_to_trash, reconcile, restore
from neatd.files import measure_checkpoint
from neatd.models import Checkpoint, Deletion
from neatd.read.checkpoint import find_checkpoints, is_complete
from neatd.read.units import Unit, group
from tests.moves_made import killed_and_settled

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def shards(count: int, stem: str = "step_100") -> list[str]:
    return [f"{stem}-{number:05d}-of-{count:05d}.safetensors" for number in range(1, count + 1)]


SAVES: list[tuple[list[str], list[Unit]]] = [
    (["step_100.pt", "step_100.optim.pt"], [Unit("step_100.pt", ("step_100.optim.pt",), False)]),
    (  # nanochat
        ["model_000100.pt", "meta_000100.json", "optim_000100_rank0.pt", "optim_000100_rank1.pt"],
        [Unit("model_000100.pt", ("meta_000100.json", "optim_000100_rank0.pt", "optim_000100_rank1.pt"), False)],
    ),
    (
        [*shards(3, "model"), "model.safetensors.index.json", "optimizer.pt"],
        [Unit(shards(3, "model")[0], ("model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors",
                                      "model.safetensors.index.json", "optimizer.pt"), False)],
    ),
    (shards(2), [Unit(shards(2)[0], (shards(2)[1],), False)]),
    (shards(3)[:2], [Unit(shards(3)[0], (shards(3)[1],), True)]),
    (  # steps are apart, and so are two trainings in one folder
        ["a_step_1.pt", "a_step_2.pt", "b_step_1.pt", "step_10.pt"],
        [Unit(name, (), False) for name in ("a_step_1.pt", "a_step_2.pt", "b_step_1.pt", "step_10.pt")],
    ),
    (["step_100.pt", "step_100.json", "step_100.txt", "notes.json"], [Unit("step_100.pt", (), False)]),  # not a trainer's
    (["metrics.jsonl", "config.json", "pytorch_model-00001-of-00002.bin"], []),
]  # fmt: skip


@pytest.mark.parametrize(("names", "units"), SAVES)
def test_the_names_of_a_folder_are_told_apart_into_saves(names: list[str], units: list[Unit]) -> None:
    """What is of one save, which name stands for it, and whether a shard is missing; in any order."""
    assert sorted(group(names)) == sorted(units)
    assert sorted(group(reversed(names))) == sorted(units)


def put(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def test_a_save_is_measured_with_all_of_its_files(tmp_path: Path) -> None:
    """Sizes add up, the newest time counts, and it is complete when the last shard is there and each file is whole."""
    put(tmp_path, *(name.replace(".safetensors", ".pt") for name in shards(3)))
    (one,) = find_checkpoints(tmp_path)
    assert (one.step, len(one.parts), one.is_short) == (100, 2, False)
    assert one.measured[0] == sum(path.stat().st_size for path in tmp_path.iterdir())
    assert is_complete(tmp_path / one.path, one)
    (tmp_path / one.parts[0]).write_bytes(b"")
    (one,) = find_checkpoints(tmp_path)
    assert not is_complete(tmp_path / one.path, one)
    (tmp_path / one.parts[0]).unlink()
    (one,) = find_checkpoints(tmp_path)
    assert one.is_short and not is_complete(tmp_path / one.path, one)


# ---- there and back ----

NAMES = ("step_100.pt", "step_100.optim.pt", "step_100.ema.pt")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put(tmp_path / "project/runs/a", *NAMES, "step_200.pt")
    return tmp_path / "project"


def planned(root: Path) -> tuple[Deletion, Checkpoint]:
    """The journal's line and the catalogue's row of the save of three files."""
    main = root / "runs/a" / NAMES[0]
    measured = measure_checkpoint(main, NAMES[1:])
    assert measured is not None
    expected = Checkpoint(
        id="c-1", run_id="r-1", path=NAMES[0], step=100, ordinal=0, size_bytes=measured[0], mtime_ns=measured[1],
        inode=measured[2], parts=NAMES[1:], completed_at=NOW,
    )  # fmt: skip
    deletion = Deletion(
        id="x-1", batch="b-1", run_id="r-1", checkpoint_id="c-1", from_path=str(main), parts=NAMES[1:],
        trash_path=str(root / ".neat/trash/b-1/runs/a" / NAMES[0]), size_bytes=measured[0], reason="old",
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    return deletion, expected


def there(root: Path) -> Iterator[str]:
    return (path.name for path in sorted((root / "runs/a").iterdir()))


def test_all_files_of_a_save_go_and_come_back(root: Path) -> None:
    """To the byte, and its neighbour stays."""
    deletion, expected = planned(root)
    moved = move_to_trash(deletion, expected, root)
    assert moved.status == "moved" and list(there(root)) == ["step_200.pt"]
    assert restore(moved).status == "restored"
    assert {path.name: path.read_bytes() for path in (root / "runs/a").iterdir()} == {
        name: name.encode() for name in (*NAMES, "step_200.pt")
    }


@pytest.mark.parametrize("trouble", ["gone", "changed", "link", "taken", "open"])
def test_one_file_that_may_not_go_keeps_the_others(root: Path, trouble: str) -> None:
    """Whatever is wrong with a part of it, the whole save stays where it is."""
    deletion, expected = planned(root)
    part = root / "runs/a" / NAMES[1]
    if trouble == "gone":
        part.unlink()
    elif trouble == "changed":
        part.write_bytes(b"another optimizer")
    elif trouble == "link":
        part.rename(root / "elsewhere")
        part.symlink_to(root / "elsewhere")
    elif trouble == "taken":
        put(Path(deletion.trash_path).parent, NAMES[1])
    before = list(there(root))
    user = {part: "open in process 7"} if trouble == "open" else {}
    done = move_to_trash(deletion, expected, root, lambda path: user.get(path, ""))
    assert done.status == "refused" and done.note
    assert list(there(root)) == before


def test_a_place_that_is_taken_keeps_the_whole_save_in_the_trash(root: Path) -> None:
    """Undo brings back all of it or nothing."""
    moved = move_to_trash(*planned(root), root)
    put(root / "runs/a", NAMES[2])
    assert restore(moved).status == "refused" and list(there(root)) == [NAMES[2], "step_200.pt"]
    (root / "runs/a" / NAMES[2]).unlink()
    assert restore(moved).status == "restored" and len(list(there(root))) == 4


@pytest.mark.parametrize("gone", [1, 2])
def test_a_crash_between_two_files_brings_the_first_ones_back(root: Path, gone: int) -> None:
    """The file that stands for the save goes last: while it is there the move never was."""
    deletion, _ = planned(root)
    trash = Path(deletion.trash_path).parent
    trash.mkdir(parents=True)
    for name in NAMES[1 : 1 + gone]:
        (root / "runs/a" / name).rename(trash / name)
    found = reconcile(deletion)
    assert found.status == "refused" and len(list(there(root))) == 4 and not list(trash.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
@pytest.mark.parametrize("rounds", [1, 4])
def test_a_kill_at_any_moment_leaves_a_save_whole(root: Path, rounds: int) -> None:
    """A process that moves and restores without end is killed: all of its files are together again."""
    deletion, expected = planned(root)
    killed_and_settled(deletion, expected, root, rounds)
    assert len(list(there(root))) == 4
    assert planned(root)[1] == expected
