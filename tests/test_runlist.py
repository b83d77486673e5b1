"""The page's list of runs in the orders that points.db knows: of all runs, by step, by the last and by the best value."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from neatd.pipeline.firstseries import Primary
from neatd.pipeline.runlist import run_list
from neatd.store.opening import connect
from neatd.store.short import new_id
from tests.store_rows import PROJECT, add_run, open_store
from tests.stores_made import put_store

# Run -> series -> (last, lowest, highest, last step); None is NaN.
SERIES = {
    "a": {"val/loss": (0.5, 0.3, 2.0, 10)},
    "b": {"val/loss": (0.4, 0.4, 2.0, 30), "lr": (9.0, 9.0, 9.0, 30)},
    "c": {"val/loss": (None, 0.2, 2.0, 20)},
    "d": {"accuracy": (0.7, 0.1, 0.9, 5)},
    "e": {"accuracy": (0.8, 0.1, 0.8, 7), "system/rss_bytes": (1e9, 1e9, 1e9, 7)},
    "f": {},
}
Stores = tuple[sqlite3.Connection, sqlite3.Connection]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """Six runs; one of them has critical events. Tests only read them."""
    home = tmp_path_factory.mktemp("list")
    records = open_store(home)
    put_store(home, "points")
    points = connect(home, "points")
    for name, series in SERIES.items():
        run = add_run(records, name)
        for metric, (last, low, high, step) in series.items():
            points.execute(
                "INSERT INTO series (run_id, source, name, points, last_step, last, min, min_step, max, max_step)"
                " VALUES (?, ?, ?, 9, ?, ?, ?, 1, ?, 2)",
                (run.id, "system" if metric.startswith("system/") else "metrics.jsonl", metric, step, last, low, high),
            )
        for severity, at in (("critical", 3), ("warning", 4)) if name == "c" else ():
            records.execute(
                "INSERT INTO event (id, project_id, run_id, rule, step, started_at, created_at, severity, dedupe)"
                " VALUES (?, ?, ?, 'non-finite', ?, '2026', '2026', ?, ?)",
                (new_id("event"), PROJECT, run.id, at, severity, str(at)),
            )
    yield records, points
    records.close()
    points.close()


def listed(stores: Stores, order: str, primary: Primary = None, most: int = 9, offset: int = 0, part: str = "") -> str:
    rows, total = run_list(*stores, lambda _: primary, PROJECT, part, order, most, offset)
    assert total == (len(SERIES) if not part else 1)
    return "".join(one["name"] for one in rows)


@pytest.mark.parametrize(
    ("order", "primary", "expected"),
    [
        ("step", None, "deacbf"), ("-step", None, "bcaedf"),
        ("value", None, "badefc"), ("-value", None, "abedfc"),  # NaN and nothing are last, the newest of them first
        ("best", None, "cabdef"), ("-best", None, "bacedf"), ("best", ("val/loss", "max"), "cbadef"),
        ("best", ("lr", "min"), "decabf"),
    ],
)  # fmt: skip
def test_runs_are_ordered_by_what_is_shown_of_them(stores: Stores, order: str, primary: Primary, expected: str) -> None:
    """The best one first by the metric's goal; of several metrics the one of most runs first; the same page by page."""
    assert listed(stores, order, primary) == expected
    assert listed(stores, order, primary, 4) + listed(stores, order, primary, 4, 4) == expected
    assert listed(stores, order, primary, part="name:d") == "d"


def test_a_run_tells_its_best_value_and_its_gravest_event(stores: Stores) -> None:
    """Beside the last value, which is NaN here; a run without events tells none."""
    rows, _ = run_list(*stores, lambda _: ("val/loss", "min"), PROJECT)
    found = {one["name"]: one for one in rows}
    assert found["c"]["primary"] | {"value": None} == {
        "name": "val/loss", "value": None, "step": 20, "goal": "min", "best": 0.2, "best_step": 1,
    }  # fmt: skip
    assert (found["c"]["anomalies"], found["c"]["gravest"]) == (2, "critical non-finite at step 3")
    assert (found["a"]["anomalies"], found["a"]["gravest"], found["f"]["primary"]) == (0, "", None)
    assert found["d"]["primary"]["best"] == 0.9 and found["b"]["primary"]["name"] == "val/loss"
