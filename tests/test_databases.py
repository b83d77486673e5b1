"""Other programs' databases while they are written, locked, broken or left by a killed writer: read, never disturbed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from neatd.read import databases, sqlitefile
from neatd.read.databases import BusyDatabase
from tests.conftest import until
from tests.cost import at_most
from tests.databases_made import (
    MLFLOW_SQL,
    OPTUNA_SQL,
    add_metric,
    add_run,
    empty,
    poll_all,
    rows_of,
    run_sql,
    series_of,
)

ROOT = Path(__file__).resolve().parents[1]
RUN = "a" * 32

# Commits a metric a transaction, as fast as it can, with half a second of patience. Prints how many, and what failed.
WRITER = """
import sqlite3, sys, time
path, mode, seconds, most = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
made = sqlite3.connect(path, timeout=0.5, isolation_level=None)
made.execute(f"PRAGMA journal_mode={mode}")
count, failed, end = 0, 0, time.monotonic() + seconds
while time.monotonic() < end and count < most:
    try:
        made.execute("BEGIN")
        made.execute("INSERT INTO metrics VALUES ('loss', ?, ?, ?, ?, 0)", (1 / (count + 1), count, "a" * 32, count))
        made.execute("COMMIT")
        count += 1
    except sqlite3.OperationalError as error:
        print(error, file=sys.stderr, flush=True)
        made.rollback() if made.in_transaction else None
        failed += 1
print(count, failed, flush=True)
"""
# Leaves a transaction of which a part is in the file already, and its journal.
KILLED = """
import os, signal, sqlite3, sys
made = sqlite3.connect(sys.argv[1], isolation_level=None)
made.execute("PRAGMA cache_size=2")
made.execute("BEGIN")
made.execute("UPDATE metrics SET value = -1")
for step in range(3000):
    made.execute("INSERT INTO metrics VALUES ('loss', -1, ?, ?, ?, 0)", (step, "a" * 32, 10_000 + step))
os.kill(os.getpid(), signal.SIGKILL)
"""
# Leaves committed rows in the write-ahead log only.
KILLED_WAL = """
import os, signal, sqlite3, sys
made = sqlite3.connect(sys.argv[1], isolation_level=None)
made.execute("PRAGMA journal_mode=WAL")
for step in range(100, 200):
    made.execute("INSERT INTO metrics VALUES ('loss', 1.0, ?, ?, ?, 0)", (step, "a" * 32, step))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """MLflow's tables with a run of 100 values, under a name that an address would have to quote."""
    made = empty(MLFLOW_SQL, tmp_path / "ml flow?#%20.db")
    with closing(sqlite3.connect(made)) as connection, connection:
        add_run(connection, RUN)
        for step in range(100):
            add_metric(connection, RUN, step, step / 7)
    return made


@contextmanager
def writer(path: Path, mode: str, seconds: float, most: int = 1_000_000) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-c", WRITER, str(path), mode, str(seconds), str(most)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        if process.poll() is None:
            process.kill()


