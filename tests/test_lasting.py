"""How long the snapshots of best values stay: the best for ever, those it beat as any other, no more than the budget."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neatd.models import Snapshot, Verdict
from neatd.pipeline import acting
from neatd.pipeline.lasting import lasting, release_beaten, standing
from neatd.pipeline.undoing import undo_asked
from neatd.rules.judge import Judge
from neatd.rules.load import load_rule
from neatd.store import checkpoints, events
from neatd.store.connection import transaction
from tests.retention_day import Day, Trainer, day
from tests.test_vault import Run


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Day]:
    with day(tmp_path, 1, [Trainer("a", 1, 100, "file")]) as found:
        yield found


def best(run: Run, step: int, value: float, **more: Any) -> None:
    """An evaluation that is the best so far, and its snapshot."""
    fields = {
        "rule": "best-loss", "condition": "best", "metric": "val/loss", "seq": step, "attempt": 1, "step": step,
        "value": value, "goal": "min", "time": run.made.now().timestamp(), "message": "best", "then": ("snapshot",),
        "snapshots_per_hour": 3,
    }  # fmt: skip
    verdict = Verdict.model_validate(fields | more)
    with transaction(run.made.records):
        events.write_judging(run.made.records, run.live.run, "m.jsonl", "made", step, {}, [verdict], run.made.now())
    acting.take_snapshots(run.made.scene)


def falling(made: Day, count: int, **more: Any) -> Run:
    """A run whose every evaluation is better by a tenth."""
    run = Run(made, keeps=100)
    for number in range(1, count + 1):
        run.save(0.9**number)
        best(run, number * 100, 0.9**number, **more)
    return run


def all_of(run: Run) -> list[Snapshot]:
    """The oldest first."""
    return list(reversed(events.snapshots(run.made.records, run_id=run.live.run.id)))


def steps_there(run: Run) -> list[int]:
    """The steps whose checkpoints lie in a snapshot."""
    return sorted(int(path.stem.removeprefix("step_")) for path in run.folder.glob("snapshots/anomaly_*/*.pt"))


def test_of_a_falling_run_a_few_snapshots_are_left_and_the_best_is_one(made: Day) -> None:
    """Within the hour each better one takes the place of the one before; what it replaced can come back."""
    run = falling(made, 8)
    assert steps_there(run) == [100, 200, 800]
    assert [one.status for one in all_of(run)] == ["done"] * 2 + ["expired"] * 5 + ["done"]
    assert standing(made.records, run.live.run.id) == {all_of(run)[-1].id}
    pinned = checkpoints.pins(made.records, run.live.run.id)
    assert {one.step for one in checkpoints.catalogue(made.records, run.live.run.id) if one.id in pinned} == {
        100,
        200,
        800,
    }
    assert undo_asked(made.records, None, {"all": True})["restored"] == 5
    assert steps_there(run) == list(range(100, 900, 100))


def test_a_rule_may_keep_what_was_beaten(made: Day) -> None:
    """Then all within its budget stay for ever, and beyond it the checkpoints are protected in place."""
    run = falling(made, 5, details={"keep_beaten": True})
    assert steps_there(run) == [100, 200, 300] and [one.mode for one in all_of(run)[3:]] == ["pin", "pin"]
    assert standing(made.records, run.live.run.id) == {one.id for one in all_of(run)}


def test_only_the_best_stays_for_ever(made: Day) -> None:
    """By each rule and metric; one that was beaten has a date, also when what beat it is of an abandoned attempt."""
    run = falling(made, 2)
    best(run, 200, 0.7, metric="val/acc", goal="max", rule="best-score")
    best(run, 200, 0.85, attempt=2)  # after a restart: better than its own attempt, and than no other
    stays = standing(made.records, run.live.run.id)
    found = [
        lasting(made.records, one, events.get_event(made.records, one.event_id), stays, 30.0) for one in all_of(run)
    ]
    assert [one.until is None for one in found] == [False, True, True, False]
    assert found[1].said == "for ever: the best val/loss" and found[2].said == "for ever: the best val/acc"
    assert found[0].said.endswith("(beaten since)")
    best(run, 200, 0.1, snapshots_per_hour=6)
    assert standing(made.records, run.live.run.id) == {all_of(run)[2].id, all_of(run)[4].id}


def test_what_lost_its_checkpoint_is_no_best(made: Day) -> None:
    """A protected checkpoint that the trainer removed beats no copy that is there."""
    run = falling(made, 1)
    file = run.save(0.5)
    best(run, 200, 0.5, snapshots_per_hour=0)
    assert all_of(run)[1].mode == "pin"
    assert standing(made.records, run.live.run.id) == {all_of(run)[1].id}
    file.unlink()
    run.look()
    assert standing(made.records, run.live.run.id) == {all_of(run)[0].id}


def test_a_beaten_best_is_no_longer_protected_in_place(made: Day) -> None:
    """What only the budget left in place goes by the policy when a better one is there."""
    run = falling(made, 2, snapshots_per_hour=0)
    first, second = all_of(run)
    assert (first.status, first.reason, second.status, second.mode) == ("expired", "beaten since", "done", "pin")
    release_beaten(made.records, run.live.run.id)
    assert all_of(run)[1].status == "done"
    run.save(0.3)
    best(run, 300, 0.3)
    assert [one.status for one in all_of(run)] == ["expired", "expired", "done"]


def test_a_rule_file_says_whether_beaten_ones_stay(tmp_path: Path) -> None:
    """`budget: {keep_beaten: true}` reaches the event; without it nothing is written."""
    text = "rule: b\nmetrics: [loss]\nwhen: {condition: best, goal: min, min_points: 1}\nthen: [snapshot]\n"
    told = []
    for more in ("", "budget: {keep_beaten: true}\n"):
        (tmp_path / "b.yaml").write_text(text + more)
        judge = Judge([load_rule(tmp_path / "b.yaml")])
        for step, value in enumerate((3.0, 2.0), 1):
            told += judge.feed("loss", _sample(step, value))
    assert [one.details for one in told] == [{}, {"keep_beaten": True}]


def _sample(step: int, value: float) -> Any:
    from neatd.models import Sample

    return Sample(step, 1, step, value, None)
