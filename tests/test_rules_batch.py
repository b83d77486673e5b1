"""Judging in columns: the verdicts, and the state at every cut, are those of one point at a time."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.models import Sample, Verdict
from neatd.rules.batch import like_python
from neatd.rules.conditions import Spike
from neatd.rules.detectors.finding import Finding
from neatd.rules.detectors.spike import SpikeDetector
from neatd.rules.detectors.window import MAD_FACTOR, PlainWindow, RobustWindow
from neatd.rules.judge import Judge
from neatd.rules.schema import Rule
from neatd.rules.series import DETECTORS, LEAST_STRETCH
from tests.rules_batches import RULES, SHAPES, WHENS, Point, column_of, columns_of, moments, series, shipped, streams
from tests.rules_streams import rule, samples

SHIPPED = shipped()
NAMES = ("a", "b", "c")
REAL_NAMES = ("loss", "train/loss", "val/loss", "val/accuracy", "tput")
CUTS = st.lists(st.tuples(st.integers(1, 400), st.sampled_from(["columns", "columns", "single", "reborn"])), max_size=6)


def say(verdicts: Sequence[Verdict]) -> list[str]:
    """Verdicts in a form in which NaN equals NaN, 0.0 differs from -0.0, and numpy's numbers from Python's."""
    return [repr(one) for one in verdicts]


def compare(rules: list[Rule], lines: list[list[Point]], cuts: list[tuple[int, str]], seed: int = 0) -> list[Verdict]:
    """Feed the lines one point at a time and as cut; nothing may differ. The verdicts."""
    one, many, rng, at = Judge(rules), Judge(rules), random.Random(seed), 0
    said: list[Verdict] = []
    for count, way in [*cuts, (len(lines), "columns")]:
        points = [point for line in lines[at : at + count] for point in line]
        expected = [verdict for metric, sample in points for verdict in one.feed(metric, sample)]
        if way == "reborn":
            many = Judge(rules, json.loads(json.dumps(many.dump())))
        if way == "single":
            found = [verdict for metric, sample in points for verdict in many.feed(metric, sample)]
        else:
            found = many.feed_columns(columns_of(points, rng))
        assert say(found) == say(expected)
        assert repr(many.dump()) == repr(one.dump())
        said += expected
        at += count
    return said


@settings(max_examples=30, deadline=None)
@given(RULES, streams(NAMES), CUTS, st.integers(0, 9))
def test_columns_say_what_single_points_say(rules: list[Rule], lines: list[list[Point]], cuts: Any, seed: int) -> None:
    """Rules of every kind, any series, restarts, and cuts into columns, single points and new judges."""
    compare(rules, lines, cuts, seed)


@settings(max_examples=25, deadline=None)
@given(streams(REAL_NAMES), CUTS, st.integers(0, 9))
def test_the_shipped_rules_say_the_same_in_columns(lines: list[list[Point]], cuts: Any, seed: int) -> None:
    """All of them, the one that is off by default too."""
    compare(SHIPPED, lines, cuts, seed)


def feed_both(when: Any, parts: Sequence[Sequence[float]]) -> list[Finding]:
    """Feed one detector point by point and another part by part; nothing may differ. The findings."""
    one, many = DETECTORS[when.condition](when), DETECTORS[when.condition](when)
    said: list[Finding] = []
    first = 0
    is_timed = getattr(one, "wants_time", False)
    moment = moments(sum(map(len, parts)), seed=len(parts))
    for part in parts:
        times = moment[first : first + len(part)]
        known = [(None if math.isnan(time) else time,) if is_timed else () for time in times]
        found = [(place, one.feed(first + place, value, *known[place])) for place, value in enumerate(part)]
        expected = [(place, finding) for place, finding in found if finding is not None]
        with like_python():
            columns = [np.array(part, float), np.array(times)][: 1 + is_timed]
            got = many.feed_many(np.arange(first, first + len(part)), *columns)
        assert repr(got) == repr(expected)
        assert repr(many.dump()) == repr(one.dump())
        kept = json.loads(json.dumps(many.dump()))
        many = DETECTORS[when.condition](when)
        many.restore(kept)
        said += [finding for _, finding in expected]
        first += len(part)
    return said


def cut(values: list[float], cuts: Sequence[int]) -> list[list[float]]:
    """The parts of `values` between the places in `cuts`; none is empty."""
    places = sorted({0, len(values), *(one for one in cuts if one < len(values))})
    return [values[begin:end] for begin, end in pairwise(places)]


EDGES = st.sampled_from([0.0, -0.0, 1.0, 1.1, 1.3, 2.0, 5.0, 50.0, math.nan, math.inf, -math.inf])


@settings(max_examples=50, deadline=None)
@given(
    WHENS, st.lists(EDGES | st.floats(0.5, 2.0) | st.floats(), min_size=1, max_size=60), st.lists(st.integers(0, 60))
)
def test_a_detector_takes_few_points_at_once_as_one_at_a_time(when: Any, values: list[float], cuts: list[int]) -> None:
    """Parts of any length, also of one point."""
    feed_both(rule(**when).when, cut(values, cuts))


@settings(max_examples=50, deadline=None)
@given(WHENS, series(20), st.lists(st.integers(0, 900), max_size=5))
def test_a_detector_takes_many_points_at_once_as_one_at_a_time(when: Any, values: list[float], cuts: list[int]) -> None:
    """Shapes of which windows of up to 130 points hold several, cut anywhere."""
    feed_both(rule(**when).when, cut(values, cuts))


LONG = [
    rule(condition="spike"),
    rule(condition="spike", k=2, window=130, min_points=130, min_rise=0.01, cooldown_points=1),
    rule(condition="spike", k=1.5, window=7, min_points=3, min_rise=0.0, cooldown_points=0),
    rule(condition="spike", window=600, min_points=30),
    rule(condition="spike", estimator="zscore"),
    rule(condition="spike", estimator="zscore", k=0.5, window=7, min_points=3, cooldown_points=2),
    rule(condition="best", goal="min", min_improvement=0.0),
    rule(condition="drop", fraction=0.02, cooldown_points=1),
    rule(condition="diverging", block=2, blocks=2, min_rise=0.0, k=0.1),
    rule(condition="non_finite"),
    rule(condition="jump", ratio=1.3, min_points=2),
    rule(condition="above", limit=1.0),
    rule(condition="below", limit=0.9, flagged=3, of=8, cooldown_points=1),
    rule(condition="exact_zero", min_points=3),
    rule(condition="exact_zero", flagged=2, of=4, cooldown_points=1, min_points=0),
    rule(condition="stalled", factor=5, min_gap_s=2.0),
    rule(condition="plateau", goal="min", window=50, min_points=60),
    rule(condition="growth", block=2, blocks=5, min_growth=0.05, rising=0.8),
]


@pytest.mark.slow
@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_thousands_of_points_of_one_shape(shape: str) -> None:
    """Long enough for screens to grow, be cut short and be given up; the second half stands on another level."""
    rng = random.Random(shape)
    values = [one for level in (1.0, 3.0) for _ in range(15) for one in SHAPES[shape](rng, 60, level)]
    for one in LONG:
        feed_both(one.when, [values])
        feed_both(one.when, cut(values, [100, 101, 700]))


def edge_of(when: Spike, values: list[float]) -> float:
    """The largest value that is not above the reach of the window that `values` end with."""
    window = values[-when.window :]
    if when.estimator == "zscore":
        spread = PlainWindow(when.window, window).spread_if_beyond(math.inf, when.k)
        if spread is None:  # deviations too large to be squared
            return math.inf
        return spread.centre + when.k * spread.scale
    median = RobustWindow(when.window, window).spread_if_beyond(math.inf, 1.0)
    assert median is not None
    ordered, size, centre = sorted(window), len(window), median.centre
    nearer = min(centre - ordered[size // 4], ordered[size // 4 + (size + 1) // 2] - centre)
    return centre + when.k * max(MAD_FACTOR * nearer, 0.01 * abs(centre))


@pytest.mark.parametrize("estimator", ["robust", "zscore"])
@pytest.mark.parametrize("window", [6, 50, 100, 130])
@pytest.mark.parametrize("level", [0.0, 1.0, 1e6, -1e12, 1e-300, 1e160])
def test_a_value_at_the_very_edge_is_judged_the_same(estimator: Any, window: int, level: float) -> None:
    """Every 40th value lies on the edge of the reach, or one float beside it, where any rounding would show."""
    when = Spike(estimator=estimator, window=window, min_points=window, k=1.5, min_rise=0.0, cooldown_points=0)
    rng = random.Random(window)
    values: list[float] = []
    detector = SpikeDetector(when)
    for index in range(1500):
        value = level * rng.choice([1, 1, 1 + 1e-6, 1 - 1e-6]) if level else rng.gauss(0, 1)
        if index > window and index % 40 == 0:
            edge = edge_of(when, detector.dump()["values"])
            value = (
                value
                if math.isinf(edge)
                else rng.choice([edge, math.nextafter(edge, math.inf), math.nextafter(edge, -math.inf)])
            )
        detector.feed(index, value)
        values.append(value)
    feed_both(when, [values])


def test_the_streams_fire_every_rule() -> None:
    """The comparisons above would prove little on streams in which nothing happens."""
    rng = random.Random(1)
    values = [one for shape in sorted(SHAPES) for one in SHAPES[shape](rng, 80, 1.0)]
    quiet = [1.0] * 600 + [0.0] * 2 + [1 + i / 20 for i in range(80)]  # without the shapes that hide zeros and growth
    assert all(feed_both(one.when, [values]) or feed_both(one.when, [quiet]) for one in LONG)
    lines = [
        [(name, Sample(seq, 1, seq, value, None)) for name in sorted(REAL_NAMES)] for seq, value in enumerate(values, 1)
    ]
    fired = {verdict.rule for verdict in compare(SHIPPED, lines, [(300, "columns"), (200, "single")])}
    plain = ("non_finite", "spike", "best", "drop", "diverging")
    wanted = {one.rule for one in SHIPPED if one.when.condition in plain and any(map(one.matches, REAL_NAMES))}
    assert fired >= wanted - {"accuracy-drop-train"}  # no name here is of a score in training


def test_verdicts_come_by_line_then_by_name_then_by_rule() -> None:
    """In whatever order the columns come."""
    rules = [rule("z", condition="non_finite"), rule("a", condition="best", goal="min", min_points=0)]
    values = [1.0] * 80 + [math.nan, 0.1]
    columns = [column_of(name, samples(values)) for name in ("b", "a")]
    said = [(v.seq, v.metric, v.rule) for v in Judge(rules).feed_columns(columns)]
    assert said == [(1, "a", "a"), (1, "b", "a"), (81, "a", "z"), (81, "b", "z"), (82, "a", "a"), (82, "b", "a")]


def test_an_attempt_begins_where_any_series_first_shows_it() -> None:
    """An evaluation forgets what was reached after the step to which another series of the same backlog went back."""
    rules = [rule(condition="best", goal="min", min_points=0)]
    train = [Sample(i, 1 + (i > 100), i if i <= 100 else i - 90, 1.0, None) for i in range(1, 201)]
    best = [Sample(i, 1 + (i > 150), i if i <= 150 else i - 90, 2.0 - i / 200, None) for i in range(2, 201, 2)]
    points = sorted([("train", s) for s in train] + [("eval", s) for s in best], key=lambda one: (one[1].seq, one[0]))
    lines = [[point for point in points if point[1].seq == seq] for seq in range(1, 201)]
    compare(rules, lines, [])
    compare(rules, lines, [(99, "columns"), (1, "single"), (1, "columns")])
    judge = Judge(rules)
    judge.feed_columns([column_of("eval", best), column_of("train", train)])
    assert judge.dump()["first_steps"] == [[1, 1], [2, 11]]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 4), st.integers(0, 30)), max_size=40), st.booleans())
def test_attempts_in_any_order(points: list[tuple[str, int, int]], is_long: bool) -> None:
    """A lower attempt behind a higher one is no restart, and nobody knows an attempt before its first point."""
    rules = [rule(condition="best", goal="min", min_points=0), rule("s", condition="spike", window=4, min_points=2)]
    repeated = points * (1 + 4 * is_long)
    lines = [
        [(name, Sample(seq, attempt, step, 50.0 / (1 + (seq * 7) % 23), None))]
        for seq, (name, attempt, step) in enumerate(repeated, 1)
    ]
    compare(rules, lines, [(len(lines) // 3, "columns"), (2, "single")])


def test_a_short_column_goes_one_point_at_a_time() -> None:
    """On both sides of the length from which numpy is worth its calls the verdicts are the same."""
    for count in (1, LEAST_STRETCH - 1, LEAST_STRETCH, LEAST_STRETCH + 1):
        values = [1.0] * (count - 1) + [math.nan]
        (verdict,) = Judge([rule(condition="non_finite")]).feed_columns([column_of("a", samples(values))])
        assert (verdict.seq, len(verdict.window)) == (count, min(20, count - 1))


def test_no_points_change_nothing() -> None:
    """A backlog without points, and columns without points."""
    judge = Judge(SHIPPED)
    assert judge.feed_columns([]) == judge.feed_columns([column_of("loss", [])]) == []
    assert judge.dump() == Judge(SHIPPED, {}).dump()


def test_one_point_at_a_time_needs_no_numpy() -> None:
    """Only a backlog loads it."""
    program = (
        "import sys\nfrom neatd.models import Sample\nfrom neatd.rules.judge import Judge\n"
        "from tests.rules_streams import rule\n"
        "judge = Judge([rule(condition='spike'), rule('d', condition='drop'), rule('r', condition='diverging')])\n"
        "judge.feed('loss', Sample(1, 1, 1, 1.0, None))\nassert 'numpy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, cwd=Path(__file__).resolve().parents[1])