def killed(program: str, path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", program, str(path)], timeout=60)
    assert done.returncode == -signal.SIGKILL


def steps(path: Path) -> list[int]:
    """Of the run, read from its start."""
    return [row.step for row in rows_of(poll_all(path, RUN, {}, 0).rows)]


def beside(path: Path) -> dict[str, bytes]:
    """Every file of the database's folder."""
    return {one.name: one.read_bytes() for one in path.parent.iterdir() if not one.name.endswith("-shm")}


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_database_is_read_whole_while_it_grows(path: Path, mode: str) -> None:
    """A writer commits row by row; each row comes once, in order, with the value it was written with."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM metrics")
    state, seq, rows = {}, 0, []
    with writer(path, mode, 20, most=400) as process:

        def read() -> bool:
            nonlocal state, seq
            try:
                fed = databases.poll(path, RUN, state, seq, limit=50)
            except BusyDatabase:
                return False
            rows.extend(rows_of(fed.rows))
            state, seq = json.loads(json.dumps(fed.state)), fed.seq
            return len(rows) >= 400

        until(read, "400 rows")
        assert process.communicate(timeout=30)[0].split() == ["400", "0"]
    assert [(row.seq, row.step, row.values) for row in rows] == [(i + 1, i, {"loss": 1 / (i + 1)}) for i in range(400)]
    assert state["generation"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["DELETE", "TRUNCATE", "WAL"])
def test_a_writer_in_a_tight_loop_is_never_refused(path: Path, mode: str) -> None:
    """Half a second of patience is enough for it, though it is read without a pause, from the start each time."""
    polls = busy = 0
    with writer(path, mode, 2.0) as process:
        while process.poll() is None:
            try:
                databases.runs_inside(path, "mlflow")
                databases.poll(path, RUN, {}, 0, kind="mlflow")
                polls += 1
            except BusyDatabase:
                busy += 1
        out, errors = process.communicate(timeout=30)
    count, failed = out.split()
    assert failed == "0" and errors == "" and int(count) > 5
    assert polls > 0  # on a machine with other work more of them find the writer at it than not


def test_a_locked_database_is_busy_and_read_when_it_is_free(path: Path) -> None:
    """Each call gives up soon, says so, and nothing is lost by it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for call in (databases.kind_of, databases.runs_inside, steps):
            began = time.monotonic()
            with pytest.raises(BusyDatabase):
                call(path)
            assert time.monotonic() - began < 4  # SQLite itself waits for five
        other.execute("COMMIT")
        assert steps(path) == list(range(100))


def test_a_writer_that_waits_to_commit_gets_its_turn(path: Path) -> None:
    """No lock of ours is left between two calls, nor while the caller works on what came."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other, sqlitefile.reading(path) as ask:
        assert len(ask("SELECT * FROM metrics LIMIT 10", ())) == 10
        other.execute("BEGIN EXCLUSIVE")
        other.execute("COMMIT")


def test_a_statement_that_takes_too_long_is_broken_off(path: Path) -> None:
    """However large the table is, a writer waits for us no longer than that."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with sqlitefile.reading(path) as ask:
        began = time.monotonic()
        with pytest.raises(BusyDatabase):
            ask(endless, ())
        assert time.monotonic() - began < 20
        assert ask("SELECT count(*) FROM metrics", ()) == [(100,)]


def test_what_a_killed_writer_left_half_done_is_not_read_nor_mended(path: Path) -> None:
    """The journal is rolled back in a copy: the values of before, and not a byte of the files changed."""
    killed(KILLED, path)
    before = beside(path)
    assert any(name.endswith("-journal") for name in before)
    fed = poll_all(path, RUN, {}, 0)
    assert series_of(fed.rows) == {"loss": [[step, step / 7] for step in range(100)]}
    assert databases.runs_inside(path)[0].key == RUN
    assert beside(path) == before
    with closing(sqlite3.connect(path)) as its_own:
        assert its_own.execute("SELECT count(*) FROM metrics").fetchone() == (100,)


def test_a_copy_too_large_to_make_is_said_and_not_made(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what a person can do about it."""
    killed(KILLED, path)
    monkeypatch.setattr(sqlitefile, "LARGEST_COPY", 1000)
    with pytest.raises(OSError, match="open it once with the program"):
        databases.runs_inside(path)


def test_a_write_ahead_log_that_a_killed_writer_left_is_read(path: Path) -> None:
    """With its index beside it and without, as in a copied folder; nothing is made beside it."""
    killed(KILLED_WAL, path)
    before = beside(path)
    assert any(name.endswith("-wal") for name in before)
    assert steps(path) == list(range(200)) and beside(path) == before
    path.with_name(path.name + "-shm").unlink()
    assert steps(path) == list(range(200)) and beside(path) == before
    assert not path.with_name(path.name + "-shm").exists()


def test_reading_a_database_at_rest_makes_nothing_beside_it(path: Path) -> None:
    """SQLite would leave a write-ahead database's two companions behind, even when it may only read."""
    run_sql(path, "PRAGMA journal_mode=WAL; CREATE TABLE x (y); DROP TABLE x;")
    before = beside(path)
    assert databases.kind_of(path) == "mlflow" and steps(path) == list(range(100))
    assert beside(path) == before and len(list(path.parent.iterdir())) == 1


def test_a_database_at_rest_that_is_written_meanwhile_counts_as_busy(path: Path) -> None:
    """What was read of it without a lock is not given."""
    run_sql(path, "PRAGMA journal_mode=WAL;")
    with sqlitefile.reading(path) as ask:
        assert ask("SELECT count(*) FROM metrics", ()) == [(100,)]
        with closing(sqlite3.connect(path)) as other, other:
            add_metric(other, RUN, 100, 1.0)
            other.commit()
            with pytest.raises(BusyDatabase):
                ask("SELECT count(*) FROM metrics", ())


def test_a_stamp_changes_with_every_commit(path: Path) -> None:
    """In both kinds of journal; it costs no reading."""
    for mode in ("DELETE", "WAL"):
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute(f"PRAGMA journal_mode={mode}")
            before = databases.stamp(path)
            assert databases.stamp(path) == before
            add_metric(other, RUN, 1000 if mode == "WAL" else 2000, 1.0)
            assert databases.stamp(path) != before


def test_a_mark_changes_when_there_is_something_to_read(path: Path) -> None:
    """A value, a parameter, a tag, the end, the name; another run's values leave it alone."""
    other = "b" * 32
    seen = [databases.runs_inside(path)[0].mark]
    for statement in (
        f"INSERT INTO metrics VALUES ('loss', 1, 1, '{RUN}', 500, 0)",
        f"INSERT INTO params VALUES ('lr', '0.1', '{RUN}')",
        f"INSERT INTO tags VALUES ('mlflow.source.name', 'a.py', '{RUN}')",
        "UPDATE runs SET status = 'FINISHED', end_time = 5000",
        "UPDATE runs SET name = 'renamed'",
    ):
        run_sql(path, statement)
        seen.append(databases.runs_inside(path)[0].mark)
    assert len(set(seen)) == 6
    with closing(sqlite3.connect(path)) as connection, connection:
        add_run(connection, other)
        add_metric(connection, other, 1, 1.0)
    assert databases.runs_inside(path)[0].mark == seen[-1]


def test_rows_numbered_anew_are_not_read_again(path: Path) -> None:
    """MLflow's tables promise no row number over a migration; the last row read is found again."""
    run_sql(path, "UPDATE metrics SET rowid = rowid + 1000;")
    first = poll_all(path, RUN, {}, 0, limit=60)
    assert first.state["rowid"] == 1100
    run_sql(path, "UPDATE metrics SET rowid = rowid - 1000;", "VACUUM;")
    with closing(sqlite3.connect(path)) as connection, connection:
        add_metric(connection, RUN, 100, 1.0)
    second = poll_all(path, RUN, first.state, first.seq)
    assert [row.step for row in rows_of(second.rows)] == [100]
    assert second.state | {"last": 0} == {"rowid": 101, "count": 101, "last": 0, "generation": 0}


def test_a_run_whose_rows_were_taken_away_is_read_anew(path: Path) -> None:
    """An older copy was put back: the state says that it is another generation."""
    first = poll_all(path, RUN, {}, 0)
    run_sql(path, "DELETE FROM metrics WHERE step >= 10;")
    second = poll_all(path, RUN, first.state, first.seq)
    assert [row.step for row in rows_of(second.rows)] == list(range(10))
    assert second.state["generation"] == 1 and second.seq == 110


def test_a_run_that_is_gone_gives_nothing(path: Path) -> None:
    """Deleted in MLflow, or collected after that; its state stays."""
    first = poll_all(path, RUN, {}, 0)
    run_sql(path, "UPDATE runs SET lifecycle_stage = 'deleted';")
    assert databases.runs_inside(path) == []
    gone = databases.poll(path, RUN, first.state, first.seq)
    assert (gone.rows, gone.state, gone.seq, gone.told) == ([], first.state, first.seq, {})


def test_what_is_no_number_is_named(path: Path) -> None:
    """SQLite holds any value in any column."""
    run_sql(path, f"INSERT INTO metrics VALUES ('acc', 'high', 1, '{RUN}', 500, 0);")
    fed = databases.poll(path, RUN, {}, 0)
    assert [(one.seq, one.why) for one in fed.bad] == [(101, "acc: its value is not a number")]


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"x" * 5000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_what_is_no_database_is_nobodys(tmp_path: Path, content: bytes) -> None:
    """Empty, cut short, another format, or the first bytes only."""
    path = tmp_path / "x.db"
    path.write_bytes(content)
    assert databases.kind_of(path) is None
    with pytest.raises(OSError):
        databases.runs_inside(path)
    assert path.read_bytes() == content and len(list(tmp_path.iterdir())) == 1


def test_another_programs_database_is_nobodys(tmp_path: Path) -> None:
    """Also when its views have the names of MLflow's tables."""
    path = tmp_path / "x.db"
    names = ("runs", "metrics", "params", "tags", "experiments", "latest_metrics")
    run_sql(path, "CREATE TABLE x (y);", *(f"CREATE VIEW {name} AS SELECT * FROM x;" for name in names))
    assert databases.kind_of(path) is None


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir, os.mkfifo], ids=["missing", "folder", "pipe"])
def test_what_cannot_be_opened_is_an_error_of_the_system(tmp_path: Path, make: object) -> None:
    """Nobody waits for a pipe."""
    make(tmp_path / "x.db")  # type: ignore[operator]
    with pytest.raises(OSError) as raised:
        databases.kind_of(tmp_path / "x.db")
    assert not isinstance(raised.value, BusyDatabase)


