"""What to try next: each rule, and what is never suggested."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from neatd.rules.suggesting import RULES, Suggestion, Trial, suggest


def trial(value: float | None, is_still_better: bool = False, has_failed: bool = False, **params: Any) -> Trial:
    name = "-".join(f"{key}{one}" for key, one in params.items())
    return Trial(name, params, value, is_still_better, has_failed)


def by_rule(found: list[Suggestion]) -> dict[str, list[tuple[str, object]]]:
    told: dict[str, list[tuple[str, object]]] = {}
    for one in found:
        told.setdefault(one.rule, []).append((one.parameter, one.value))
    return told


def test_the_best_at_an_edge_asks_for_what_lies_beyond() -> None:
    """By the factor that was used last; whole numbers stay whole."""
    found = by_rule(suggest([trial(0.5, lr=0.001, layers=12), trial(0.4, lr=0.003, layers=24)], "min"))
    assert found["beyond"] == [("lr", 0.009), ("layers", 48)]
    found = by_rule(suggest([trial(0.4, lr=0.001), trial(0.5, lr=0.003)], "min"))
    assert found["beyond"] == [("lr", 0.00033)]


def test_beyond_a_value_that_failed_nothing_is_suggested() -> None:
    """The limit was hit: what is asked for lies between."""
    tried = [trial(0.5, lr=0.001), trial(0.4, lr=0.01), trial(None, has_failed=True, lr=0.1)]
    found = by_rule(suggest(tried, "min"))
    assert "beyond" not in found and ("lr", 0.032) in found["between"]


def test_a_gap_beside_the_best_is_filled() -> None:
    """By the geometric mean, on both sides; a factor of two is no gap."""
    tried = [trial(0.5, width=128), trial(0.3, width=512), trial(0.4, width=2048)]
    assert by_rule(suggest(tried, "min"))["between"] == [("width", 256), ("width", 1024)]
    assert "between" not in by_rule(
        suggest([trial(0.5, width=256), trial(0.3, width=512), trial(0.4, width=1024)], "min")
    )


def test_seeds_are_new_and_nothing_else_is_varied_with_them() -> None:
    """One seed of the best: another. Two: enough."""
    one = [trial(0.4, lr=0.1, seed=1), trial(0.5, lr=0.2, seed=1)]
    assert by_rule(suggest(one, "min"))["another-seed"] == [("seed", 2)]
    assert "another-seed" not in by_rule(suggest([*one, trial(0.45, lr=0.1, seed=2)], "min"))
    assert not any(found.parameter == "seed" and found.rule != "another-seed" for found in suggest(one, "min"))


def test_the_winner_is_tried_with_the_other_choice() -> None:
    """As the winner of one task on another one."""
    tried = [trial(0.3, task="h3", d=768), trial(0.4, task="h1", d=384)]
    assert by_rule(suggest(tried, "min"))["other-choice"] == [("task", "h1")]
    assert "other-choice" not in by_rule(suggest([*tried, trial(0.35, task="h1", d=768)], "min"))


def test_a_run_that_still_got_better_goes_on_longer() -> None:
    """Its length is doubled; a length is no parameter to look beside."""
    found = by_rule(suggest([trial(0.4, True, lr=1, steps=200), trial(0.5, lr=1, steps=100)], "min"))
    assert found == {"longer": [("steps", 400)]}


def test_other_programs_say_nothing() -> None:
    """What another one tried under the same name is no edge of this one; nor where the parameters are mostly others."""
    ours, theirs = trial(0.3, dim=16), trial(0.9, dim=4)
    found = suggest([ours._replace(program="/lm/train.py"), theirs._replace(program="/p/train.py")], "min")
    assert found == []
    assert suggest([ours, trial(0.9, dim=4, width=1, depth=2, act="relu")], "min") == []


def test_without_a_value_there_is_no_suggestion() -> None:
    """Nothing ended, or all failed."""
    assert suggest([], "min") == [] and suggest([trial(None, lr=1)], "max") == []


@given(
    st.lists(
        st.tuples(st.sampled_from([0.001, 0.01, 0.1]), st.integers(1, 9), st.sampled_from(["a", "b"]), st.integers(1, 3),
                  st.one_of(st.none(), st.floats(0, 1))),
        min_size=1, max_size=12,
    ),
    st.sampled_from(["min", "max"]),
)  # fmt: skip
def test_nothing_that_was_tried_is_suggested(tried: list[tuple[Any, ...]], goal: Any) -> None:
    """Whatever was tried, and each suggestion changes the best by one known parameter."""
    known = [trial(value, lr=lr, d=d, kind=kind, seed=seed) for lr, d, kind, seed, value in tried]
    scored = [one.value for one in known if one.value is not None]
    for one in suggest(known, goal):
        base = next(each for each in known if each.name == one.base)
        assert base.params[one.parameter] == one.before != one.value and one.rule in RULES
        assert any(each.value == (min if goal == "min" else max)(scored) for each in known if each.name == one.base)
        assert {**base.params, one.parameter: one.value} not in [each.params for each in known]
