"""Each family of trainers' output: which rows its lines are, at which steps, with which values, and what it tells."""

from __future__ import annotations

from typing import Any

import pytest

from neatd.read.formats.textlog import feed, looks_like_training
from neatd.read.rows import Fed
from tests.textlog_families import FAMILIES, Rows


def read(text: str) -> Fed:
    return feed(text.encode(), {}, 0, "")


def test_there_are_a_hundred_lines() -> None:
    """Of thirty families."""
    assert sum(text.strip().count("\n") + 1 for text, _ in FAMILIES.values()) >= 100 and len(FAMILIES) >= 30


@pytest.mark.parametrize("family", FAMILIES)
def test_the_rows_of_a_family(family: str) -> None:
    """Steps in order, and the values that its lines show."""
    text, wanted = FAMILIES[family]
    rows = read(text.lstrip("\n") + "\n").rows
    assert [row.step for row in rows] == [step for step, _ in wanted]
    for row, (_, values) in zip(rows, wanted, strict=True):
        assert {name: row.values.get(name) for name in values} == pytest.approx(values, nan_ok=True)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_looks_like_training(family: str) -> None:
    """Its first lines are enough to find the run."""
    assert looks_like_training(FAMILIES[family][0].encode())


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_every_cut_gives_the_same_rows(family: str) -> None:
    """In two parts, at every byte; the state goes through JSON as in the store."""
    import json

    data = FAMILIES[family][0].encode()
    whole = feed(data, {}, 0, "")
    for cut in range(0, len(data), max(1, len(data) // 400)):
        first = feed(data[:cut], {}, 0, "")
        state: dict[str, Any] = json.loads(json.dumps(first.state, allow_nan=False))
        second = feed(data[first.consumed :], state, first.seq, "")
        assert repr(first.rows + second.rows) == repr(whole.rows), cut
        assert first.consumed + second.consumed == whole.consumed


def test_rows_without_a_step_are_counted() -> None:
    """transformers without its bar names no step."""
    rows: Rows = FAMILIES["transformers 4"][1]
    found = read(FAMILIES["transformers 4"][0].lstrip())
    assert [(row.seq, row.is_counted) for row in found.rows] == [(n, True) for n in range(1, len(rows) + 1)]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Using device: cuda", {"device": "cuda"}),
        ("using device: cuda:0", {"device": "cuda:0"}),
        ("2024-05-01 12:00:00 INFO Training on mps", {"device": "mps"}),
        ("Device: cpu", {"device": "cpu"}),
        ("GPU available: True (cuda), used: True", {"device": "cuda"}),
        ("GPU available: True (mps), used: False", {"device": "cpu"}),
        ("GPU available: False, used: False", {"device": "cpu"}),
        ("number of parameters: 10.65M", {"params": 10_650_000}),
        ("Number of parameters: 123,456", {"params": 123_456}),
        ("Total params: 1.2 M", {"params": 1_200_000}),
        ("1.2 M     Trainable params", {"params": 1_200_000}),
        ("The model has 123,456 trainable parameters", {"params": 123_456}),
        ("  Number of trainable parameters = 124,439,808", {"params": 124_439_808}),
        ("Epoch 3/10", {"planned_epochs": 10.0}),
        ("step 5/100 loss 0.5", {"planned_steps": 100}),
        ("Epoch 3/10 loss 0.5", {"planned_epochs": 10.0}),
        ("[10/100] loss: 0.5", {"planned_steps": 100}),
        ("device driver 5 is loaded", {}),
        ("Using cpu cores: 4", {}),
        ("function takes 2 parameters", {}),
        ("parameters: 5", {}),
    ],
)
def test_what_a_line_tells(line: str, told: dict[str, Any]) -> None:
    """Only what it says."""
    assert read(f"{line}\n").told == told


def test_the_banner_of_the_trainer() -> None:
    """An evaluation's banner counts other examples."""
    text = """***** Running training *****
  Num examples = 1,000
  Num Epochs = 3
  Total optimization steps = 375
***** Running Evaluation *****
  Num examples = 50
"""
    assert read(text).told == {"samples": 1000, "planned_epochs": 3.0, "planned_steps": 375}


@pytest.mark.parametrize(
    ("stamp", "time"),
    [
        ("2024-05-01T12:00:00Z", 1714564800.0),
        ("2024-05-01T12:00:00.5+02:00", 1714557600.5),
        ("[2024-05-01 12:00:00,250 +0000]", 1714564800.25),
        ("2024-05-01 12:00:00", None),
        ("2024-05-01 12:00:00,123", None),
        ("12:00:00Z", None),
        ("2024-13-45T12:00:00Z", None),
    ],
)
def test_a_time_counts_when_it_has_a_date_and_an_offset(stamp: str, time: float | None) -> None:
    """Else it may be any zone's."""
    assert [row.time for row in read(f"{stamp} step 1 loss 0.5\n").rows] == [time]


def test_a_second_epoch_of_steps_that_go_on_is_of_the_whole_run() -> None:
    """Counters that begin again are of an epoch, others are not."""
    going_on = (
        "epoch 1 step 100 loss 0.5\nepoch 1 step 200 loss 0.5\nepoch 2 step 300 loss 0.5\nepoch 3 step 400 loss 0.5\n"
    )
    anew = (
        "epoch 1 step 100 loss 0.5\nepoch 1 step 200 loss 0.5\nepoch 2 step 100 loss 0.5\nepoch 3 step 100 loss 0.5\n"
    )
    assert [row.step for row in read(going_on).rows] == [100, 200, 300, 400]
    assert [row.step for row in read(anew).rows] == [100, 200, 300, 500]


def test_a_run_begun_again_in_the_same_log_begins_again() -> None:
    """Its steps go back, which is a new attempt."""
    text = (
        "Epoch [1/2], Step [5/9], Loss: 1.5\nEpoch [2/2], Step [5/9], Loss: 0.5\nEpoch [1/2], Step [5/9], Loss: 1.25\n"
    )
    assert [row.step for row in read(text).rows] == [5, 14, 5]


def test_labels_go_before_each_series() -> None:
    """As in every format."""
    assert feed(b"step 1 loss 0.5\n", {}, 4, "node0/").rows[0].values == {"node0/loss": 0.5}
    assert feed(b"step 1 loss 0.5\n", {}, 4, "").rows[0].seq == 5
