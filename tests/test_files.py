"""Files: replaced whole or not at all, kept to their root, measured as one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from neatd import files
from neatd.files import data_path, file_hash, is_inside, is_text, measure_checkpoint, write_atomic
from tests.store_rows import child

needs_posix = pytest.mark.skipif(os.name == "nt", reason="modes and links of POSIX")


def test_a_file_is_replaced_by_its_new_content(tmp_path: Path) -> None:
    """Its folder is made; nothing else is left in it."""
    path = tmp_path / "a" / "b.txt"
    write_atomic(path, b"one")
    write_atomic(path, b"two\r\n\0")
    assert path.read_bytes() == b"two\r\n\0"
    assert list(path.parent.iterdir()) == [path]


@needs_posix
def test_the_mode_of_a_file_stays_and_a_new_one_follows_the_umask(tmp_path: Path) -> None:
    """A temporary file's own mode would hide it from the group."""
    path, before = tmp_path / "a", os.umask(0o027)
    try:
        write_atomic(path, b"one")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        write_atomic(path, b"two")
        assert stat.S_IMODE(path.stat().st_mode) == 0o604
    finally:
        assert os.umask(before) == 0o027


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    """Here the place is taken by a folder, and the data is none."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        write_atomic(tmp_path / "folder", b"one")
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(TypeError):
        write_atomic(tmp_path / "file", "text")  # type: ignore[arg-type]
    assert (tmp_path / "file").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


WRITE = """
import sys
from pathlib import Path
from neatd.files import write_atomic
path = Path(sys.argv[1])
print("ready", flush=True)
while True:
    for letter in (b"a", b"b"):
        write_atomic(path, letter * 100_000)
"""


def test_a_reader_and_a_kill_never_meet_half_a_file(tmp_path: Path) -> None:
    """What is read beside a writer, and after it was killed, is one content whole."""
    path = tmp_path / "brief.md"
    write_atomic(path, b"a" * 100_000)
    process = child(WRITE, path)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    seen = {path.read_bytes() for _ in range(300)}
    process.kill()
    process.communicate()
    assert seen | {path.read_bytes()} <= {b"a" * 100_000, b"b" * 100_000}


@needs_posix
def test_a_link_in_the_way_is_replaced_and_its_target_stays(tmp_path: Path) -> None:
    """A repository may bring links; writing through one would reach outside of it."""
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_atomic(tmp_path / "link", b"new")
    assert (tmp_path / "target").read_bytes() == b"precious"
    assert (tmp_path / "link").read_bytes() == b"new" and not (tmp_path / "link").is_symlink()


@needs_posix
def test_inside_means_inside_after_links_are_resolved(tmp_path: Path) -> None:
    """Neither the root itself, nor a neighbour that begins like it, nor what a link or dots lead out to."""
    root = tmp_path / "project"
    (root / "a").mkdir(parents=True)
    (tmp_path / "project2").mkdir()
    (root / "out").symlink_to(tmp_path / "project2")
    (tmp_path / "in").symlink_to(root)
    assert (
        is_inside(root / "a", root)
        and is_inside(root / "a" / "missing", root)
        and is_inside(tmp_path / "in" / "a", root)
    )
    outside = [root, tmp_path, tmp_path / "project2", root / "out", root / "out" / "x", root / "a" / ".." / ".." / "x"]
    assert [path for path in outside if is_inside(path, root)] == []


def test_a_file_measures_its_size_time_and_inode(tmp_path: Path) -> None:
    """And nothing when it is gone."""
    path = tmp_path / "a.pt"
    path.write_bytes(b"12345")
    os.utime(path, ns=(7_000, 7_000))
    assert measure_checkpoint(path) == (5, path.stat().st_mtime_ns, path.stat().st_ino)
    path.unlink()
    assert measure_checkpoint(path) is None


@needs_posix
def test_a_folder_measures_as_one(tmp_path: Path) -> None:
    """The sum of its files and the newest of their times; a change deep below shows, a link's target does not."""
    folder = tmp_path / "checkpoint-5"
    (folder / "deep").mkdir(parents=True)
    (folder / "a").write_bytes(b"123")
    (folder / "deep" / "b").write_bytes(b"4567")
    (tmp_path / "big").write_bytes(b"x" * 10_000)
    before = measure_checkpoint(folder)
    assert before is not None and before[0] == 7
    newest = before[1] + 10_000_000_000
    os.utime(folder / "deep" / "b", ns=(newest, newest))
    assert measure_checkpoint(folder) == (7, newest, folder.stat().st_ino)
    (folder / "link").symlink_to(tmp_path / "big")
    after = measure_checkpoint(folder)
    assert after is not None and after[0] < 10_000


def test_the_hash_is_sha256(tmp_path: Path) -> None:
    """As `sha256sum` prints it."""
    (tmp_path / "a").write_bytes(b"abc")
    assert file_hash(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_what_the_store_cannot_hold_is_no_text() -> None:
    """Bytes of a name that are not UTF-8."""
    assert all(is_text(one) for one in ("", "a", "größe", "数据 😀"))
    assert not any(is_text(one) for one in (os.fsdecode(b"a\xff"), "\ud800", "größe\udfff"))


@pytest.mark.parametrize("name", ["rules", "templates", "store", "trainers"])
def test_shipped_folders_are_found_beside_the_package_or_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """In a checkout, and in a wheel, where they lie under _data."""
    assert data_path(name).is_dir()
    packed = tmp_path / "neatd" / "_data" / name
    packed.mkdir(parents=True)
    monkeypatch.setattr(files, "__file__", str(tmp_path / "neatd" / "files.py"))
    assert data_path(name) == packed
