"""Old runs thinned: the extremes, the ends and what is cited stay; evaluations and the numbers of series never change."""

from __future__ import annotations

import itertools
import json
import math
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neatd.config import Settings
from neatd.daemon import Daemon
from neatd.models import AttemptStart, Cursor, GitState, Line
from neatd.store import checkpoints, points, runs, sealing, tails, thinning, window
from neatd.store.connection import transaction
from neatd.store.opening import connect
from neatd.store.resolution import at_resolution
from neatd.store.staying import is_evaluation_like, staying
from neatd.store.thinning import Position, compact
from tests.store_rows import AT, PROJECT, open_store
from tests.stores_made import put_store

SOURCE = "metrics.jsonl"
FOLDERS = (f"runs/{number}" for number in itertools.count())
LATE = AT + timedelta(days=100)
VALUES = st.one_of(st.floats(-9, 9), st.sampled_from([math.nan, math.inf, -math.inf]))


class Stores(NamedTuple):
    records: sqlite3.Connection
    points: sqlite3.Connection


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    home = tmp_path_factory.mktemp("home")
    made = Stores(open_store(home), connect(home, "points"))
    for one in made:
        one.execute("PRAGMA synchronous = OFF")
    yield made
    for one in made:
        one.close()


def ended(stores: Stores, at: datetime = AT, status: str = "finished") -> str:
    """A run that ended then."""
    run = runs.ensure_run(stores.records, PROJECT, "/project", next(FOLDERS), GitState(), at)
    runs.set_run(stores.records, run.id, status=status, ended_at=at)
    return run.id


def fill(stores: Stores, run: str, values: list[float], restart: int | None = None, **more: list[float]) -> None:
    """A point a step of `loss` and other series, each from step 1 on; from line `restart` on 30 steps are gone over anew."""
    every = {"loss": values, **more}
    starts = []
    lines = [
        Line(seq, 1, seq, 1e9 + seq, {name: some[seq - 1] for name, some in every.items() if seq <= len(some)})
        for seq in range(1, len(values) + 1)
    ]
    if restart is not None:
        again = max(1, restart - 30)
        starts = [AttemptStart(2, restart, again)]
        lines[restart - 1 :] = [one._replace(attempt=2, step=again + one.seq - restart) for one in lines[restart - 1 :]]
    points.commit_lines(stores.points, run, SOURCE, Cursor(seq=len(values)), lines, starts, 1.0)


def thin(stores: Stores, days: float = 90.0) -> int:
    return compact(stores.points, stores.records, LATE, days, 60.0)


def wave(count: int) -> list[float]:
    return [math.sin(step / 40) + (step * 7919 % 101) / 500 for step in range(1, count + 1)]


def facts(stores: Stores, run: str) -> str:
    return repr(points.series_of(stores.points, run))


def extremes(rows: list[tuple[int, float, float | None]]) -> tuple[object, ...]:
    finite = [row for row in rows if math.isfinite(row[1])]
    low, high = min(finite, key=lambda row: row[1], default=None), max(finite, key=lambda row: row[1], default=None)
    return repr(rows[:1]), repr(rows[-1:]), low, high, [repr(row) for row in rows if not math.isfinite(row[1])]


def test_a_long_old_series_keeps_its_extremes_and_its_numbers(stores: Stores) -> None:
    """Thirty times fewer points; ends, lowest, highest and every NaN are the same ones, at each resolution and as a whole."""
    run, values = ended(stores), wave(20_000)
    values[7_000], values[12_345], values[15_000] = 50.0, math.nan, -50.0
    fill(stores, run, values)
    before, numbers = window.points_of(stores.points, run, "loss"), facts(stores, run)
    drawn = {most: at_resolution(stores.points, run, "loss", most) for most in (50, 300)}
    gone = thin(stores)
    after = window.points_of(stores.points, run, "loss")
    assert len(before) - len(after) == gone > 19_000
    assert set(map(repr, after)) <= set(map(repr, before)) and extremes(after) == extremes(before)
    assert facts(stores, run) == numbers
    for most, rows in drawn.items():
        assert extremes(at_resolution(stores.points, run, "loss", most)) == extremes(rows)
    kept, total = stores.points.execute(
        "SELECT sum(c.kept), sum(c.points) FROM chunk c JOIN series s ON s.id = c.series_id WHERE s.run_id = ?", (run,)
    ).fetchone()
    assert (kept, total) == (len(after), 20_000)
    assert tails.tail(stores.points, run, "loss", 3)[-1] == before[-1]
    assert thin(stores) == 0


