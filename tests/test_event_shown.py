"""`neat show` of an event: what a person reads of it, and that no line is wider than the terminal."""

from __future__ import annotations

import pytest

from neatd.store import events
from tests.cli_place import Cli
from tests.upkeep_made import set_up

AGAINST = {
    "run": "r-1", "name": "runs/good", "parameters": {"lr": [0.1, 0.25], "model.width": [64, None]}, "more_parameters": 2,
    "commits": ["a", "b"], "code": "2 files, +3 -1: train.py, model.py", "uncommitted": ["src/a.py", "src/b.py"],
}  # fmt: skip
EXAMPLES = [
    {"step": 70, "id": "q1", "loss": 2.03125, "expected": "4", "answer": "five " * 100},
    {"step": 60, "id": "q2", "loss": "NaN", "expected": "7", "answer": "\x1b[31mseven"},
]


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys) -> Cli:
    return set_up(Cli(tmp_path, monkeypatch, capsys))


def shown(cli: Cli, width: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """An event with everything that one can have, as a terminal of this width shows it."""
    monkeypatch.setenv("COLUMNS", str(width))
    made = cli.add_run("runs/a", {"loss": [1.0]})
    window = [(step, 2 + step / 1000) for step in range(1, 74)] + [(74, float("nan"))]
    details = {"examples": EXAMPLES, "against": AGAINST, "beyond": 3, "nested": {"a": [1, 2], "b": "x" * 300}}
    cli.add_event(
        made, "spike", 75, 9.0, score=12.5, threshold=2.31, window=window, then=["snapshot"], details=details,
        message="train/loss 9 at step 75: " + "far above its own recent history, " * 9,
    )  # fmt: skip
    with cli.store() as store:
        (event,) = events.events(store)
        events.add_details(
            store, event.id, {"episode": {"start_step": 75, "end_step": 80, "peak": 9.5, "peak_step": 76, "points": 4}}
        )
    return cli.ok("show", event.id)


@pytest.mark.parametrize("width", [60, 100, 160])
def test_no_line_is_wider_than_the_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """Nor is anything printed as Python writes it, or a window point by point."""
    text = shown(cli, width, monkeypatch)
    assert max(map(len, text.splitlines())) <= width and len(text.splitlines()) < 80
    assert "\x1b" not in text and "{" not in text and "[" not in text.replace("[31mseven", "")


def test_an_event_is_told_in_tables_and_lists(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers beside those of the points before it, the examples, and each difference on a line; JSON is as it was."""
    text = shown(cli, 140, monkeypatch)
    plain = " ".join(text.split())
    assert "value score threshold the 74 points before their median" in plain
    assert "9 12.5 2.31 2.001 to 2.073 2.037" in plain and "last points: 2.065 at 65, " in text
    assert "step id loss expected answer" in plain and "70 q1 2.031 4 five five" in plain
    for line in (
        "parameters",
        "  lr 0.1 -> 0.25",
        "  model.width 64 -> None",
        "  and 2 more",
        "uncommitted",
        "  src/a.py",
    ):
        assert f"\n    {line}\n" in text
    assert "  episode: steps 75-80, peak 9.5 at 76\n" in text and "  beyond: 3\n" in text
    assert "spike, warning: runs/a at step 75 of 2026-" in text and "  snapshot: pending; `neat show " in text
    found = cli.json("show", cli.json("events")[0]["id"])
    assert found["details"]["against"] == AGAINST and len(found["details"]["window"]) == 74
    assert found["details"]["window"][-1] == [74, "NaN"]


def test_an_event_of_no_run_is_shown(cli: Cli) -> None:
    """What went wrong with no project in particular."""
    with cli.store() as store:
        events.add_mishap(store, "rules-broken", "a.yaml:3: metrics: nothing", "k")
        (event,) = events.events(store)
    text = cli.ok("show", event.id)
    assert "rules-broken, warning: 20" in text and "a.yaml:3: metrics: nothing" in text
