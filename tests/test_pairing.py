"""Which evaluation scored a file that has no step in its name: the nearest in time, and none where that is not sure."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from neatd.rules.pairing import scored_at

EPOCH, BEGAN = 100.0, 1000.0


@given(
    st.floats(0.0, 20.0),
    st.floats(0.0, 20.0),
    st.integers(2, 8),
    st.booleans(),
    st.lists(st.floats(0.8, 1.25), min_size=9, max_size=9),
)
def test_the_weights_get_their_own_evaluation(
    eval_s: float, save_s: float, epochs: int, saves_first: bool, pace: list[float]
) -> None:
    """Whether a trainer saves before it evaluates or after, and however the epochs vary."""
    now, evaluations, saved = BEGAN, [], []
    for epoch in range(1, epochs + 1):
        now += EPOCH * pace[epoch]
        if saves_first:
            saved.append((epoch, now := now + save_s))
        evaluations.append((epoch, now := now + eval_s))
        if not saves_first:
            saved.append((epoch, now := now + save_s))
    assert [scored_at(at, evaluations, BEGAN) for _, at in saved] == [epoch for epoch, _ in saved]


def test_a_save_that_is_not_evaluated_yet_has_no_step() -> None:
    """The evaluation before it was of other weights: a whole training lies between."""
    assert scored_at(1200.0, [(1, 1105.0)], BEGAN) is None
    assert scored_at(1200.0, [(1, 1105.0), (2, 1206.0)], BEGAN) == 2
    assert scored_at(1100.0, [], BEGAN) is None and scored_at(1101.0, [(1, 1100.0)], None) is None


def test_a_save_in_the_middle_of_an_epoch_has_none() -> None:
    """Neither evaluation is of these weights."""
    assert scored_at(1150.0, [(1, 1100.0), (2, 1201.0)], BEGAN) is None
