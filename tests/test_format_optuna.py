"""Optuna's journal and database, as the library writes them, and studies of which a part is read at a time."""

from __future__ import annotations

import json
import math
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neatd.read import databases
from neatd.read.formats.optuna_journal import feed
from neatd.read.rows import Fed, Parsed
from tests.databases_made import OPTUNA_SQL, database, empty, plain, poll_all, rows_of, series_of
from tests.written_files import case_id, expected, written

JOURNALS = [one for one in written("optuna") if one.name == "journal"]
DATABASES = [one for one in written("optuna") if one.name == "sqlite"]
FLOAT = json.dumps({"name": "FloatDistribution", "attributes": {"low": 0.0, "high": 1.0, "log": False, "step": None}})


def told_facts(told: Any) -> dict[str, Any]:
    """What the generator says of a study; its search space is looked at by itself."""
    facts = {name: value for name, value in told["config"].items() if name not in ("search_space", "other_studies")}
    facts.pop("best_value", None)  # infinite
    return {"name": told["name"], **facts}


def without_durations(series: dict[str, Any]) -> dict[str, Any]:
    return {name: points for name, points in series.items() if not name.endswith("duration_s")}


def journal(*operations: dict[str, Any]) -> bytes:
    return b"".join(json.dumps({"worker_id": "w"} | one).encode() + b"\n" for one in operations)


def study(name: str = "s", *directions: int) -> dict[str, Any]:
    return {"op_code": 0, "study_name": name, "directions": directions or [1]}


def begin(study_id: int = 0) -> dict[str, Any]:
    return {"op_code": 4, "study_id": study_id, "datetime_start": "2026-01-02T03:04:05.000000+00:00"}


def end(trial_id: int, value: float | None, state: int = 1) -> dict[str, Any]:
    values = None if value is None else [value]
    at = "2026-01-02T03:04:07.500000+00:00"
    return {"op_code": 6, "trial_id": trial_id, "state": state, "values": values, "datetime_complete": at}


@pytest.mark.parametrize("case", JOURNALS, ids=case_id)
def test_each_value_of_a_written_journal_is_read(case: Path) -> None:
    """The first study's series are plain, the second's have its name before them."""
    fed = feed((case / "journal.log").read_bytes(), {}, 0, "")
    first, second = expected(case)["journal.log:lr search"], expected(case)["journal.log:trade/off"]
    wanted = plain(first["series"]) | {f"trade/off/{name}": one for name, one in plain(second["series"]).items()}
    assert not fed.bad and without_durations(series_of(rows_of(fed.rows))) == wanted
    assert told_facts(fed.told) == first["told"]
    (other,) = fed.told["config"]["other_studies"].values()
    assert other["trials"] == second["told"]["trials"] and "best_trial" not in other
    assert [row.seq for row in rows_of(fed.rows)] == list(range(1, fed.seq + 1))


@pytest.mark.parametrize("case", DATABASES, ids=case_id)
def test_each_value_of_a_written_database_is_read(case: Path, tmp_path: Path) -> None:
    """Of both studies, with what they say."""
    path = database(case, "study.db", tmp_path)
    assert databases.kind_of(path) == "optuna"
    runs = databases.runs_inside(path)
    assert [(run.key, run.name) for run in runs] == [("lr search", "lr search"), ("trade/off", "trade-off")]
    for run in runs:
        fed = poll_all(path, run.key, {}, 0)
        wanted = expected(case)[f"study.db:{run.key}"]
        assert without_durations(series_of(fed.rows)) == plain(wanted["series"])
        assert told_facts(fed.told) == wanted["told"]


