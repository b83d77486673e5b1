"""MLflow's two stores, as the library writes them: each value, what the run says, and what of it is never taken."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from neatd.read import databases
from neatd.read.formats.mlflow_files import feed
from neatd.read.mlflow_facts import is_deleted, mlflow_facts
from neatd.read.mlflow_run import plain_value
from neatd.read.rows import BadLine, Parsed
from tests.databases_made import database, plain, poll_all, rows_of, series_of
from tests.written_files import case_id, expected, written

FILES = [one for one in written("mlflow") if one.name == "files"]
DATABASES = [one for one in written("mlflow") if one.name == "sqlite"]
LINES = b"1000 0.5 1\n2000 nan 2\n\n3000 -inf 3\n4000 1e-5 4 images 1a2b\n5000 7\nbroken\n6000 x 1\n7000 1 2"


def without_times(told: Any) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in ("started_at", "ended_at")}


@pytest.mark.parametrize("case", FILES, ids=case_id)
def test_each_value_of_a_written_file_is_read(case: Path) -> None:
    """Of every metric file, NaN, the infinities and a name with a slash among them."""
    found = {}
    for path, one in expected(case).items():
        if "/metrics/" in path:
            fed = feed((case / path).read_bytes(), {}, 0, path.partition("/metrics/")[2])
            assert not fed.bad
            found[path] = series_of(rows_of(fed.rows))
            assert found[path] == plain(one["series"])
    assert len(found) == 6


@pytest.mark.parametrize("case", FILES, ids=case_id)
def test_a_written_run_says_its_facts(case: Path) -> None:
    """Status, name, parameters, commit and command; the user's name is among the tags and not taken."""
    checked = 0
    for path, one in expected(case).items():
        if path.endswith("meta.yaml"):
            told = mlflow_facts((case / path).parent)
            assert without_times(told) == one["told"]
            assert 1.7e9 < told["started_at"] <= told.get("ended_at", math.inf)
            assert "someone" not in repr(told)
            checked += 1
    assert checked == 3


@pytest.mark.parametrize("case", FILES, ids=case_id)
def test_a_deleted_run_is_known_by_its_folder(case: Path) -> None:
    """It stays where it is until MLflow collects it."""
    runs = [path.parent for path in case.glob("mlruns/*/*/meta.yaml")]
    assert [is_deleted(one) for one in sorted(runs, key=lambda one: is_deleted(one))] == [False, False, False, True]


@pytest.mark.parametrize("case", DATABASES, ids=case_id)
def test_each_value_of_a_written_database_is_read(case: Path, tmp_path: Path) -> None:
    """Of every run that is not deleted, with what it says."""
    path = database(case, "mlflow.db", tmp_path)
    assert databases.kind_of(path) == "mlflow"
    runs = databases.runs_inside(path)
    assert {f"mlflow.db:{run.key}" for run in runs} == set(expected(case))
    for run in runs:
        fed = poll_all(path, run.key, {}, 0)
        wanted = expected(case)[f"mlflow.db:{run.key}"]
        assert series_of(fed.rows) == plain(wanted["series"])
        assert without_times(fed.told) == wanted["told"]
        assert [row.seq for row in fed.rows] == list(range(1, fed.seq + 1))
        assert "someone" not in repr(fed)


@pytest.mark.parametrize("case", DATABASES, ids=case_id)
def test_names_in_a_database_are_those_of_folders_and_unique(case: Path, tmp_path: Path) -> None:
    """Experiment and run; the second of a name has the head of its key behind it."""
    runs = databases.runs_inside(database(case, "mlflow.db", tmp_path))
    assert [run.name for run in runs] == [
        "net-small/base",
        f"net-small/base-{runs[1].key[:8]}",
        "net-small/going on",
    ]