@pytest.mark.slow
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(VALUES, min_size=100, max_size=1500), block=st.integers(260, 600), most=st.integers(8, 80),
    restart=st.none() | st.integers(50, 1500),
)  # fmt: skip
def test_every_window_function_gives_the_same_extremes(
    stores: Stores, values: list[float], block: int, most: int, restart: int | None
) -> None:
    """With restarts and values that are not finite, in chunks of any size: whole and at a resolution."""
    run = ended(stores)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "MOST_SEALED", block)
        patch.setattr(points, "LEAST_SEALED", 40)
        patch.setattr(thinning, "MANY", 10)
        fill(stores, run, values, restart if restart is not None and restart <= len(values) else None)
        whole, numbers = window.points_of(stores.points, run, "loss"), facts(stores, run)
        drawn = at_resolution(stores.points, run, "loss", most)
        thin(stores)
        left = window.points_of(stores.points, run, "loss")
    assert facts(stores, run) == numbers
    assert set(map(repr, left)) <= set(map(repr, whole)) and extremes(left) == extremes(whole)
    again = at_resolution(stores.points, run, "loss", most)
    assert extremes(again)[:2] == extremes(drawn)[:2]
    for pick in (min, max):
        values_of = [[value for _, value, _ in rows if math.isfinite(value)] for rows in (again, drawn)]
        assert pick(values_of[0], default=None) == pick(values_of[1], default=None)


@pytest.mark.slow
@pytest.mark.parametrize("most_data", [1, 60_000, 10**9], ids=["a row each", "some together", "all together"])
def test_thinning_one_column_leaves_those_that_lie_with_it(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, most_data: int
) -> None:
    """A column in the middle goes out of the bytes of its block; the others are read as before, wherever they lie."""
    monkeypatch.setattr(sealing, "MOST_DATA", most_data)
    run, names = ended(stores), ("val/a", "train/b", "val/c")
    more = {name: [one * number for one in wave(9_000)] for number, name in enumerate(names, start=2)}
    fill(stores, run, wave(9_000), **more)
    before = {name: repr(window.points_of(stores.points, run, name)) for name in names}
    drawn = at_resolution(stores.points, run, "val/c", 200)
    assert thin(stores) > 16_000
    for name in ("val/a", "val/c"):
        assert repr(window.points_of(stores.points, run, name)) == before[name]
    assert at_resolution(stores.points, run, "val/c", 200) == drawn
    for name in ("loss", "train/b"):
        assert 200 < len(window.points_of(stores.points, run, name)) < 700
    data = "SELECT sum(length(data)) FROM block WHERE id IN (SELECT data_id FROM chunk c JOIN series s ON s.id = c.series_id"
    sizes = "SELECT sum(size) FROM chunk c JOIN series s ON s.id = c.series_id WHERE s.run_id = ?"
    held = stores.points.execute(f"{data} WHERE s.run_id = ?)", (run,)).fetchone()[0]
    assert held == stores.points.execute(sizes, (run,)).fetchone()[0]


def test_evaluations_short_series_and_young_runs_stay_whole(stores: Stores) -> None:
    """By name, by being rare, by being short; a run that goes on or ended lately; and with 0 days nothing is old."""
    count = 6_000
    run = ended(stores)
    fill(stores, run, wave(count), **{"val/loss": wave(count), "train/accuracy": wave(count), "lr": wave(4_000)})
    young, on = ended(stores, LATE - timedelta(days=89)), ended(stores, status="running")
    for one in (young, on):
        fill(stores, one, wave(count))
    assert thin(stores, 0) == 0
    assert thin(stores) > 0
    left = {
        name: len(window.points_of(stores.points, run, name)) for name in ("loss", "val/loss", "train/accuracy", "lr")
    }
    assert left.pop("loss") < 400 and left == {"val/loss": count, "train/accuracy": count, "lr": 4_000}
    assert [len(window.points_of(stores.points, one, "loss")) for one in (young, on)] == [count, count]


def test_names_and_numbers_tell_what_may_be_an_evaluation() -> None:
    """In doubt it is one; the machine's series never are."""
    for name in (
        "val/loss",
        "valid_loss",
        "eval/x",
        "a/test/y",
        "train/acc",
        "acc",
        "mIoU",
        "dev/ppl",
        "bleu",
        "x/score",
    ):
        assert is_evaluation_like(name, 10_000, 10_000), name
    for name in ("train/loss", "loss", "value_loss", "lr", "grad_norm", "step_time", "interval_s"):
        assert not is_evaluation_like(name, 10_000, 10_000), name
    assert is_evaluation_like("loss", 999, 10_000) and not is_evaluation_like("loss", 1_000, 10_000)
    assert not is_evaluation_like("system/rss_bytes", 5, 10_000)


def test_what_is_cited_stays(stores: Stores) -> None:
    """The last point up to a checkpoint, an event's, and the number that a record has as its evidence."""
    run = ended(stores)
    fill(stores, run, [float(step) for step in range(1, 6_001)])  # rising: of 64 only the ends stay
    checkpoints.add_save(stores.records, run, "c/step_001030.pt", 1030, (1, 1, 1), False, AT)
    cited = json.dumps([{"run": run, "metric": "loss", "step": 2040, "value": 2040.0}])
    with transaction(stores.records):
        stores.records.execute(
            "INSERT INTO event (id, run_id, rule, metric, step, started_at, created_at, severity, dedupe)"
            " VALUES (?, ?, 'spike', 'loss', 3050, '', '', 'warning', ?)", (f"e-{run}", run, run),
        )  # fmt: skip
        stores.records.execute(
            "INSERT INTO note (id, project_id, title, evidence, created_at, updated_at) VALUES (?, ?, 't', ?, '', '')",
            (f"n-{run}", PROJECT, cited),
        )
    assert thin(stores) > 5_000
    left = {step for step, _, _ in window.points_of(stores.points, run, "loss")}
    assert {1030, 2040, 3050} <= left and not {1031, 2041, 3051} & left