@pytest.mark.parametrize("case", [*JOURNALS, *DATABASES], ids=case_id)
def test_the_search_space_names_the_choices(case: Path, tmp_path: Path) -> None:
    """A choice that is no number is kept as which one it is; what it was is told."""
    if case.name == "journal":
        fed = feed((case / "journal.log").read_bytes(), {}, 0, "")
    else:
        fed = databases.poll(database(case, "study.db", tmp_path), "lr search", {}, 0)
    space = fed.told["config"]["search_space"]
    assert space["optimizer"] == {"choices": ["adam", "sgd", None], "distribution": "categorical"}
    assert space["lr"] == {"low": 1e-5, "high": 0.1, "log": True, "step": None, "distribution": "float"}
    assert set(space) == {"lr", "layers", "optimizer", "batch", "amp"}
    assert 1.7e9 < fed.told["started_at"] < 1e10


@pytest.mark.parametrize("case", JOURNALS, ids=case_id)
def test_a_journal_that_comes_byte_by_byte_gives_the_same(case: Path) -> None:
    """A feed at every byte, with the state through JSON at every line, as the store keeps it."""
    data = (case / "journal.log").read_bytes()
    whole = feed(data, {}, 0, "")
    rows, told, state, seq, start = [], {}, {}, 0, 0
    for end_of in range(1, len(data) + 1):
        fed = feed(data[start:end_of], state, seq, "")
        if fed.consumed:
            rows += fed.rows
            told |= fed.told
            state = json.loads(json.dumps(fed.state))
        seq, start = fed.seq, start + fed.consumed
        assert fed.consumed == (end_of - start + fed.consumed if data[end_of - 1 : end_of] == b"\n" else 0)
    assert repr(rows) == repr(whole.rows) and (told, state, seq) == (whole.told, whole.state, whole.seq)


@pytest.mark.parametrize("case", JOURNALS, ids=case_id)
def test_a_journal_cut_around_every_line_gives_the_same(case: Path) -> None:
    """In two feeds; the state given is never changed."""
    data = (case / "journal.log").read_bytes()
    whole = feed(data, {}, 0, "")
    ends = [place for place, byte in enumerate(data) if byte == 10]
    for cut in (place + near for place in ends for near in (-1, 0, 1)):
        first = feed(data[:cut], {}, 0, "")
        kept = json.dumps(first.state)
        second = feed(data[first.consumed :], first.state, first.seq, "")
        assert json.dumps(first.state) == kept
        assert repr([*first.rows, *second.rows]) == repr(whole.rows), cut
        assert (first.told | second.told, second.state) == (whole.told, whole.state)


def test_a_finished_trial_takes_nothing_more_and_leaves_the_state() -> None:
    """As Optuna replays it: the first end counts. What is kept is as large as what is unfinished."""
    fed = feed(journal(study(), begin(), begin(), end(1, 0.5), end(1, 0.1), end(0, 0.75)), {}, 0, "")
    assert series_of(rows_of(fed.rows))["value"] == [[1, 0.5], [0, 0.75]]
    assert fed.state["open"] == {} and rows_of(fed.rows)[0].values["duration_s"] == 2.5


def test_ids_count_as_optuna_counts_them() -> None:
    """A study of a name that exists is none; a trial of a deleted study has no id."""
    operations = [study("a"), study("a"), study("b"), {"op_code": 1, "study_id": 0}, begin(0), begin(1), end(0, 3.0)]
    fed = feed(journal(*operations), {}, 0, "")
    assert [row.values["b/value"] for row in rows_of(fed.rows)] == [3.0]


