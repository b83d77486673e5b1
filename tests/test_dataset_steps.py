"""Data versions kept as records, and looked after in turns as the daemon does."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from neatd.config import DataFolders, ProjectConfig
from neatd.knowledge import Data
from neatd.pipeline import datasets
from neatd.pipeline.dataplaces import data_folders, stage_of
from neatd.pipeline.datasets import Work, drained, hash_step, register, versions
from neatd.pipeline.hashcache import HashCache
from neatd.place import Place
from neatd.read.dataset import DataFact
from neatd.store import links, records
from tests.store_rows import PROJECT, open_store, place

CONFIG = ProjectConfig(id=PROJECT)


class Desk:
    """A project with data, its store, and a daemon's turns over it."""

    def __init__(self, home: Path, store: sqlite3.Connection) -> None:
        self.home, self.store, self.root = home, store, home / "project"
        self.place: Place = place(self.root)
        (self.root / "data").mkdir(parents=True)
        (self.root / "neat.yaml").write_text(f"id: {PROJECT}\n")

    def write(self, name: str, text: str, age_s: float = 3600) -> Path:
        """A file that was last written so long ago."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        moment = time.time() - age_s
        os.utime(path, (moment, moment))
        return path

    def cache(self) -> HashCache:
        return HashCache(self.home, PROJECT, self.root)

    def add(self, name: str, stage: str = "raw") -> datasets.Registered:
        cache = self.cache()
        done = drained(register(self.store, self.place, cache, name, stage, "person"))
        cache.save()
        return done

    def turns(self, budget: int = 1 << 30, work: Work | None = None) -> tuple[Work, int]:
        """A look from begin to end; and in how many turns."""
        count = 0
        if work is not None:
            work.next_look = 0.0
        while True:
            work = hash_step(self.home, self.store, PROJECT, self.root, CONFIG, budget, work)
            count += 1
            if not work.is_busy:
                return work, count

    def of(self, name: str) -> list[Data]:
        return versions(self.store, PROJECT).get(name, [])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = open_store(tmp_path)
    yield Desk(tmp_path, store)
    store.close()


def test_another_content_supersedes_the_version_before(desk: Desk) -> None:
    """The old one stays, closed and linked; the same content again changes nothing."""
    desk.write("data/t.csv", "a\n1\n")
    assert desk.add("data/t.csv").what == "added"
    assert desk.add("data/t.csv").what == "same"
    desk.write("data/t.csv", "a\n1\n2\n")
    assert desk.add("data/t.csv").what == "replaced"
    old, new = desk.of("data/t.csv")
    assert (old.status, old.rows, new.status, new.rows, new.stage) == ("superseded", 1, "open", 2, "raw")
    linked = desk.store.execute("SELECT a, relation, b FROM link").fetchall()
    assert [links.Link(*row) for row in linked] == [links.Link(new.id, "supersedes", old.id)]


def test_a_content_that_came_back_is_a_new_version(desk: Desk) -> None:
    """What held when is told by the order of the versions."""
    for text in ("a\n", "b\n", "a\n"):
        desk.write("data/t.txt", text)
        desk.add("data/t.txt")
    first, second, third = desk.of("data/t.txt")
    assert first.hash == third.hash != second.hash
    assert datasets.current([first, second, third]) == third


def test_a_deleted_version_is_no_version(desk: Desk) -> None:
    """Registered again it is kept again."""
    desk.write("data/t.txt", "a")
    records.delete(desk.store, "data", desk.add("data/t.txt").record.id)
    assert desk.add("data/t.txt").what == "added"


def test_the_stage_is_told_by_folder_or_name() -> None:
    """neat.yaml's folders come before the names of the path."""
    folders = data_folders(ProjectConfig(id=PROJECT, data=DataFolders(processed=("clean",))), Path())
    assert folders == []
    assert stage_of("clean/a", [("clean", "processed")]) == "processed"
    assert stage_of("data/raw/a", [("data", "")]) == stage_of("x/raw/b", []) == "raw"
    assert stage_of("data/other", [("data", "")]) == ""


def test_a_change_becomes_a_version_of_the_daemons(desk: Desk) -> None:
    """Once it is at rest; what did not change costs no reading."""
    desk.write("data/t.csv", "a\n1\n")
    desk.add("data/t.csv")
    work, _ = desk.turns()
    assert len(desk.of("data/t.csv")) == 1
    desk.write("data/t.csv", "a\n1\n2\n")
    work, _ = desk.turns(work=work)
    old, new = desk.of("data/t.csv")
    assert (new.source, new.rows, old.status) == ("daemon", 2, "superseded")
    desk.turns(work=work)
    assert len(desk.of("data/t.csv")) == 2