def test_a_call_ends_with_its_time_and_the_next_goes_on(stores: Stores) -> None:
    """Each does a little; no run is forgotten, and none is done twice."""
    made = [ended(stores, AT + timedelta(seconds=number)) for number in range(4)]
    for run in made:
        fill(stores, run, wave(20_000))
    place, calls, gone = Position(), 0, 0
    while place.has_more or calls == 0:
        gone += compact(stores.points, stores.records, LATE, 90, 0.003, place)
        calls += 1
    assert calls > 3 and gone > 4 * 19_000
    assert {len(window.points_of(stores.points, run, "loss")) < 700 for run in made} == {True}
    assert thin(stores) == 0


def test_the_file_does_not_grow_by_what_was_thinned(stores: Stores) -> None:
    """No block is left over, and its pages are free for new points."""
    run = ended(stores)
    fill(stores, run, wave(20_000), **{"grad": wave(20_000)})
    free = "PRAGMA freelist_count"
    before = stores.points.execute(free).fetchone()[0]
    thin(stores)
    assert stores.points.execute(free).fetchone()[0] > before + 20
    unused = "SELECT count(*) FROM block WHERE id NOT IN (SELECT block_id FROM chunk UNION SELECT data_id FROM chunk)"
    assert stores.points.execute(unused).fetchone()[0] == 0


def test_a_series_of_nothing_finite_is_left_alone(stores: Stores) -> None:
    """It would not get smaller, and is not looked at again and again."""
    run = ended(stores)
    fill(stores, run, [math.nan] * 6_000)
    assert thin(stores) == 0 and len(window.points_of(stores.points, run, "loss")) == 6_000


def test_abandoned_points_hide_no_extreme_of_the_current_ones() -> None:
    """Of a stretch that a restart cuts, the lowest current point stays although an abandoned one is lower."""
    values = [0.0, 5.0, 4.0, 6.0, -9.0, 9.0, 1.0]
    assert staying(range(1, 8), values, below=4, marks=[]) == [0, 1, 2, 3, 4, 5, 6]
    long = [float(n % 50) for n in range(128)]
    stay = staying(range(1, 129), long, below=40, marks=[20])
    assert {0, 38, 19} <= set(stay) and 20 not in stay


def test_ninety_days_are_the_setting() -> None:
    """Which a person may change, or switch off by 0."""
    assert Settings().compact_after_days == 90 and Settings(compact_after_days=0).compact_after_days == 0


def old_run_of_a_daemon(home: Path) -> str:
    """The store of a home with a long run that ended in January; returns the run."""
    put_store(home, "points")
    with closing(open_store(home)) as records, closing(connect(home, "points")) as numbers:
        made = Stores(records, numbers)
        run = ended(made)
        fill(made, run, wave(20_000))
    return run


@pytest.fixture
def made_daemons() -> Iterator[list[Daemon]]:
    """What a test makes of them is closed after it."""
    made: list[Daemon] = []
    yield made
    for one in made:
        one.page.close()
        one.door.close()
        one.scene.records.close()
        one.scene.points.close()


def left_of(daemon: Daemon, run: str) -> int:
    return len(window.points_of(daemon.scene.points, run, "loss"))


@pytest.mark.parametrize(("days", "is_thinned"), [(1, True), (0, False)])
def test_the_daemon_thins_what_is_old_and_goes_on_until_it_is_done(
    tmp_path: Path, made_daemons: list[Daemon], days: int, is_thinned: bool
) -> None:  # fmt: skip
    """Each time a moment, later the longer it took; not at all when the setting says 0."""
    run = old_run_of_a_daemon(tmp_path)
    (tmp_path / "settings.yaml").write_text(f"compact_after_days: {days}\n")
    made_daemons.append(daemon := Daemon(tmp_path))
    daemon.next_compact = 0.0
    while daemon.next_compact < math.inf:
        before = time.monotonic()
        daemon._compact()
        assert daemon.next_compact > before
    assert (left_of(daemon, run) < 700) == is_thinned


def test_a_broken_chunk_is_an_event_and_ends_no_daemon(tmp_path: Path, made_daemons: list[Daemon]) -> None:
    """It is told, and tried again an hour later."""
    run = old_run_of_a_daemon(tmp_path)
    (tmp_path / "settings.yaml").write_text("compact_after_days: 1\n")
    made_daemons.append(daemon := Daemon(tmp_path))
    daemon.scene.points.execute("UPDATE block SET data = x'66'")
    daemon.loop._guard("old points", daemon._compact)
    told = daemon.scene.records.execute("SELECT message FROM event").fetchone()[0]
    assert "old points" in told and daemon.next_compact == math.inf
    kept = "SELECT sum(c.kept) FROM chunk c JOIN series s ON s.id = c.series_id WHERE s.run_id = ?"
    assert daemon.scene.points.execute(kept, (run,)).fetchone()[0] == 20_000
