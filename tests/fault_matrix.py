"""What a store has to hold whatever happened to files and daemons: the values of the files, once each, in their order, and
series numbers that follow from them. Read through the functions that the commands use, from the files of the store."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from neatd.store import points, window
from neatd.store.opening import connect
from tests.conftest import Neat, until

Row = tuple[object, ...]
SAMPLED = "system"  # the stream of what neat samples of a process that it found: no file's values
NOTHING: tuple[str, str, list[int]] = ("", "", [])


@contextmanager
def stores(home: Path) -> Iterator[tuple[sqlite3.Connection, sqlite3.Connection]]:
    """(records, points) of a home, open."""
    with closing(connect(home, "neat")) as records, closing(connect(home, "points")) as series:
        yield records, series


def run_ids(records: sqlite3.Connection) -> dict[str, str]:
    """Folder -> id of each run."""
    return {row[0]: row[1] for row in records.execute("SELECT folder, id FROM run")}


def plain(number: Any) -> Any:
    """A number as it can be compared: NaN equals itself."""
    return "nan" if isinstance(number, float) and math.isnan(number) else number


def numbers(found: Iterable[tuple[int, float]]) -> dict[str, object]:
    """What a series' row has to say, from its points: first and last, the first of the extremes, how many are not finite."""
    every = list(found)
    finite = [(value, step) for step, value in every if math.isfinite(value)]
    low, high = min(finite, key=lambda one: one[0], default=None), max(finite, key=lambda one: one[0], default=None)
    last = every[-1][1]
    return {
        "points": len(every), "first_step": every[0][0], "last_step": every[-1][0],
        "last": None if math.isnan(last) else last, "nonfinite": len(every) - len(finite),
        "min": low and low[0], "min_step": low and low[1], "max": high and high[0], "max_step": high and high[1],
    }  # fmt: skip


def check(home: Path, run: str, expected: Mapping[str, Iterable[tuple[int, float]]]) -> None:
    """Every series of a run value by value and in its numbers; no series more and none less."""
    with stores(home) as (records, series):
        run_id = run_ids(records)[run]
        facts = {one.name: one for one in points.series_of(series, run_id) if one.source != SAMPLED}
        assert set(facts) == set(expected), run
        for name, found in _values(series, run_id, expected).items():
            wanted = list(expected[name])
            assert [(step, plain(value)) for step, value in found] == [
                (step, plain(value)) for step, value in wanted
            ], f"{run} {name}"
            ought = numbers(wanted)
            assert {key: getattr(facts[name], key) for key in ought} == ought, f"{run} {name}"


def _values(series: sqlite3.Connection, run_id: str, names: Iterable[str]) -> dict[str, list[tuple[int, float]]]:
    """Series -> its current points; of very many, all of a stream at once."""
    if len(wanted := list(names)) < 1000:
        return {name: [(step, value) for step, value, _ in window.points_of(series, run_id, name)] for name in wanted}
    (stream,) = {
        row[0] for row in series.execute("SELECT source FROM series WHERE run_id = ? AND source != 'system'", (run_id,))
    }
    every = window.between(series, run_id, stream, 0, 1 << 60)
    return {name: [(one.step, one.value) for one in found] for name, found in every}


def check_shown(neat: Neat, run: str, expected: Mapping[str, Iterable[tuple[int, float]]]) -> None:
    """The same as `neat series --json` prints it."""
    words = {"nan": "NaN", math.inf: "Infinity", -math.inf: "-Infinity"}
    for name, wanted in expected.items():
        ought = [(step, words.get(plain(value), value)) for step, value in wanted]
        assert neat.values(run, name) == ought, f"{run} {name}"


def count(home: Path, run: str) -> int:
    """How many points of current attempts a run has; -1 while it is not known. Cheap: asked many times a second."""
    try:
        with (
            closing(sqlite3.connect(f"file:{home / 'neat.db'}?mode=ro", uri=True)) as records,
            closing(sqlite3.connect(f"file:{home / 'points.db'}?mode=ro", uri=True)) as series,
        ):
            run_id = run_ids(records).get(run)
            sql = "SELECT coalesce(sum(points), 0) FROM series WHERE run_id = ? AND source != 'system'"
            return -1 if run_id is None else int(series.execute(sql, (run_id,)).fetchone()[0])
    except sqlite3.OperationalError:
        return -1


