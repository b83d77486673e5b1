"""`neat snapshots`: of which run and event, how large, until when."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from neatd.models import Run
from neatd.store import events
from tests.cli_place import Cli
from tests.upkeep_made import schedule, set_up


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys) -> Cli:
    return set_up(Cli(tmp_path, monkeypatch, capsys))


def add_snapshot(cli: Cli, made: Run, step: int, value: float, condition: str = "best", **more: str | int) -> None:
    """A snapshot of an event, done on the first of March."""
    cli.add_event(
        made, "best-loss" if condition == "best" else "spike", step, value, condition=condition, goal="min", then=["snapshot"]
    )  # fmt: skip
    fields = {"status": "done", "mode": "copy", "path": f"snapshots/at_{step}", "size_bytes": 2000}
    with cli.store() as store:
        (waiting,) = events.snapshots(store, status="pending")
        at = datetime(2026, 3, 1, tzinfo=UTC).isoformat()
        events.set_snapshot(store, waiting.id, created_at=at, **(fields | more))


def test_each_says_until_when_it_is_kept(cli: Cli) -> None:
    """The best for ever, what it beat and what is of a spike by the schedule's days; by the run, with sizes."""
    made, other = cli.add_run("runs/a", {"loss": [1.0]}), cli.add_run("runs/b", {"loss": [1.0]})
    add_snapshot(cli, made, 5, 0.5)
    add_snapshot(cli, made, 9, 0.4)
    add_snapshot(cli, made, 7, 50.0, "spike")
    add_snapshot(
        cli, made, 8, 50.0, "spike", mode="pin", path="", size_bytes=0, reason="6 an hour by this rule's budget"
    )
    add_snapshot(cli, made, 10, 50.0, "spike", status="expired")
    add_snapshot(cli, other, 3, 0.9)
    found = {one["step"]: one for one in cli.json("snapshots", "--run", "a")}
    assert set(found) == {5, 7, 8, 9, 10} and {one["run"] for one in found.values()} == {"runs/a"}
    assert found[9]["kept"] == "for ever: the best loss" and found[9]["kept_until"] is None
    assert found[5]["kept"] == "2026-03-31 (beaten since)" and found[7]["kept_until"].startswith("2026-03-31T")
    assert (found[7]["rule"], found[7]["size_bytes"], found[10]["kept"]) == ("spike", 2000, "gone")
    text = cli.ok("snapshots", "--run", "runs/a")
    assert "2.0 kB" in text and "4 here, 6.0 kB" in text and "6 an hour by this rule's budget" in text
    assert "runs/b" not in text and "runs/b" in cli.ok("snapshots")
    schedule(cli, "snapshots: {days: 10}")
    assert {one["step"]: one["kept"] for one in cli.json("snapshots")}[7] == "2026-03-11"
    schedule(cli, "snapshots: {enabled: false}")
    assert {one["step"]: one["kept"] for one in cli.json("snapshots")}[7] == "no schedule lets it go"