def test_a_damaged_database_is_an_error_and_not_busy(path: Path) -> None:
    """Its pages were overwritten; trying again would not help."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096 * 8)
    with pytest.raises(OSError) as raised:
        databases.runs_inside(path, "mlflow")
    assert not isinstance(raised.value, BusyDatabase)


def test_names_lead_nowhere_and_are_no_two_alike(tmp_path: Path) -> None:
    """Whatever people call their runs and experiments; a name in other letters is the same on some systems."""
    path = empty(MLFLOW_SQL, tmp_path / "mlflow.db")
    with closing(sqlite3.connect(path)) as connection, connection:
        for place, name in enumerate(("../../etc", "Base", "base", "..", "", "a\x00b", "x" * 500, "base")):
            add_run(connection, f"{place:032d}", name)
    names = [run.name for run in databases.runs_inside(path)]
    assert names[:3] == ["net/-..-etc", "net/Base", "net/base-00000000"]
    assert len({name.casefold() for name in names}) == len(names) == 8
    assert all(len(part) <= 160 and part.strip(".") for name in names for part in name.split("/"))


def test_many_runs_are_listed_at_once(tmp_path: Path) -> None:
    """10,000 runs with values; a bound that only a walk over all values would miss by far."""
    path = empty(MLFLOW_SQL, tmp_path / "mlflow.db")
    uuids = [f"{place:032x}" for place in range(10_000)]
    with closing(sqlite3.connect(path)) as connection, connection:
        add_run(connection, "first")
        connection.executemany(
            "INSERT INTO runs (run_uuid, name, status, start_time, lifecycle_stage, experiment_id)"
            " VALUES (?, ?, 'FINISHED', 1, 'active', 1)", [(uuid, f"run-{uuid[-5:]}") for uuid in uuids],
        )  # fmt: skip
        connection.executemany(
            "INSERT INTO metrics VALUES ('loss', ?, 1, ?, ?, 0)", [(s / 3, uuid, s) for uuid in uuids for s in range(3)]
        )
    with at_most(1.5):
        assert len(databases.runs_inside(path, "mlflow")) == 10_001


def test_a_study_is_told_from_a_tracker(tmp_path: Path) -> None:
    """By its tables."""
    assert databases.kind_of(empty(OPTUNA_SQL, tmp_path / "x.db")) == "optuna"
