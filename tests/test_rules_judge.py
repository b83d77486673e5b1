"""The judge: which rules look at what, what a verdict holds, and that a restart of the daemon changes nothing."""

from __future__ import annotations

import json
import math

from hypothesis import example, given, settings
from hypothesis import strategies as st

from neatd.models import Sample, Verdict
from neatd.rules.judge import Judge
from neatd.rules.schema import Rule
from tests.rules_streams import feed, rule, samples, steps

# Every condition, with windows so short that a stream of a few dozen points fires them all.
RULES = [
    rule("nan", condition="non_finite"),
    rule("spike", condition="spike", window=6, min_points=3, k=2, cooldown_points=2),
    rule("plain", condition="spike", estimator="zscore", window=5, min_points=2, k=1, cooldown_points=1),
    rule("least", condition="best", goal="min", min_points=1),
    rule("most", metrics=("b",), condition="best", goal="max", min_points=0, min_improvement=0.0),
    rule("drop", condition="drop", min_points=1),
    rule("points", condition="drop", of="points", min_points=1),
    rule("rise", condition="diverging", block=2, blocks=2, min_rise=0.05, k=0.5),
]


def reborn(judge: Judge, rules: list[Rule]) -> Judge:
    """The judge as another process makes it from the stored text."""
    return Judge(rules, json.loads(json.dumps(judge.dump())))


VALUES = (
    st.sampled_from([0.0, -0.0, 1.0, 1.1, 1.3, 2.0, 5.0, 50.0, math.nan, math.inf, -math.inf])
    | st.floats(0.5, 2.0)
    | st.floats()
)
POINTS = st.tuples(st.sampled_from("ab"), VALUES, st.sampled_from([0, 0, 0, 0, 0, 0, 1]))


def stream(points: list[tuple[str, float, int]]) -> list[tuple[str, Sample]]:
    """Samples in file order; a restart goes back three steps and begins the next attempt."""
    found, attempt, step = [], 1, 10
    for seq, (metric, value, restarts) in enumerate(points, 1):
        attempt, step = attempt + restarts, step + 1 - 4 * restarts
        found.append((metric, Sample(seq, attempt, step, value, None)))
    return found


def say(verdicts: list[Verdict]) -> list[str]:
    """Verdicts in a form in which NaN equals NaN and 0.0 differs from -0.0."""
    return [repr(one) for one in verdicts]


EVENTFUL = [
    *[("a", 1.0 + i / 3, 0) for i in range(12)],
    *[("a", 9.0, 0), ("a", math.nan, 0), ("a", 1.0, 0), ("b", 1.0, 0), ("a", 0.5, 1), ("a", 0.1, 0), ("b", 2.0, 0)],
]


@settings(max_examples=150, deadline=None)
@given(st.lists(POINTS, max_size=60), st.lists(st.integers(0, 60), max_size=8))
@example(EVENTFUL, list(range(len(EVENTFUL))))
def test_a_judge_cut_anywhere_says_what_an_uncut_one_says(points: list[tuple[str, float, int]], cuts: list[int]):
    """Dump, JSON and a new judge, at any points of any stream, change no verdict and no bit of one."""
    whole, cut = Judge(RULES), Judge(RULES)
    for index, (metric, sample) in enumerate(stream(points)):
        if index in cuts:
            cut = reborn(cut, RULES)
        assert say(cut.feed(metric, sample)) == say(whole.feed(metric, sample))
    assert json.dumps(cut.dump(), sort_keys=True) == json.dumps(whole.dump(), sort_keys=True)


def test_the_streams_of_the_property_fire_every_rule():
    """The test above would prove nothing on streams in which nothing happens."""
    judge = Judge(RULES)
    fired = {v.rule for metric, sample in stream(EVENTFUL) for v in judge.feed(metric, sample)}
    assert fired == {one.rule for one in RULES}


def test_series_do_not_mix():
    """Two series of one rule each have their own history."""
    judge = Judge([rule(condition="spike", min_points=5)])
    feed(judge, "a/loss", [1.0] * 10)
    assert feed(judge, "b/loss", [9.0] * 4) == []
    assert steps(feed(judge, "a/loss", [9.0], first_step=10)) == [10]


