"""Numbers that vouch for a record and that the store has otherwise by now: the record is shown as stale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from neatd.knowledge import Insight
from neatd.models import Run
from neatd.rules.validity import Source, ValidityFacts, why_stale
from neatd.store import records
from tests.cli_place import Cli
from tests.cost import at_most
from tests.documents_made import keep, opened
from tests.facts_made import NOW, record

LOW = {"run": "r-1", "run_name": "low", "metric": "val/loss", "step": 300, "value": 1.12431}
AT = Source("r-1", "val/loss", 300)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


@pytest.mark.parametrize(
    ("number", "now", "expected"),
    [
        (LOW, {AT: 1.02431}, "low:val/loss@300 is now 1.024, was 1.124"),
        (LOW, {AT: 1.12431}, ""),
        (LOW, {AT: 1.12432}, "low:val/loss@300 is now 1.12432, was 1.12431"),
        (LOW, {AT: None}, "low:val/loss@300 is not there any more, was 1.124"),
        (LOW, {}, ""),
        ({**LOW, "value": "NaN"}, {AT: float("nan")}, ""),
        ({**LOW, "value": "NaN"}, {AT: 1.0}, "low:val/loss@300 is now 1, was nan"),
        ({"experiment": "w-1", "name": "by hand", "metric": "loss", "value": 1.4}, {Source("w-1"): 1.5},
         "by hand:loss is now 1.5, was 1.4"),
        ({"run": "r-1", "status": "finished"}, {AT: 1.0}, ""),
        ({"claim": "low:val/loss"}, {AT: 1.0}, ""),
        ({**LOW, "step": "300"}, {AT: 1.0}, ""),
        ({**LOW, "value": [1]}, {AT: 1.0}, ""),
    ],
)  # fmt: skip
def test_a_number_is_compared_with_what_the_store_has(number: dict[str, Any], now: Any, expected: str) -> None:
    """What was not looked at, and what is no number, is never called stale."""
    one = record(Insight, 1, "x", evidence=(number,))
    assert why_stale(one, ValidityFacts(numbers=now), NOW) == expected


def rewrite(cli: Cli, made: Run, step: int, value: float) -> None:
    """What the store has once it has read a metrics file that was rewritten."""
    with cli.store("points") as points:
        points.execute(
            "UPDATE point SET value = ? WHERE step = ? AND series_id IN (SELECT id FROM series WHERE run_id = ?)",
            (value, step, made.id),
        )
        points.commit()


def test_a_rewritten_metrics_file_makes_its_records_stale(cli: Cli) -> None:
    """In the brief and the handoff; a decision goes to those that may no longer hold. Another run's number stands."""
    low = cli.add_run("runs/low", {"val/loss": [1.3, 1.12431]})
    cli.add_run("runs/high", {"val/loss": [1.3, 1.12431]})
    cli.ok("insight", "low reached 1.124", "--evidence", "low:val/loss@2")
    cli.ok("insight", "high reached 1.124", "--evidence", "high:val/loss@2")
    cli.ok("insight", "low began at 1.3", "--evidence", "low:val/loss@1")
    cli.ok("decide", "stay low", "--evidence", "low:val/loss@2")
    assert "stale" not in cli.ok("brief")
    rewrite(cli, low, 2, 1.02431)
    text, told = cli.ok("brief"), "runs/low:val/loss@2 is now 1.024, was 1.124"
    assert text.count(f"(stale: {told})") == 2 and text.count("stale:") == 2
    assert "stay low" in text.partition("## Decisions that may no longer hold")[2]
    assert cli.ok("handoff").count(f"may no longer hold: {told}") == 2


def test_a_verdict_is_stale_when_its_number_is(cli: Cli) -> None:
    """Though the hypothesis is closed; so is what rests on a recorded experiment whose value was changed."""
    low = cli.add_run("runs/low", {"val/loss": [1.3, 1.12431]})
    cli.ok("insight", "x", "--evidence", "low:val/loss@2")
    numbers = cli.json("list", "insight")[0]["evidence"]
    tried = keep(cli, "experiment", "by hand", metric="val/loss", value=1.4)
    rests = [{"experiment": tried, "name": "by hand", "metric": "val/loss", "value": 1.4}]
    keep(cli, "insight", "by hand it was 1.4", evidence=rests)
    supported = keep(cli, "hypothesis", "low helps")
    with opened(cli) as here:
        records.set_verdict(here.records, supported, "supported", "1.124 at step 2", numbers)
        assert not here.facts().stale
        rewrite(cli, low, 2, 1.02431)
        records.change(here.records, "experiment", tried, {"value": 1.5}, "person")
        stale = here.facts().stale
    assert stale[supported] == "runs/low:val/loss@2 is now 1.024, was 1.124"
    assert "by hand:val/loss is now 1.5, was 1.4" in stale.values() and len(stale) == 3


def test_a_step_that_a_later_attempt_abandoned_is_no_number_any_more(cli: Cli) -> None:
    """A run that began anew has not come to that step yet; a run that was never read here says nothing."""
    low = cli.add_run("runs/low", {"val/loss": [1.3, 1.12431]})
    cli.ok("insight", "low reached 1.124", "--evidence", "low:val/loss@2")
    keep(cli, "insight", "elsewhere it was 1.124", evidence=[{**LOW, "run": "r-of-another-clone"}])
    with cli.store("points") as points:
        points.execute("INSERT INTO attempt VALUES (?, 'metrics.jsonl', 2, 3, 2)", (low.id,))
        points.commit()
    with opened(cli) as here:
        assert list(here.facts().stale.values()) == ["runs/low:val/loss@2 is not there any more, was 1.124"]


@pytest.mark.slow
def test_two_hundred_numbers_of_a_long_series_cost_little(cli: Cli) -> None:
    """A series is gone through once, whatever is asked of it: a hundred thousand points here."""
    low = cli.add_run("runs/low", {"val/loss": [float(n) for n in range(1, 100_001)]})
    numbers = [{**LOW, "run": low.id, "step": n * 500, "value": float(n * 500)} for n in range(1, 201)]
    for start in range(0, 200, 20):
        keep(cli, "insight", f"seen {start}", evidence=numbers[start : start + 20])
    with opened(cli) as here, at_most(1.5):
        assert not here.facts().stale
