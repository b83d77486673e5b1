"""Checkpoints by the names real trainers give, and only when they are whole."""

from __future__ import annotations

import json
import os
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from neatd.read.checkpoint import RestWatch, find_checkpoints, is_checkpoint_name, is_whole, step_of

NAMES = [  # name, is a folder, is a checkpoint, step
    ("checkpoint-500", True, True, 500),  # transformers
    ("global_step500", True, True, 500),  # DeepSpeed
    ("step_000100", True, True, 100),
    ("iter_0005000", True, True, 5000),  # Megatron
    ("checkpoints", True, False, None),
    ("checkpoints_2", True, False, None),  # where checkpoints of a second try lie
    ("checkpoint-500.tmp", True, False, None),
    ("tmp-checkpoint-500", True, False, None),  # transformers, while it writes
    (".step_100.tmp", True, False, None),
    ("step_000100.pt", False, True, 100),
    ("epoch=3-step=1000.ckpt", False, True, 1000),  # Lightning
    ("epoch=3-step=1000-v1.ckpt", False, True, 1000),
    ("epoch=3-val_loss=0.25.ckpt", False, True, None),
    ("epoch_10_step_500.pt", False, True, 500),
    ("iter_40000.pth", False, True, 40_000),  # mmcv
    ("model-1000.safetensors", False, True, 1000),
    ("model.step200.pt", False, True, 200),
    ("Step-300.PT", False, True, 300),
    ("ckpt.pt", False, True, None),  # nanoGPT
    ("ckpt_0020.pt", False, True, 20),
    ("best.pt", False, True, None),
    ("last.ckpt", False, True, None),
    ("model.safetensors", False, True, None),
    ("optimizer.pt", False, True, None),
    ("checkpoint_epoch_10.pth", False, True, None),
    # A number that is no step makes no step: what has none is never deleted.
    ("model-00001-of-00005.safetensors", False, True, None),  # one of a model's shards
    ("diffusion_pytorch_model-00002-of-00003.safetensors", False, True, None),
    ("model-7b.safetensors", False, True, None),
    ("model_3d.pt", False, True, None),
    ("ckpt-0.9531.pt", False, True, None),
    ("resnet50.pth", False, True, None),
    ("step_99999999999999999999.pt", False, True, None),  # more than the store holds
    ("step_000100.pt.tmp", False, False, 100),
    ("step_000100.safetensors.partial", False, False, 100),
    (".step_000100.pt.Xa81", False, False, 100),
    ("tmp-step_100.pt", False, False, 100),
    ("metrics.jsonl", False, False, None),
    ("config.json", False, False, None),
]


@pytest.mark.parametrize(("name", "is_folder", "is_checkpoint", "step"), NAMES)
def test_names_of_real_trainers(name: str, is_folder: bool, is_checkpoint: bool, step: int | None) -> None:
    """What is a checkpoint, and which step its name tells."""
    assert is_checkpoint_name(name, is_folder) is is_checkpoint
    if is_checkpoint:
        assert step_of(name, is_folder) == step


def zip_bytes(path: Path) -> bytes:
    """A zip as torch.save writes it: stored, several members."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("archive/data.pkl", "archive/data/0", "archive/version"):
            archive.writestr(name, os.urandom(60))
    return path.read_bytes()


def safetensors_bytes(metadata: bool = True) -> bytes:
    tensors = {
        "a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]},
        "b": {"dtype": "U8", "shape": [3], "data_offsets": [16, 19]},
    }
    header = json.dumps(({"__metadata__": {"format": "pt"}} if metadata else {}) | tensors).encode()
    return struct.pack("<Q", len(header)) + header + b"\x01" * 19


def test_a_zip_cut_anywhere_is_not_whole(tmp_path: Path) -> None:
    """From no byte at all to all but the last."""
    path = tmp_path / "step_1.pt"
    whole = zip_bytes(path)
    assert is_whole(path)
    taken_for_whole = []
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        if is_whole(path):
            taken_for_whole.append(cut)
    assert taken_for_whole == []


@pytest.mark.parametrize("metadata", [True, False])
def test_a_safetensors_cut_anywhere_is_not_whole(tmp_path: Path, metadata: bool) -> None:
    """The header names the end of the last tensor."""
    path = tmp_path / "model.safetensors"
    whole = safetensors_bytes(metadata)
    path.write_bytes(whole)
    assert is_whole(path)
    taken_for_whole = []
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        if is_whole(path):
            taken_for_whole.append(cut)
    assert taken_for_whole == []


def framed(header: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + b"\0" * 64


@pytest.mark.parametrize(
    "content",
    [framed(b"[]"), framed(b"5"), framed(b'{"a": 1}'), framed(b'{"a": {}}'), framed(b'{"a": {"data_offsets": []}}'),
     framed(b'{"a": {"data_offsets": ["x", "y"]}}'), framed(b"\xff\xff"), framed(b"[" * 50_000), framed(b"{}", 2**63),
     b"\0" * 4096, b"PK\x05\x06" + b"\0" * 18, b"PK\x03\x04" + b"\xff" * 200, zipfile.stringEndArchive64 * 20],
)  # fmt: skip
def test_a_broken_header_is_not_whole_and_no_error(tmp_path: Path, content: bytes) -> None:
    """Whatever bytes a crash, or a disk's preallocation, leaves."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    assert is_whole(path) is False


