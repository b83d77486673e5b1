"""A renamed or moved run folder stays the same run, a copied one is another."""

from __future__ import annotations

from pathlib import Path

import pytest

from neatd.models import Cursor
from neatd.read.identity import Found, Head, Known, Read, head_hash, same_run
from neatd.read.tail import read_turn

LINES = b"".join(b'{"step": %d, "loss": %f}\n' % (n, 1 / (n + 1)) for n in range(60))
HEADER = b"epoch,step,train_loss,val_loss\n"


def read(path: str, data: bytes, device: int = 1, inode: int = 10, offset: int | None = None) -> Read:
    done = len(data) if offset is None else offset
    length = min(1024, done)
    return Read(path, done, length, head_hash(data, length), device, inode)


def head(path: str, data: bytes, device: int = 1, inode: int = 10) -> Head:
    return Head(path, len(data), data[:1024], device, inode)


def known(
    id: str = "old", folder: str = "runs/a", data: bytes = LINES, created: float = 1.0, name: str = "metrics.jsonl",
    is_there: bool = False, inode: int = 10,
) -> Known:  # fmt: skip
    path = f"{folder}/{name}"
    now = (head(path, data, inode=inode),) if is_there else ()
    return Known(id, folder, created, (read(path, data, inode=inode),), now, 1, 5)


def found(
    folder: str = "runs/b", data: bytes = LINES, inode: int = 10, device: int = 1, name: str = "metrics.jsonl",
    own: int = 5,
) -> Found:  # fmt: skip
    return Found(folder, (head(f"{folder}/{name}", data, device, inode),), device, own)


def test_the_head_is_hashed_as_a_cursor_does(tmp_path: Path) -> None:
    """Else nothing would ever be known again."""
    (tmp_path / "m").write_bytes(LINES)
    cursor = read_turn(tmp_path / "m", Cursor(), 1 << 20).cursor
    assert cursor.head_len > 256 and head_hash(LINES, cursor.head_len) == cursor.head_hash


def test_a_renamed_folder_is_the_same_run() -> None:
    """Also one that grew meanwhile."""
    assert same_run([known()], found()) == "old"
    assert same_run([known()], found(data=LINES + b'{"step": 99}\n')) == "old"


def test_a_folder_moved_to_another_file_system_is_the_same_run() -> None:
    """No inode agrees; the head does, and the old folder is gone."""
    assert same_run([known()], found("/scratch/a", device=2, inode=77, own=78)) == "old"


def test_a_copy_is_another_run() -> None:
    """Its original is where it was; a hard-linked copy is one, too."""
    assert same_run([known(is_there=True)], found(inode=77, own=78)) is None
    assert same_run([known(is_there=True)], found(inode=10, own=78)) is None


def test_the_same_folder_by_another_way_is_the_same_run() -> None:
    """Through a link, or a mount, its original is still there."""
    assert same_run([known(is_there=True)], found(inode=10, own=5)) == "old"


def test_a_run_whose_place_was_taken_by_another_moved_nevertheless() -> None:
    """`mv exp exp_old`, and the next training writes to exp: what lies there now is not what was read."""
    taken = known()._replace(now=(head("runs/a/metrics.jsonl", b'{"step": 1}\n', inode=90),))
    assert same_run([taken], found()) == "old"


def test_another_content_is_another_run_whatever_its_inode() -> None:
    """Inodes are used again at once; a file shorter than what was read is not it."""
    other = LINES.replace(b"loss", b"cost")
    assert same_run([known()], found(data=other)) is None
    assert same_run([known()], found(data=LINES[:-100], inode=77, own=78)) is None


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("metrics.csv", HEADER + b"0,1,2.5,\n"),
        ("metrics.jsonl", LINES[:200]),
        ("metrics.csv", b",".join(b"layer_%d/grad_norm" % n for n in range(100)) + b"\n"),
        ("train.log", b"loading the libraries\n" * 100),
    ],
)
def test_a_head_that_others_share_proves_nothing_without_an_inode(name: str, data: bytes) -> None:
    """A short one, a table's header however long, a log's greeting; with the file's or the folder's inode they do."""
    one = known(data=data, name=name)
    assert same_run([one], found(data=data, name=name, inode=77, own=78)) is None
    assert same_run([one], found(data=data, name=name, inode=10, own=78)) == "old"
    assert same_run([one], found(data=data, name=name, inode=77, own=5)) == "old"


def test_a_table_with_rows_beyond_its_header_is_proof() -> None:
    """As soon as there are 256 bytes of it."""
    data = HEADER + b"".join(b"%d,%d,%f,\n" % (n, n * 10, 1 / (n + 3)) for n in range(30))
    one = known(data=data, name="metrics.csv")
    assert same_run([one], found(data=data, name="metrics.csv", inode=77, own=78)) == "old"


def test_one_file_that_contradicts_outweighs_one_that_agrees() -> None:
    """Without an inode: a shared file beside different metrics is a copy of that file."""
    one = known()
    one = one._replace(sources=(*one.sources, read("runs/a/x.csv", b"step,loss\n1,2\n", inode=11)))
    both = found(inode=77, own=78)
    both = both._replace(sources=(*both.sources, head("runs/b/x.csv", b"step,loss\n1,3\n", inode=79)))
    assert same_run([one], both) is None
    assert same_run([one], both._replace(sources=both.sources[:1])) == "old"


def test_a_run_that_a_folder_around_it_takes_over_stays_the_same() -> None:
    """The same file in the same place: the tracker's folder became part of what is around it."""
    path = "out/wandb/run-1/run-a.wandb"
    one = Known("old", "out/wandb/run-1", 1.0, (read(path, LINES[:100]),), (head(path, LINES),))
    assert same_run([one], Found("out", (head(path, LINES), head("out/metrics.jsonl", b"{}")))) == "old"


def test_the_strongest_evidence_wins_and_then_the_run_created_first() -> None:
    """A run and its copy, both gone: the inode tells which is which; where it does not, the original is meant."""
    runs = [known("copy", "runs/c", created=2.0, inode=20), known("old", created=1.0, inode=10)]
    runs = [one._replace(inode=0) for one in runs]
    assert same_run(runs, found(inode=20, own=6)) == "copy"
    assert same_run(runs, found(inode=10, own=6)) == "old"
    assert same_run(runs, found(inode=77, own=6)) == "old"


def test_without_anything_read_there_is_no_evidence() -> None:
    """Nor without any run, nor with files of other names."""
    empty = Known("old", "runs/a", 1.0, (read("runs/a/metrics.jsonl", b""),), (), 1, 5)
    assert same_run([], found()) is None and same_run([empty], found()) is None
    assert same_run([known()], found(name="other.jsonl")) is None


def test_the_projects_own_folder_may_be_moved_into_one() -> None:
    """Files are compared by their names within the runs."""
    one = Known("old", "", 1.0, (read("tb/x.jsonl", LINES),))
    assert same_run([one], Found("runs/a", (head("runs/a/tb/x.jsonl", LINES, 2, 7),))) == "old"
