"""From findings to events: guards, episodes with their peak and end, and storms over many series."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from neatd.models import Sample, Verdict
from neatd.rules.judge import Judge
from neatd.rules.schema import Rule
from tests.rules_batches import column_of
from tests.rules_streams import samples

CALM = [1.0, 1.01, 0.99, 1.02, 0.98] * 12


def spike(**more: Any) -> Rule:
    when = {"condition": "spike", "window": 20, "min_points": 20, "cooldown_points": 3}
    return Rule.model_validate(
        {"rule": "spike", "metrics": ["*"], "when": when, "budget": {"cooldown_points": 3}} | more
    )


def told(rule: Rule, values: list[float], metric: str = "loss") -> list[Verdict]:
    """The verdicts, with a judge that is born anew after each point: nothing is remembered beside its state."""
    judge, found = Judge([rule]), []
    for sample in samples(values):
        found += judge.feed(metric, sample)
        judge = Judge([rule], json.loads(json.dumps(judge.dump())))
    return found


def test_an_episode_has_a_begin_a_peak_and_an_end() -> None:
    """The end is the first of the points that were back; it is told when the last of them came."""
    begin, end = told(spike(), [*CALM, 5.0, 9.0, 7.0, *CALM])
    assert (begin.step, begin.episode) == (60, None) and end.episode is not None
    assert end.episode.begin == ("loss", 60, 5.0, None)
    assert (end.episode.peak_step, end.episode.peak, end.episode.points) == (61, 9.0, 3)
    assert (end.episode.end_step, end.step) == (63, 65)


def test_a_nan_ends_with_finite_values() -> None:
    """Its peak is no number, unless the values after it tell one."""
    rule = Rule.model_validate({"rule": "nan", "metrics": ["*"], "when": {"condition": "non_finite"}})
    begin, end = told(rule, [1.0, math.nan, math.nan, *[1.0] * 12])
    assert math.isnan(begin.value) and end.episode is not None
    assert (end.episode.points, end.episode.end_step) == (2, 3) and math.isnan(end.episode.peak)


def test_what_is_told_anew_ends_what_was_told_before() -> None:
    """A level that stays above the old threshold hides no later spike."""
    verdicts = told(spike(), [*CALM, *[5 * one for one in CALM], 50.0])
    assert [(one.step, one.episode is None) for one in verdicts] == [(60, True), (120, False), (120, True)]


@pytest.mark.parametrize(("guard", "first"), [({}, 60), ({"min_points": 61}, 75), ({"warmup_steps": 76}, 90)])
def test_a_guard_holds_back_what_comes_early(guard: dict[str, int], first: int) -> None:
    """Points are counted before the one that is judged."""
    values = [*CALM, 5.0, *CALM[:14], 5.0, *CALM[:14], 5.0]
    assert next(one.step for one in told(spike(guard=guard), values)) == first


def test_a_resumed_run_is_given_time() -> None:
    """Only where it was resumed: an optimizer's state may be lost."""
    rule = spike(guard={"resume_points": 40})
    judge = Judge([rule])
    early = [v for one in samples([*CALM[:30], 5.0]) for v in judge.feed("loss", one)]
    again = [Sample(100 + n, 2, 10 + n, value, None) for n, value in enumerate([*CALM[:30], 5.0, *CALM[:20], 5.0])]
    later = [v for one in again for v in judge.feed("loss", one) if v.episode is None]
    assert [one.step for one in early] == [30] and [one.step for one in later] == [10 + 51]


def test_a_storm_is_one_event_with_the_names_of_the_others() -> None:
    """Fifty series that jump at once; what comes later is an event of its own."""
    judge, verdicts = Judge([spike()]), []
    for sample in samples([*CALM, 5.0, *CALM, 5.0]):
        for name in (f"layer{n}" for n in range(50)):
            verdicts += judge.feed(name, sample)
    events = [one for one in verdicts if one.episode is None]
    assert [(one.metric, one.step) for one in events] == [("layer0", 60), ("layer0", 121)]
    joined = [one for one in verdicts if one.episode and one.episode.kind == "joined"]
    assert len(joined) == 98 and {one.episode.begin[:2] for one in joined if one.episode} == {
        ("layer0", 60),
        ("layer0", 121),
    }
    assert all(not one.wants_snapshot for one in joined)


def test_each_best_value_stands_for_itself() -> None:
    """Two series that reach their best at once are two events."""
    rule = Rule.model_validate(
        {"rule": "b", "metrics": ["*"], "when": {"condition": "best", "goal": "min", "min_points": 2}}
    )
    judge = Judge([rule])
    found = [v for one in samples([3.0, 2.0, 1.0]) for name in ("a", "b") for v in judge.feed(name, one)]
    assert [one.metric for one in found] == ["a", "b"] and all(one.episode is None for one in found)


def test_several_rules_at_one_series_are_one_event() -> None:
    """One trouble, told once; a graver rule, or one that asks for more, speaks for itself."""
    other = {"condition": "above", "limit": 4.0}
    alike = Rule.model_validate({"rule": "high", "metrics": ["*"], "when": other})
    graver = Rule.model_validate({"rule": "grave", "metrics": ["*"], "when": other, "severity": "critical"})
    asking = Rule.model_validate({"rule": "asking", "metrics": ["*"], "when": other, "then": ["bug"]})
    judge = Judge([spike(), alike, graver, asking])
    found = [v for one in samples([*CALM, 5.0]) for v in judge.feed("loss", one)]
    assert [one.rule for one in found if one.episode is None] == ["spike", "grave", "asking"]
    (joined,) = [one for one in found if one.episode]
    assert joined.rule == "high" and joined.episode and joined.episode.rule == "spike"


@pytest.mark.parametrize("guard", [{"min_points": 30}, {"warmup_steps": 30}])
def test_what_a_guard_held_back_is_told_when_it_ends(guard: dict[str, int]) -> None:
    """If it still goes on; a value that is over its limit from the first step on is told at the guard's end."""
    when = {"condition": "above", "limit": 2.0}
    rule = Rule.model_validate({"rule": "high", "metrics": ["*"], "when": when, "guard": guard})
    assert [one.step for one in told(rule, [3.0] * 50)] == [30]
    assert [one.step for one in told(rule, [*[3.0] * 20, *[1.0] * 20, 3.0]) if one.episode is None] == [40]
    for length in (90, 200):  # in columns, cut anywhere
        values = [3.0] * length
        judge = Judge([rule])
        found = [
            v
            for at, upto in ((0, 10), (10, 80), (80, None))
            for v in judge.feed_columns([column_of("loss", samples(values)[at:upto])])
        ]
        assert [one.step for one in found] == [30]


def test_what_took_several_points_to_tell_began_at_the_first_of_them() -> None:
    """The step from before which a checkpoint is kept."""
    several = {"condition": "spike", "window": 20, "min_points": 20, "flagged": 3, "of": 5}
    (begin, *_) = told(spike(when=several), [*CALM, 5.0, 1.0, 5.0, 5.0])
    assert (begin.step, begin.details) == (63, {"since_step": 60})
    (at_once, *_) = told(spike(), [*CALM, 5.0])
    assert at_once.details == {}