def test_a_header_too_long_to_be_one_is_not_read(tmp_path: Path) -> None:
    """Random bytes name any length: a file of many gigabytes must not come into memory for it."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", 200 << 20))
    os.truncate(path, 1 << 30)  # sparse: takes no room
    tracemalloc.start()
    try:
        assert is_whole(path) is False
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_format_without_a_directory_is_whole_when_it_holds_anything(tmp_path: Path) -> None:
    """Pickles of old torch end in nothing that tells; their rest is all there is to go by."""
    path = tmp_path / "old.pth"
    path.write_bytes(b"")
    assert is_whole(path) is False
    path.write_bytes(b"\x80\x02\x8a\x0a")
    assert is_whole(path) is True
    assert is_whole(tmp_path / "gone.pt") is False


def test_a_folder_is_whole_when_its_files_of_state_are(tmp_path: Path) -> None:
    """An empty file of another kind does not hold it up; a torn shard below it does."""
    folder = tmp_path / "checkpoint-500"
    (folder / "global_step500").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(safetensors_bytes())
    (folder / "merges.txt").touch()
    assert is_whole(folder) is True
    shard = folder / "global_step500" / "mp_rank_00_model_states.pt"
    whole = zip_bytes(shard)
    assert is_whole(folder) is True
    shard.write_bytes(whole[:-30])
    assert is_whole(folder) is False


def tree(base: Path, *paths: str) -> Path:
    for path in paths:
        (base / path).parent.mkdir(parents=True, exist_ok=True)
        (base / path).write_bytes(b"xyz")
    return base


def found(folder: Path, *others: Path) -> list[tuple[str, int | None]]:
    return [(one.path, one.step) for one in find_checkpoints(folder, frozenset(others).__contains__)]


def test_checkpoints_are_found_in_the_runs_folder_and_below(tmp_path: Path) -> None:
    """Where trainers put them; what lies deeper, is hidden, unfinished, a snapshot or in the trash is left out."""
    tree(
        tmp_path, "ckpt.pt", "checkpoints/step_100.pt", "version_0/checkpoints/epoch=0-step=5.ckpt", "a/b/c/step_1.pt",
        "snapshots/anomaly_1/step_2.pt", ".neat/trash/b/step_3.pt", ".hidden/step_4.pt", "checkpoints/step_5.pt.tmp",
        "tmp-checkpoint-6/model.safetensors", "checkpoint-7.tmp/model.safetensors", "metrics.jsonl",
    )  # fmt: skip
    assert found(tmp_path) == [
        ("checkpoints/step_100.pt", 100), ("ckpt.pt", None), ("version_0/checkpoints/epoch=0-step=5.ckpt", 5),
    ]  # fmt: skip


def test_a_folder_of_state_is_one_checkpoint(tmp_path: Path) -> None:
    """Measured as a whole; a folder that is merely named so, or holds checkpoints of its own, is looked into."""
    tree(tmp_path, "checkpoint-500/model.safetensors", "checkpoint-500/optimizer.pt", "checkpoint-500/deep/rng.pth")
    tree(tmp_path, "step_600/notes.txt", "checkpoints_2/step_700.pt")
    (one, other) = find_checkpoints(tmp_path)
    assert (one.path, one.step, one.is_folder, one.measured[0]) == ("checkpoint-500", 500, True, 9)
    assert (other.path, other.step, other.is_folder) == ("checkpoints_2/step_700.pt", 700, False)


def test_other_runs_and_links_are_left_out(tmp_path: Path) -> None:
    """A run in another's folder keeps its own checkpoints, and a link's target belongs to where it lies."""
    tree(tmp_path, "inner/step_1.pt", "step_2.pt", "elsewhere/x/y/step_3.pt")
    (tmp_path / "last.pt").symlink_to(tmp_path / "step_2.pt")
    (tmp_path / "linked").symlink_to(tmp_path / "elsewhere" / "x" / "y")
    assert found(tmp_path, tmp_path / "inner") == [("step_2.pt", 2)]


@pytest.mark.skipif(os.name == "nt", reason="file names of Windows are Unicode")
def test_a_name_that_is_not_utf8_is_left_out(tmp_path: Path) -> None:
    """The store cannot hold it, and the others are found."""
    tree(tmp_path, "step_1.pt")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/step_2\xff.pt")).write_bytes(b"xyz")
    assert found(tmp_path) == [("step_1.pt", 1)]


def test_a_missing_folder_holds_nothing(tmp_path: Path) -> None:
    """It may be removed between the look and the walk."""
    assert found(tmp_path / "gone") == []


def test_a_file_is_at_rest_after_measuring_the_same_for_long_enough() -> None:
    """The clock starts anew with each change, and for each file by itself."""
    watch, one, other = RestWatch(2.0), Path("a"), Path("b")
    assert [watch.is_at_rest(one, (1, 1, 1), now) for now in (0.0, 1.9)] == [False, False]
    assert [watch.is_at_rest(one, (2, 1, 1), now) for now in (2.0, 3.9)] == [False, False]
    assert watch.is_at_rest(other, (1, 1, 1), 4.0) is False
    assert watch.is_at_rest(one, (2, 1, 1), 4.0) is True


def test_a_forgotten_file_is_watched_from_the_beginning() -> None:
    """A path that is saved anew rests anew; forgetting what was never seen is harmless."""
    watch, path = RestWatch(2.0), Path("a")
    watch.forget(path)
    watch.is_at_rest(path, (1, 1, 1), 0.0)
    watch.forget(path)
    assert watch.is_at_rest(path, (1, 1, 1), 5.0) is False
