"""Data files and folders as they lie on the disk, hostile ones among them."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest

from neatd.read.dataset import (
    ChangingError,
    DataFact,
    FileFact,
    Glance,
    Stamp,
    Turn,
    glance,
    measure,
    read_file,
    stamp_of,
)

T = TypeVar("T")


class Memory:
    """What was hashed, and which files were read for it."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, Stamp], FileFact] = {}
        self.read: list[str] = []

    def get(self, key: str, stamp: Stamp) -> FileFact | None:
        return self.found.get((key, stamp))

    def put(self, key: str, stamp: Stamp, fact: FileFact, begun_ns: int) -> None:
        self.read.append(Path(key).name)
        self.found[key, stamp] = fact


def end(turns: Generator[Turn, None, T]) -> T:
    while True:
        try:
            next(turns)
        except StopIteration as stop:
            result: T = stop.value
            return result


def look(base: Path, within: Path | None = None) -> Glance:
    found = end(glance(base, within or base.parent))
    assert found is not None
    return found


def version(base: Path, memory: Memory | None = None) -> DataFact:
    return end(measure(base, look(base), memory or Memory()))


def test_a_files_version_is_its_sha256(tmp_path: Path) -> None:
    """The same as sha256sum prints, with size and rows."""
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n1,2\n")
    assert version(path) == DataFact(hashlib.sha256(b"a,b\n1,2\n").hexdigest(), 8, 1, 1)


def test_a_folders_version_is_its_names_and_contents(tmp_path: Path) -> None:
    """The same in another place and order of making; another name, another content or one file more is another one."""
    first, second = tmp_path / "one", tmp_path / "two"
    for folder, names in ((first, "abc"), (second, "cba")):
        (folder / "sub").mkdir(parents=True)
        for name in names:
            (folder / "sub" / f"{name}.jsonl").write_text(f"{name}\n")
    before = version(first)
    assert before == version(second) and (before.files, before.rows) == (3, 3)
    (second / "sub" / "a.jsonl").rename(second / "sub" / "d.jsonl")
    assert version(second).hash != before.hash
    (first / "sub" / "b.jsonl").write_text("x\n")
    changed = version(first).hash
    assert changed != before.hash
    (first / "e.png").write_bytes(b"")
    assert version(first).hash not in (before.hash, changed)


def test_what_systems_leave_behind_is_no_data(tmp_path: Path) -> None:
    """Opening a folder in a file browser makes no new version."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.txt").write_text("a")
    before = version(tmp_path / "d")
    (tmp_path / "d" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "d" / "__pycache__").mkdir()
    (tmp_path / "d" / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert version(tmp_path / "d") == before


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and links are made otherwise there")
def test_links_that_lead_out_and_pipes_are_left_out(tmp_path: Path) -> None:
    """A link to a file inside counts as that file; a pipe would wait for ever; a linked folder could be a circle."""
    root = tmp_path / "project"
    (root / "d").mkdir(parents=True)
    (tmp_path / "secret").write_text("s")
    (root / "real.txt").write_text("real")
    (root / "d" / "in").symlink_to("../real.txt")
    (root / "d" / "out").symlink_to("../../secret")
    (root / "d" / "nowhere").symlink_to("nothing")
    (root / "d" / "circle").symlink_to(".")
    os.mkfifo(root / "d" / "pipe")
    seen = look(root / "d", root)
    assert [one.name for one in seen.entries] == ["in"] and seen.left_out == 4
    assert look(root / "d" / "pipe", root).entries == () and look(root / "d" / "out", root).entries == ()


def test_nothing_there_is_nothing(tmp_path: Path) -> None:
    """None, where an empty folder has no entries."""
    assert end(glance(tmp_path / "gone", tmp_path)) is None
    assert look(tmp_path / ".").entries == ()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_of_any_bytes_are_hashed(tmp_path: Path) -> None:
    """Linux has names that are no text."""
    folder = tmp_path / "d"
    folder.mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.txt")).write_text("x")
    assert version(folder).files == 1


def test_only_what_is_not_known_is_read(tmp_path: Path) -> None:
    """A file with the stamp it had when it was hashed costs no reading; one that was touched does."""
    folder, memory = tmp_path / "d", Memory()
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text("h\n1\n")
    first = version(folder, memory)
    os.utime(folder / "b.csv", ns=(1, 1))
    assert version(folder, memory) == first
    assert memory.read == ["a.csv", "b.csv", "b.csv"]


def test_a_file_that_changes_while_it_is_read_is_no_version(tmp_path: Path) -> None:
    """What was read is neither the old content nor the new."""
    path = tmp_path / "big.bin"
    path.write_bytes(b"x" * (3 << 20))
    turns = read_file(path, stamp_of(path.stat()))
    next(turns)
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(ChangingError, match=r"big\.bin changed"):
        end(turns)


def test_big_files_are_read_in_turns(tmp_path: Path) -> None:
    """A megabyte at a time, so that a daemon may do something else in between."""
    path = tmp_path / "big.bin"
    path.write_bytes(b"x" * (2 << 20) + b"y")
    assert [turn.cost_bytes for turn in measure(path, look(path), Memory())] == [1 << 20, 1 << 20, 1]
