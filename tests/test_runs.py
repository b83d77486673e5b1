"""Runs: one per folder, found by what a person types, with the progress that points.db knows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from neatd.errors import NeatError
from neatd.models import Cursor, GitState, Line, ProcessFact
from neatd.store import points, runs
from neatd.store.opening import connect
from tests.store_rows import AT, PROJECT, add_run, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_store(tmp_path)
    yield connection
    connection.close()


def test_a_folder_has_one_run_with_the_git_state_of_when_it_was_met(store: sqlite3.Connection) -> None:
    """Meeting it again, with another commit and at another time, changes nothing."""
    git = GitState(branch="main", commit="abc", is_repo=True, dirty=("a b.py", "ü.py"))
    first = runs.ensure_run(store, PROJECT, "/project", "runs/a", git, AT)
    again = runs.ensure_run(store, PROJECT, "/project", "runs/a", GitState(), AT + timedelta(days=1))
    assert first == again == runs.by_folder(store, "/project", "runs/a") == runs.get_run(store, first.id)
    assert (first.git, first.created_at, first.status, first.name) == (git, AT, "starting", "runs/a")
    assert len(runs.all_runs(store)) == 1


def test_the_projects_own_folder_may_be_a_run(store: sqlite3.Connection) -> None:
    """It is named by a dot."""
    assert add_run(store, "").name == "."


def test_runs_are_listed_newest_first(store: sqlite3.Connection) -> None:
    """Of one project, or of all."""
    made = [add_run(store, f"runs/{n}", AT + timedelta(hours=n)) for n in range(3)]
    assert runs.all_runs(store, PROJECT) == made[::-1]
    assert runs.all_runs(store, "another") == []


def test_every_field_that_is_set_comes_back(store: sqlite3.Connection) -> None:
    """Parameters of any shape, the process, the end in another time zone, and a field taken back."""
    run = add_run(store)
    fact = ProcessFact(pid=5, started=1.5, command="python train.py")
    config = {"lr": 1e-3, "layers": [1, 2], "name": "größe", "nested": {"a": None}}
    ended = datetime(2026, 1, 2, 5, tzinfo=timezone(timedelta(hours=2)))
    runs.set_run(
        store, run.id, status="failed", config=config, process=fact, ended_at=ended, planned_steps=9, git=GitState()
    )
    found = runs.get_run(store, run.id)
    assert (found.status, found.config, found.process, found.planned_steps) == ("failed", config, fact, 9)
    assert found.ended_at == ended and found.git == GitState()
    runs.set_run(store, run.id, process=None, ended_at=None)
    assert runs.get_run(store, run.id).process is None


def test_a_parameter_that_is_not_finite_is_kept_by_name(store: sqlite3.Connection) -> None:
    """JSON has no NaN."""
    run = add_run(store)
    runs.set_run(store, run.id, config={"clip": float("inf"), "seed": float("nan")})
    assert runs.get_run(store, run.id).config == {"clip": "Infinity", "seed": "NaN"}


@pytest.mark.parametrize("word", ["runs/topo", "runs/topo/", "topo"])
def test_a_run_is_found_by_name_or_its_last_part(store: sqlite3.Connection, word: str) -> None:
    """As a shell completes it, with the slash at the end."""
    wanted = add_run(store, "runs/topo")
    add_run(store, "runs/topo2")
    assert runs.find_run(store, word) == wanted


def test_a_run_is_found_by_the_beginning_of_its_id(store: sqlite3.Connection) -> None:
    """Two letters are too few to mean one."""
    wanted = add_run(store)
    assert runs.find_run(store, wanted.id[:8]) == wanted
    with pytest.raises(NeatError, match="no run 'r-'"):
        runs.find_run(store, "r-")


def test_a_word_that_fits_several_runs_names_them(store: sqlite3.Connection) -> None:
    """A whole name wins over the last part of another."""
    add_run(store, "old/topo")
    add_run(store, "new/topo")
    with pytest.raises(NeatError, match="fits several runs") as caught:
        runs.find_run(store, "topo")
    assert "old/topo" in caught.value.message and "new/topo" in caught.value.message
    wanted = add_run(store, "topo")
    assert runs.find_run(store, "topo") == wanted


def test_a_hypothesis_means_the_newest_run_that_fits(store: sqlite3.Connection) -> None:
    """Where a person asks, several are refused; a record written earlier means the latest."""
    add_run(store, "old/topo")
    newest = add_run(store, "new/topo", AT + timedelta(hours=1))
    assert runs.named(runs.all_runs(store), "topo") == newest
    assert runs.named(runs.all_runs(store), "none") is None


def test_progress_is_of_all_sources_of_a_run(tmp_path: Path) -> None:
    """The last step of either file, and when a line of it was last read."""
    with closing(connect(tmp_path, "points")) as series:
        assert runs.progress_of(series, "r-1") == (None, None)
        line = Line(1, 1, 70, None, {"loss": 1.0})
        points.commit_lines(series, "r-1", "metrics.jsonl", Cursor(seq=1), [line], [], 1000.0)
        points.commit_predictions(series, "r-1", "predictions.jsonl", Cursor(seq=1), [], 2000.0)
        expected = (70, datetime.fromtimestamp(2000, UTC))
        assert runs.progress_of(series, "r-1") == expected
        assert runs.progress(series) == {"r-1": expected}


def test_a_look_that_finds_no_line_does_not_count_as_progress(tmp_path: Path) -> None:
    """A file that is merely touched leaves the time of its last line."""
    with closing(connect(tmp_path, "points")) as series:
        line = Line(1, 1, 70, None, {"loss": 1.0})
        points.commit_lines(series, "r-1", "metrics.jsonl", Cursor(seq=1), [line], [], 1000.0)
        points.commit_lines(series, "r-1", "metrics.jsonl", Cursor(seq=1, generation=2), [], [], 3000.0)
        assert runs.progress_of(series, "r-1") == (70, datetime.fromtimestamp(1000, UTC))


def test_a_run_is_found_by_the_end_of_its_name_across_slashes(store: sqlite3.Connection) -> None:
    """A study in a database is named with a slash; a part of a word is no end."""
    wanted = add_run(store, "out/study.db/sq")
    assert runs.find_run(store, "study.db/sq") == runs.find_run(store, "study.db/sq/") == wanted
    with pytest.raises(NeatError, match="no run"):
        runs.find_run(store, "y.db/sq")


def test_the_beginning_of_several_ids_names_the_candidates(store: sqlite3.Connection) -> None:
    """Five of them, and how many more there are."""
    made = [add_run(store, f"runs/{n}") for n in range(7)]
    for n, one in enumerate(made):
        store.execute("UPDATE run SET id = ? WHERE id = ?", (f"r-same{n}", one.id))
    with pytest.raises(NeatError, match="fits several runs") as caught:
        runs.find_run(store, "r-same")
    assert "r-same6 (runs/6)" in caught.value.message and caught.value.message.endswith("and 2 more")


def test_a_list_and_what_it_leaves_out_are_of_one_moment(store: sqlite3.Connection) -> None:
    """One statement: no run that changes between two of them makes the rest negative."""
    for n in range(7):
        run = add_run(store, f"runs/{n}")
        runs.set_run(store, run.id, status="finished" if n else "running")
    asked: list[str] = []
    store.set_trace_callback(asked.append)
    found, left = runs.listed_runs(store, run.project_id, "runs", 3)
    store.set_trace_callback(None)
    assert ([one.name for one in found], left) == (["runs/6", "runs/5", "runs/4", "runs/0"], 3)
    assert len(asked) == 1
    assert runs.listed_runs(store, run.project_id, "nothing", 3) == ([], 0)