def wait_for(neat: Neat, run: str, expected: Mapping[str, Iterable[tuple[int, float]]], wait_s: float = 60.0) -> None:
    """Until a run has as many points as it ought to have; then they are compared one by one."""
    total = sum(len(list(one)) for one in expected.values())
    until(lambda: count(neat.home, run) == total, f"{total} points of {run}", wait_s)
    check(neat.home, run, expected)


def unread(home: Path, run: str, size: int) -> int:
    """How many bytes of the only file of a run, which has `size`, are not read yet."""
    with stores(home) as (records, series):
        sql = 'SELECT "offset" FROM reading WHERE run_id = ?'
        row = series.execute(sql, (run_ids(records).get(run, ""),)).fetchone()
        return size - (row[0] if row else 0)


def kept_as(home: Path) -> dict[str, set[str]]:
    """Run -> the tables that hold points of it."""
    with stores(home) as (records, series):
        sql = "SELECT 1 FROM {} p JOIN series s ON s.id = p.series_id WHERE s.run_id = ? LIMIT 1"
        return {
            run: {table for table in ("point", "chunk") if series.execute(sql.format(table), (run_id,)).fetchone()}
            for run, run_id in run_ids(records).items()
        }


# ---- a killed daemon's store beside an unkilled one's ----


def is_all_judged(home: Path) -> bool:
    """Whether every row that was read of a stream with rules is judged."""
    with stores(home) as (records, series):
        ends = (
            "SELECT run_id, stream, reading_id, max(seq) FROM reading WHERE stream != 'system' GROUP BY run_id, stream"
        )
        sql = "SELECT run_id, source, reading_id, seq FROM judging"
        judged = {(row[0], row[1], row[2]): row[3] for row in records.execute(sql)}
        return all(judged.get((row[0], row[1], row[2]), 0) >= row[3] for row in series.execute(ends))


def contents(home: Path) -> dict[str, dict[str, list[Row]]]:
    """Run -> every point, number, attempt, event and detector's state, without what hangs on the clock and random ids.

    Ordinals are left out: a file that is written anew is counted on from where it stood. An event of a line without a time
    of its own (those here are of 2023) began when the file was written.
    """
    with stores(home) as (records, series):
        return {run: _contents_of(records, series, run_id) for run, run_id in run_ids(records).items()}


def compare(found: dict[str, dict[str, list[Row]]], expected: dict[str, dict[str, list[Row]]]) -> None:
    """Two stores' `contents`, run by run."""
    assert set(found) == set(expected)
    for run, parts in expected.items():
        for what, rows in parts.items():
            assert found[run][what] == rows, f"{what} of {run}"


def _contents_of(records: sqlite3.Connection, series: sqlite3.Connection, run_id: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {"points": []}
    sql = "SELECT id, source, name FROM series WHERE run_id = ? AND source != 'system' ORDER BY source, name"
    named = series.execute(
        "SELECT id, source, name FROM series WHERE run_id = ? AND source != 'system' ORDER BY source, name", (run_id,)
    )
    for series_id, source, name in named.fetchall():
        for one in window.stored(series, series_id, NOTHING):
            found["points"].append((source, name, one.attempt, one.step, plain(one.value), one.time))
    for what, (database, sql) in _QUESTIONS.items():
        connection = series if database == "points" else records
        found[what] = [tuple(row) for row in connection.execute(sql, (run_id,))]
    found["state"] = [
        (source, json.dumps(json.loads(state), sort_keys=True))
        for source, state in records.execute(
            "SELECT source, state FROM judging WHERE run_id = ? AND source != 'system' ORDER BY source", (run_id,)
        )
    ]
    return found


_QUESTIONS = {
    "series": (
        "points",
        "SELECT source, name, points, first_step, last_step, last, min, min_step, max, max_step, nonfinite, newest_step"
        " FROM series WHERE run_id = ? AND source != 'system' ORDER BY source, name",
    ),
    "attempts": ("points", "SELECT source, attempt, from_step FROM attempt WHERE run_id = ? ORDER BY source, attempt"),
    "events": (
        "neat",
        "SELECT rule, metric, step, CASE WHEN started_at < '2025' THEN started_at END, severity, value, score,"
        " threshold, message, details FROM event"
        " WHERE run_id = ? AND metric != '' ORDER BY rule, metric, step, message",
    ),
    "snapshots": ("neat", "SELECT count(*) FROM snapshot WHERE run_id = ?"),
}
