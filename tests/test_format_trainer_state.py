"""trainer_state.json: only what is new comes out of each newer file, and a resumed run gives its own rows again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from neatd.read.formats.trainer_state import feed
from neatd.read.rows import Fed, Parsed
from tests.written_files import case_id, expected, written

CASES = written("transformers")


def said(fed: Fed) -> list[tuple[int, dict[str, float]]]:
    """(step, values) of each row."""
    return [(row.step, row.values) for row in fed.rows if isinstance(row, Parsed)]


def history_of(data: bytes) -> list[tuple[int, dict[str, float]]]:
    """The rows that a file holds, by the standard library alone."""
    rows = json.loads(data)["log_history"]
    return [(row["step"], {name: float(value) for name, value in row.items() if name != "step"}) for row in rows]


def states(folder: Path) -> list[bytes]:
    """The files of a case as they were written, in order."""
    return [path.read_bytes() for path in sorted(folder.glob("*/trainer_state.json"))]


def one(*rows: Any, **more: Any) -> bytes:
    """A file with this history."""
    return json.dumps({"log_history": rows, **more}, indent=2).encode()


@pytest.mark.parametrize("folder", CASES, ids=case_id)
def test_a_whole_file_gives_every_value_that_was_logged(folder: Path) -> None:
    """Training, evaluation and the summary at the end, with the epoch as a value; and what it says of the run."""
    for path, content in expected(folder).items():
        found = feed((folder / path).read_bytes(), {}, 0, "")
        series: dict[str, list[list[float]]] = {}
        for step, values in said(found):
            for name, value in values.items():
                series.setdefault(name, []).append([step, value])
        assert repr(series) == repr({name: content["series"][name] for name in series})
        assert set(series) == set(content["series"]) and not found.bad
        assert {name: found.told.get(name) for name in content["told"]} == content["told"]


@pytest.mark.parametrize("folder", CASES, ids=case_id)
def test_checkpoints_in_order_give_each_row_once_and_the_resumed_ones_again(folder: Path) -> None:
    """Three checkpoints and the end, then two checkpoints and the end of a run resumed from the first."""
    first, second = states(folder)[3], states(folder)[6]
    rows: list[tuple[int, dict[str, float]]] = []
    state: dict[str, Any] = {}
    seq = 0
    for data in states(folder):
        found = feed(data, json.loads(json.dumps(state)), seq, "")
        rows, state, seq = rows + said(found), found.state, found.seq
        assert found.consumed == len(data)
    both = zip(history_of(first), history_of(second), strict=True)
    alike = [repr(before) == repr(after) for before, after in both].index(False)
    assert rows[alike][0] == 4 and alike == 4  # three steps and an evaluation were the same
    assert repr(rows) == repr(history_of(first) + history_of(second)[alike:])
    assert seq == len(rows)


@pytest.mark.parametrize("folder", CASES, ids=case_id)
def test_an_older_checkpoint_says_nothing_new(folder: Path) -> None:
    """Nor is what the newer one gave forgotten."""
    older, newer = states(folder)[:2]
    known = feed(newer, {}, 0, "")
    again = feed(older, known.state, known.seq, "")
    assert (again.rows, again.state, again.seq, again.told) == ([], known.state, known.seq, {})


@pytest.mark.slow
@pytest.mark.parametrize("folder", CASES, ids=case_id)
def test_a_file_cut_at_any_byte_is_waited_for(folder: Path) -> None:
    """It is not written atomically: nothing is consumed, nothing is wrong."""
    for data in states(folder):
        known = feed(states(folder)[0], {}, 0, "")
        for cut in range(len(data.rstrip())):
            found = feed(data[:cut], known.state, known.seq, "")
            assert (found.rows, found.consumed, found.seq, found.state, found.bad, found.is_stuck) == (
                [], 0, known.seq, known.state, [], False,
            )  # fmt: skip


ROWS = st.fixed_dictionaries({"step": st.integers(0, 9), "loss": st.floats() | st.integers() | st.text(max_size=2)})


@pytest.mark.slow
@settings(deadline=None, max_examples=80)
@for_all(st.lists(ROWS), st.integers(0, 9), st.lists(ROWS))
def test_the_rows_from_the_divergence_on_come_again(history: list[Any], kept: int, more: list[Any]) -> None:
    """Exactly those: as many as are alike at the beginning are not."""
    known = feed(one(*history), {}, 0, "")
    other = history[:kept] + more
    found = feed(one(*other), known.state, known.seq, "")
    before, after = ([json.dumps(row, sort_keys=True) for row in rows] for rows in (history, other))
    alike = 0
    while alike < min(len(before), len(after)) and before[alike] == after[alike]:
        alike += 1
    assert repr(said(found)) == repr(said(feed(one(*other), {}, 0, ""))[alike:])
    assert repr(said(feed(one(*other), found.state, found.seq, ""))) == "[]"


def test_bare_nan_and_what_is_no_number() -> None:
    """Python writes NaN bare; text, flags and lists are no metrics."""
    data = b'{"log_history": [{"step": 1, "loss": NaN, "lr": "x", "ok": true, "l": [1], "n": null}], "max_steps": 5}'
    ((step, values),) = said(feed(data, {}, 0, "a/"))
    assert step == 1 and repr(values) == "{'a/loss': nan}"


@pytest.mark.parametrize(
    ("rows", "why"),
    [([[1]], "not a JSON object"), ([{"step": 1.5}], "whole number"), ([{"step": True}], "whole number")],
)
def test_a_row_that_is_none_is_named(rows: list[Any], why: str) -> None:
    """It has an ordinal; the rows around it are read."""
    found = feed(one({"step": 1, "loss": 2}, *rows, {"step": 3, "loss": 4}), {}, 5, "")
    assert [row.seq for row in found.rows if isinstance(row, Parsed)] == [6, 8] and found.seq == 8
    assert found.bad[0].seq == 7 and why in found.bad[0].why


@pytest.mark.parametrize("data", [b'{"log_history": {}}', b"[1, 2]", b'{"log": [}', b"[" * 100_000, b'{"x": 1}'])
def test_a_file_of_that_name_that_is_something_else_says_so(data: bytes) -> None:
    """Once, and it gives nothing."""
    found = feed(data, {}, 0, "")
    assert not found.rows and (found.is_stuck or found.consumed == 0)


def test_plans_that_are_none_are_not_told() -> None:
    """The Trainer writes -1 or 0 for what it does not know."""
    assert (
        feed(one(max_steps=-1, num_train_epochs=0, best_metric=None, best_model_checkpoint=None), {}, 0, "").told == {}
    )


def test_what_it_says_of_the_run() -> None:
    """Plans, the best so far, and the settings that stand in it."""
    more = {"max_steps": 9, "num_train_epochs": 3, "best_metric": 0.5, "best_model_checkpoint": "out/checkpoint-3"}
    found = feed(one(**more, train_batch_size=8, trial_name="a", trial_params={"lr": 1}), {}, 0, "")
    assert found.told == {
        "planned_steps": 9, "planned_epochs": 3.0, "best_metric": 0.5, "best_checkpoint": "out/checkpoint-3", "name": "a",
        "config": {"train_batch_size": 8, "lr": 1},
    }  # fmt: skip