@pytest.mark.parametrize("limit", [1, 7, 46, 47])
def test_small_polls_give_what_one_poll_gives(limit: int, tmp_path: Path) -> None:
    """However few rows a poll may give, none is lost or doubled, and the ordinals are the same."""
    path = database(DATABASES[0], "mlflow.db", tmp_path)
    key = databases.runs_inside(path)[0].key
    whole, pieces = poll_all(path, key, {}, 0), poll_all(path, key, {}, 0, limit)
    assert repr(pieces) == repr(whole) and len(whole.rows) == 46


def test_a_file_cut_at_every_byte_gives_the_same() -> None:
    """What was not consumed comes again with more behind it."""
    whole = feed(LINES, {}, 0, "loss")
    for cut in range(len(LINES) + 1):
        first = feed(LINES[:cut], {}, 0, "loss")
        second = feed(LINES[first.consumed :], first.state, first.seq, "loss")
        assert repr([*rows_of(first.rows), *rows_of(second.rows)]) == repr(rows_of(whole.rows)), cut
        assert [*first.bad, *second.bad] == whole.bad
        assert (first.consumed + second.consumed, second.seq) == (whole.consumed, whole.seq)


def test_lines_of_every_age_are_read() -> None:
    """Three columns, five with a data set, two of old releases, which name no step; the last one is not whole."""
    fed = feed(LINES, {}, 0, "loss")
    assert repr(rows_of(fed.rows)) == repr(
        [
            Parsed(1, 1, 1.0, {"loss": 0.5}),
            Parsed(2, 2, 2.0, {"loss": math.nan}),
            Parsed(3, 3, 3.0, {"loss": -math.inf}),
            Parsed(4, 4, 4.0, {"loss": 1e-5}),
            Parsed(5, 5, 5.0, {"loss": 7.0}, is_counted=True),
        ]
    )
    assert fed.bad == [BadLine(6, "not a time, a value and a step"), BadLine(7, "not a time, a value and a step")]
    assert fed.consumed == len(LINES) - len(b"7000 1 2")


def test_numbers_that_no_store_holds_are_refused_or_left_out() -> None:
    """A step beyond 64 bits makes a bad line; a time beyond all years is none."""
    fed = feed(b"1000 1 9223372036854775808\n" + b"9" * 30 + b" 1 2\n", {}, 0, "loss")
    assert fed.bad == [BadLine(1, "its step is too large")]
    assert fed.rows == [Parsed(2, 2, None, {"loss": 1.0})]


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("-0.5", -0.5), ("1e-05", 1e-5), ("True", True), ("None", None), ("007", "007"), ("1_000", "1_000"),
     ("nan", "nan"), ("inf", "inf"), ("1.50", "1.50"), ("9" * 30, "9" * 30), ("", ""), ("[1, 2]", "[1, 2]")],
)  # fmt: skip
def test_a_parameter_is_a_value_only_if_python_writes_it_so(text: str, value: object) -> None:
    """MLflow keeps texts; what is not exactly such a value stays the text it is."""
    assert plain_value(text) == value and type(plain_value(text)) is type(value)


def test_a_folder_that_is_no_run_tells_nothing(tmp_path: Path) -> None:
    """No meta.yaml, half a one, one of an experiment, one that is no mapping."""
    assert mlflow_facts(tmp_path) == {}
    for text in ("run_id: 'abc", "experiment_id: '1'\nname: net\n", "- 1\n", "!!python/object:os.system {}\n"):
        (tmp_path / "meta.yaml").write_text(text)
        assert mlflow_facts(tmp_path) == {}


def test_links_and_large_files_among_the_parameters_are_passed_over(tmp_path: Path) -> None:
    """Neither leads out of the run, nor fills the memory."""
    (tmp_path / "run" / "params").mkdir(parents=True)
    (tmp_path / "run" / "meta.yaml").write_text("run_id: abc\nstatus: 3\nstart_time: 5000\nend_time: null\n")
    (tmp_path / "secret").write_text("hidden")
    (tmp_path / "run" / "params" / "a").write_text("1")
    (tmp_path / "run" / "params" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "run" / "params" / "large").write_bytes(b"x" * 100_000)
    assert mlflow_facts(tmp_path / "run") == {"config": {"a": 1}, "status": "finished", "started_at": 5.0}
