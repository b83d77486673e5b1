"""Which rows of the table may be compared; what parameters tell of scale and data."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neatd.rules.comparable import Basis, is_unfinished, why_not_comparable
from neatd.rules.scale import Scale, number_of, scale_of

WHOLE = Basis(
    metric="val/loss", status="finished", step=9, planned_steps=9, data=(("data/a", "1" * 64),), data_names=("a",),
    fraction=0.5, samples=100, amount=("data_mb", 4.0), metric_code="c" * 64,
)  # fmt: skip


def test_the_same_basis_is_comparable() -> None:
    """With everything known, and with nothing."""
    assert why_not_comparable(WHOLE, WHOLE) == why_not_comparable(Basis(), Basis()) == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"metric": "val/dice"}, "other metric: val/dice, not val/loss"),
        ({"data": (("data/a", "2" * 64),)}, "other data: data/a was 222222222222, not 111111111111"),
        ({"data": (("data/b", "2" * 64),)}, "other data: data/b, not data/a"),
        ({"data": (), "data_names": ("b",)}, "other data: b, not a"),
        ({"fraction": 0.53}, "other fraction of the data: 53 %, not 50 %"),
        ({"fraction": None, "samples": 80}, "other samples: 80, not 100"),
        (
            {"fraction": None, "samples": None, "amount": ("data_mb", 8.0)},
            "other amount of data: data_mb 8, not 4",
        ),
        ({"metric_code": "d" * 64}, "other metric code: the files that compute it changed"),
        ({"status": "killed", "step": 5}, "not finished: killed at step 5 of 9"),
        ({"status": "running", "step": None}, "not finished: running"),
    ],
)  # fmt: skip
def test_each_difference_is_a_reason(change: dict[str, Any], reason: str) -> None:
    """Named with both sides; and it is the only one."""
    assert why_not_comparable(WHOLE._replace(**change), WHOLE) == (reason,)


@pytest.mark.parametrize("field", Basis._fields)
def test_what_is_unknown_on_either_side_is_no_reason(field: str) -> None:
    """Nobody is accused of other data because a record is missing."""
    other = Basis(
        metric="val/loss", status="finished", data=(("data/z", "9" * 64),), data_names=("z",), fraction=0.1, samples=1,
        amount=("data_mb", 1.0), metric_code="z",
    )  # fmt: skip
    only = Basis(**{field: getattr(WHOLE, field)})
    assert why_not_comparable(only, other._replace(**{field: getattr(WHOLE, field)})) == ()
    assert why_not_comparable(Basis(status="finished"), WHOLE) == why_not_comparable(WHOLE, Basis()) == ()


def test_several_differences_are_all_told() -> None:
    """In a fixed order."""
    row = WHOLE._replace(data=(("data/a", "2" * 64),), fraction=0.25, metric_code="d" * 64, status="lost", step=1)
    assert [reason.split(":")[0] for reason in why_not_comparable(row, WHOLE)] == [
        "other data", "other fraction of the data", "other metric code", "not finished",
    ]  # fmt: skip


def test_the_same_content_elsewhere_is_the_same_data() -> None:
    """A copy in another folder has the same hash."""
    assert why_not_comparable(WHOLE._replace(data=(("copy/a", "1" * 64),)), WHOLE) == ()


def test_fractions_that_are_rounded_are_the_same() -> None:
    """0.53 and 53.2 %."""
    assert why_not_comparable(WHOLE._replace(fraction=0.532), WHOLE._replace(fraction=0.53)) == ()


def test_a_baseline_that_runs_moves_and_one_that_was_stopped_stands() -> None:
    """A person may name a run that was interrupted; nobody can compare with one that is under way."""
    running, stopped = WHOLE._replace(status="running", step=2), WHOLE._replace(status="interrupted", step=2)
    assert why_not_comparable(WHOLE, running) == ("the baseline is running",)
    assert why_not_comparable(WHOLE, stopped) == ()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("finished", False), ("Completed", False), ("DONE", False), ("open", False), ("", False), ("running", True),
        ("Planned", True), ("in progress", True), ("queued", True), ("failed: OOM", True), ("diverged", True),
        ("starting", True), ("lost", True),
    ],
)  # fmt: skip
def test_a_status_says_whether_more_was_to_come(status: str, expected: bool) -> None:
    """A run's status, or a person's word for an experiment."""
    assert is_unfinished(Basis(status=status)) is expected


def test_a_run_that_took_all_its_steps_is_finished() -> None:
    """However its process ended."""
    assert not is_unfinished(Basis(status="killed", step=100, planned_steps=100))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"n_params": 12_700_000}, Scale(params=12_700_000)),
        ({"model": {"parameters": "12.7M"}}, Scale(params=12_700_000)),
        ({"parameter_count": 10, "trainable_params": 5}, Scale(params=10)),
        ({"params": {"lr": 1}, "n_layers": 4}, Scale()),
        ({"max_samples": 80}, Scale(samples=80)),
        ({"data": {"subset": 1000, "path": "data/raw"}}, Scale(samples=1000, data=("data/raw",))),
        ({"subset": "small", "num_samples": True}, Scale()),
        ({"data_fraction": 0.53}, Scale(fraction=0.53)),
        ({"train_fraction": 53}, Scale(fraction=0.53)),
        ({"data_percent": 0.5}, Scale(fraction=0.005)),
        ({"fraction": "53%"}, Scale(fraction=0.53)),
        ({"fraction": 530}, Scale()),
        ({"data_mb": 4}, Scale(amount=("data_mb", 4.0))),
        ({"dataset": "wikitext"}, Scale(data=("wikitext",))),
        ({"train_files": ["a.csv", "b.csv"], "data-dir": "d"}, Scale(data=("a.csv", "b.csv", "d"))),
        ({"data_version": "v3"}, Scale(version="v3")),
        ({"lr": 0.1, "batch": 8}, Scale()),
    ],
)
def test_parameters_tell_the_scale(config: dict[str, Any], expected: Scale) -> None:
    """By the names that trainers use, at any depth."""
    assert scale_of(config, {}) == expected


def test_a_series_may_tell_the_models_size() -> None:
    """Where the parameters do not."""
    assert scale_of({}, {"model/n_params": 5e6, "loss": 2.0}).params == 5_000_000
    assert scale_of({"n_params": 7}, {"params": 5e6}).params == 7


def test_numbers_are_read_as_people_write_them() -> None:
    """12.7M, 170_000, 1e6; no flags, no words, nothing that is not above nought."""
    assert [number_of(one) for one in ("12.7M", "170_000", "1e6", "3,000", 5)] == [12.7e6, 170_000, 1e6, 3000, 5]
    assert [number_of(one) for one in (True, "big", -1, 0, float("nan"), float("inf"), None, [1])] == [None] * 8


_NAMES = st.sampled_from(["data", "params", "samples", "fraction", "percent", "subset", "path", "data_mb", "x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(_NAMES, VALUES, max_size=6))
def test_no_configuration_is_an_error(config: dict[str, Any]) -> None:
    """Whatever stands in it; and a fraction is one."""
    found = scale_of(config, {})
    assert found.fraction is None or 0 < found.fraction <= 1