def test_unreadable_operations_are_counted_and_change_nothing() -> None:
    """Not JSON, no operation, an operation without its parts; attributes are none of these."""
    bad = b'{"op_co\n[1]\n{"op_code": 77}\n{"op_code": 6, "trial_id": 0, "state": 9}\n{"op_code": "4"}\n'
    good = journal(study(), begin(), {"op_code": 9, "trial_id": 0}, {"op_code": 8}, end(0, 1.0))
    fed = feed(good[: good.rindex(b'{"worker')] + bad + good[good.rindex(b'{"worker') :], {}, 0, "")
    assert [one.seq for one in fed.bad] == [1, 2, 3, 4, 5]
    assert [(row.seq, row.values["value"]) for row in rows_of(fed.rows)] == [(6, 1.0)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An empty study of Optuna's."""
    made = empty(OPTUNA_SQL, tmp_path / "study.db")
    execute(made, "INSERT INTO version_info VALUES (1, 12, '5.0.0')", *make_study(1, "s"))
    return made


def execute(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as connection:
        for one in statements:
            connection.execute(one)
    connection.close()


def make_study(study_id: int, name: str) -> tuple[str, str]:
    return (
        f"INSERT INTO studies VALUES ({study_id}, '{name}')",
        f"INSERT INTO study_directions VALUES ({study_id}, 'MINIMIZE', {study_id}, 0)",
    )


def add_trial(path: Path, number: int, state: str = "RUNNING", study_id: int = 1) -> None:
    start = "NULL" if state == "WAITING" else "'2026-01-02 03:04:05.000000'"
    columns = "number, study_id, state, datetime_start"
    execute(path, f"INSERT INTO trials ({columns}) VALUES ({number}, {study_id}, '{state}', {start})")


def end_trial(path: Path, trial_id: int, value: float, second: int = 7, kind: str = "FINITE") -> None:
    execute(
        path,
        f"INSERT INTO trial_params VALUES (NULL, {trial_id}, 'x', {value}, '{FLOAT}')",
        f"INSERT INTO trial_values VALUES (NULL, {trial_id}, 0, {value if kind == 'FINITE' else 'NULL'}, '{kind}')",
        f"UPDATE trials SET state = 'COMPLETE', datetime_complete = '2026-01-02 03:04:{second:02}' "
        f"WHERE trial_id = {trial_id}",
    )


def values(fed: Fed, name: str = "value") -> list[tuple[int, float]]:
    return [(row.step, row.values[name]) for row in rows_of(fed.rows) if name in row.values]


def test_trials_are_rows_when_they_end_whenever_they_began(path: Path) -> None:
    """Each once, with the best so far; those on their way are kept as ranges."""
    for number in range(6):
        add_trial(path, number)
    first = poll_all(path, "s", {}, 0)
    assert first.rows == [] and first.state["open"] == [[1, 6]]
    end_trial(path, 5, 0.5)
    end_trial(path, 2, 0.75)
    second = poll_all(path, "s", first.state, first.seq)
    assert values(second) == [(1, 0.75), (4, 0.5)] and second.state["open"] == [[1, 1], [3, 4], [6, 6]]
    end_trial(path, 1, 0.25, second=9)
    end_trial(path, 3, 0.9, second=8)
    third = poll_all(path, "s", second.state, second.seq)
    assert values(third) == [(2, 0.9), (0, 0.25)] and values(third, "best") == [(2, 0.5), (0, 0.25)]
    assert [row.seq for row in rows_of(third.rows)] == [3, 4]
    assert third.told["config"]["trials"] == {"complete": 4, "pruned": 0, "failed": 0, "running": 2, "waiting": 0}
    assert poll_all(path, "s", third.state, third.seq).rows == []


@pytest.fixture
def east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three hours before UTC."""
    monkeypatch.setenv("TZ", "XXX-3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("east")
@pytest.mark.parametrize(("version", "ended"), [("5.0.0", 1767323047.0), ("4.9.0", 1767323047.0 - 3 * 3600)])
def test_times_are_those_of_the_zone_the_version_wrote(path: Path, version: str, ended: float) -> None:
    """UTC since Optuna 5; the writer's own before."""
    execute(path, f"UPDATE version_info SET library_version = '{version}'")
    add_trial(path, 0)
    end_trial(path, 1, 0.5)
    row = rows_of(poll_all(path, "s", {}, 0).rows)[0]
    assert row.time == ended and row.values["duration_s"] == 2.0


def test_thousands_of_enqueued_trials_take_little_state(path: Path) -> None:
    """Ranges of ids, not ids."""
    rows = ", ".join(f"({number}, 1, 'WAITING')" for number in range(5000))
    execute(path, f"INSERT INTO trials (number, study_id, state) VALUES {rows}")
    fed = poll_all(path, "s", {}, 0)
    assert len(json.dumps(fed.state)) < 1000 and fed.told["config"]["trials"]["waiting"] == 5000
    end_trial(path, 2500, 0.5)
    assert values(poll_all(path, "s", fed.state, 0)) == [(2499, 0.5)]


def test_reports_of_a_running_trial_come_as_they_are_written(path: Path) -> None:
    """Also when another study's lie between them; NaN is one."""
    execute(path, *make_study(2, "other"))
    add_trial(path, 0)
    add_trial(path, 0, study_id=2)
    for step, trial_id, value in ((0, 1, 0.5), (0, 2, 9.0), (5, 1, "NULL")):
        kind = "NAN" if value == "NULL" else "FINITE"
        execute(path, f"INSERT INTO trial_intermediate_values VALUES (NULL, {trial_id}, {step}, {value}, '{kind}')")
    first = poll_all(path, "s", {}, 0, limit=1)
    assert repr(values(first, "intermediate")) == repr([(0, 0.5), (0, math.nan)])
    assert values(first, "intermediate/step") == [(0, 0.0), (0, 5.0)]
    execute(path, "INSERT INTO trial_intermediate_values VALUES (NULL, 1, 6, 0.25, 'FINITE')")
    assert values(poll_all(path, "s", first.state, first.seq), "intermediate") == [(0, 0.25)]


def test_a_mark_changes_when_there_is_something_to_read(path: Path) -> None:
    """A trial begun, a report, an end; another study's events leave it alone."""

    def mark() -> str:
        return databases.runs_inside(path)[0].mark

    execute(path, *make_study(2, "other"))
    seen = [mark()]
    add_trial(path, 0)
    seen.append(mark())
    execute(path, "INSERT INTO trial_intermediate_values VALUES (NULL, 1, 6, 0.25, 'FINITE')")
    seen.append(mark())
    end_trial(path, 1, 0.5)
    seen.append(mark())
    assert len(set(seen)) == 4
    add_trial(path, 0, study_id=2)
    assert mark() == seen[-1]


def test_a_study_made_anew_under_its_name_is_read_anew(path: Path) -> None:
    """Even with the same ids; one that is gone gives nothing."""
    add_trial(path, 0)
    end_trial(path, 1, 0.5)
    first = poll_all(path, "s", {}, 0)
    execute(path, *(f"DELETE FROM {table}" for table in ("trial_params", "trial_values", "trials", "studies")))
    gone = poll_all(path, "s", first.state, first.seq)
    assert gone.rows == [] and gone.state == first.state
    execute(path, make_study(1, "s")[0])
    assert poll_all(path, "s", first.state, first.seq).state["generation"] == 1
    add_trial(path, 0)
    execute(path, "UPDATE trials SET datetime_start = '2026-01-02 04:00:00'")
    end_trial(path, 1, 0.25)
    second = poll_all(path, "s", first.state, first.seq)
    assert values(second) == [(0, 0.25)] and second.state["generation"] == 1


def test_infinite_values_are_kept(path: Path) -> None:
    """The database has them as words."""
    for number, kind in enumerate(("INF_POS", "INF_NEG")):
        add_trial(path, number)
        end_trial(path, number + 1, 1.0, kind=kind)
    fed = poll_all(path, "s", {}, 0)
    assert values(fed) == [(0, math.inf), (1, -math.inf)]
    assert "best_value" not in fed.told["config"] and fed.told["config"]["best_trial"] == 1


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_small_polls_give_what_one_poll_gives(limit: int, tmp_path: Path) -> None:
    """However few rows a poll may give, none is lost or doubled."""
    path = database(DATABASES[0], "study.db", tmp_path)
    whole, pieces = poll_all(path, "lr search", {}, 0), poll_all(path, "lr search", {}, 0, limit)
    assert repr(pieces.rows) == repr(whole.rows)
    assert all(isinstance(row, Parsed) for row in whole.rows)