def test_exclusion_wins_over_a_match():
    """A series that an exclude names is not looked at."""
    one = Rule.model_validate(
        {"rule": "r", "metrics": ["*loss"], "exclude": ["val/*"], "when": {"condition": "non_finite"}}
    )
    judge = Judge([one])
    assert feed(judge, "val/loss", [math.nan]) == []
    assert feed(judge, "lr", [math.nan]) == []
    assert steps(feed(judge, "train/loss", [math.nan])) == [0]


def test_a_disabled_rule_says_nothing():
    """It may stay in the list it was loaded in."""
    one = rule(condition="non_finite").model_copy(update={"enabled": False})
    assert feed(Judge([one]), "loss", [math.nan]) == []


def test_a_verdict_names_its_point_and_its_rule():
    """Position, time, severity and the wish for a snapshot are passed on."""
    one = Rule.model_validate(
        {
            "rule": "nan",
            "metrics": ["loss"],
            "when": {"condition": "non_finite"},
            "severity": "critical",
            "then": ["snapshot"],
        }
    )
    (verdict,) = Judge([one]).feed("loss", Sample(7, 2, 300, math.inf, 1e9))
    assert (verdict.rule, verdict.condition, verdict.metric) == ("nan", "non_finite", "loss")
    assert (verdict.seq, verdict.attempt, verdict.step, verdict.time) == (7, 2, 300, 1e9)
    assert (verdict.severity, verdict.wants_snapshot, verdict.goal) == ("critical", True, None)


def test_the_window_of_a_verdict_is_the_last_twenty_finite_points():
    """The point itself, values that are not finite and an abandoned attempt are not in it."""
    judge = Judge([rule(condition="non_finite")])
    (verdict,) = feed(judge, "loss", [*range(30), math.nan])
    assert verdict.window == tuple((step, float(step)) for step in range(10, 30))
    verdicts = feed(judge, "loss", [5.0, math.nan, 6.0, math.nan], first_step=3, attempt=2)
    assert [verdict.window for verdict in verdicts] == [((3, 5.0),), ((3, 5.0), (5, 6.0))]


def test_a_changed_rule_starts_fresh():
    """State of another definition of the same name is left aside; that of an unchanged one is kept."""
    judge = Judge([rule(condition="spike", k=6)])
    feed(judge, "loss", [1.0] * 50)
    same = reborn(judge, [rule(condition="spike", k=6)])
    changed = reborn(judge, [rule(condition="spike", k=7)])
    assert steps(feed(same, "loss", [9.0], first_step=50)) == [50]
    assert feed(changed, "loss", [9.0], first_step=50) == []


def test_a_new_description_keeps_the_history():
    """What a rule judges by is its condition; words and severity may be mended in mid-run."""
    judge = Judge([rule(condition="spike")])
    feed(judge, "loss", [1.0] * 50)
    renamed = rule(condition="spike").model_copy(update={"description": "new words", "severity": "critical"})
    (verdict,) = feed(reborn(judge, [renamed]), "loss", [9.0], first_step=50)
    assert verdict.severity == "critical"


def test_a_rule_that_was_off_for_a_while_starts_fresh():
    """The points it did not see are a gap that its old history would hide."""
    on = rule(condition="spike")
    judge = Judge([on])
    feed(judge, "loss", [1.0] * 50)
    off = reborn(judge, [on.model_copy(update={"enabled": False})])
    assert feed(reborn(off, [on]), "loss", [9.0], first_step=50) == []


def test_rules_speak_in_the_order_they_were_given():
    """A point that fires several rules gives their verdicts in a fixed order."""
    judge = Judge(list(reversed(RULES)))
    fired = [[v.rule for v in judge.feed("a", s)] for s in samples([1.0, 1.0, 1.0, 1.0, 9.0])]
    assert fired[-1] == ["plain", "spike"]


def test_a_new_judge_takes_an_empty_state():
    """A run that was never judged has an empty state in the store."""
    assert Judge(RULES, {}).dump() == {
        "first_steps": [],
        "series": {},
        "storms": {"lines": 0, "told": []},
        "across": {},
        "evaluations": {},
    }