def test_a_file_that_is_still_written_waits(desk: Desk) -> None:
    """Each minute of a growing file would be a version otherwise."""
    desk.write("data/t.csv", "a\n1\n")
    desk.add("data/t.csv")
    desk.write("data/t.csv", "a\n1\n2\n", age_s=5)
    work, _ = desk.turns()
    assert len(desk.of("data/t.csv")) == 1
    desk.write("data/t.csv", "a\n1\n2\n", age_s=120)
    desk.turns(work=work)
    assert len(desk.of("data/t.csv")) == 2


def test_a_big_file_is_hashed_over_many_turns(desk: Desk) -> None:
    """No turn reads more than its budget (and a piece); the next one goes on where it was."""
    path = desk.write("data/big.bin", "x" * (8 << 20))
    datasets.ask(desk.cache(), desk.root, "data/big.bin", "raw", "claude-code")
    work = hash_step(desk.home, desk.store, PROJECT, desk.root, CONFIG, 2 << 20)
    assert work.is_busy and (work.done_bytes, work.total_bytes) == (2 << 20, 8 << 20)
    _, count = desk.turns(2 << 20, work)
    (made,) = desk.of("data/big.bin")
    assert count >= 3 and (made.source, made.stage, made.size_bytes) == ("claude-code", "raw", path.stat().st_size)
    assert desk.cache().pending() == {}


def test_what_cannot_be_registered_is_said_and_not_tried_for_ever(desk: Desk) -> None:
    """A file that went away after it was asked for."""
    path = desk.write("data/gone.txt", "x")
    datasets.ask(desk.cache(), desk.root, "data/gone.txt", "", "person")
    path.unlink()
    desk.turns()
    cache = desk.cache()
    assert cache.pending() == {} and "no data/gone.txt" in cache.trouble("data/gone.txt")


def test_another_clones_data_is_no_change_of_this_ones(desk: Desk) -> None:
    """A record whose content was never here is left alone: two worktrees would answer each other for ever."""
    desk.write("data/t.txt", "here")
    fact = DataFact("f" * 64, 5, None, 1)
    datasets.keep(desk.store, desk.place, "data/t.txt", "raw", fact, "import")
    work, _ = desk.turns()
    desk.turns(work=work)
    assert [one.hash for one in desk.of("data/t.txt")] == ["f" * 64]


def test_a_record_that_leads_out_is_not_followed(desk: Desk, tmp_path: Path) -> None:
    """A clone may bring any path; only what a person registered on this machine is looked at out there."""
    outside = tmp_path / "outside.txt"
    outside.write_text("a")
    os.utime(outside, (1, 1))
    for path in (str(outside), "../outside.txt"):
        datasets.keep(desk.store, desk.place, path, "", DataFact("0" * 64, 1, None, 1), "import")
    desk.turns()
    assert not (desk.home / "datahash" / f"{PROJECT}.json").exists()
    desk.add(str(outside))
    outside.write_text("b")
    os.utime(outside, (2, 2))
    desk.turns()
    assert [one.source for one in desk.of(str(outside))] == ["import", "person", "daemon"]
    assert len(desk.of("../outside.txt")) == 1


def test_what_was_hashed_outlives_a_kill(desk: Desk) -> None:
    """Files hashed before an interruption are in the saved cache; a fresh one is not trusted."""
    desk.write("data/d/a.txt", "a")
    desk.write("data/d/b.txt", "b", age_s=0)
    desk.add("data/d")
    saved = json.loads((desk.home / "datahash" / f"{PROJECT}.json").read_text())["roots"][str(desk.root)]
    assert [Path(key).name for key in saved["files"]] == ["a.txt"]
    assert saved["paths"]["data/d"]["settled"][0] == ""


def test_two_writers_of_the_cache_keep_both(desk: Desk) -> None:
    """The command and the daemon hash at the same time; neither forgets what the other found."""
    one, two = desk.cache(), desk.cache()
    one.set_target("/a", "/a")
    two.set_target("/b", "/b")
    one.save()
    two.save()
    found = desk.cache()
    assert (found.target("/a"), found.target("/b")) == ("/a", "/b")


def test_a_damaged_cache_is_begun_anew(desk: Desk) -> None:
    """It is a cache: everything in it can be found again."""
    desk.write("data/t.txt", "a")
    desk.add("data/t.txt")
    (desk.home / "datahash" / f"{PROJECT}.json").write_text('{"format": 1, "roots": ')
    assert desk.cache().settled("data/t.txt") is None
    desk.turns()
    assert desk.cache().settled("data/t.txt") is not None


def test_files_that_went_are_forgotten(desk: Desk) -> None:
    """A folder whose files are renamed each week does not grow the cache for ever."""
    old = desk.write("data/d/a.txt", "a")
    desk.write("data/d/b.txt", "b")
    desk.add("data/d")
    old.unlink()
    desk.add("data/d")
    assert [Path(key).name for key in desk.cache()._files] == ["b.txt"]
