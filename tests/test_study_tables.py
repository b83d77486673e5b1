"""Tables of a study: best and mean by each value, ranges, pairs, what the best have in common."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.studies.analysis import Analysis, analyse
from neatd.studies.common import chance_of
from neatd.studies.curves import CurveFigures, curve_figures
from neatd.studies.grouping import groups_of
from neatd.studies.importances import Importances
from neatd.studies.shapes import analysis_shape
from neatd.studies.tables import by_parameter, figures
from neatd.studies.tried import Searched, Tried
from tests.studies_tried import searched, tried

NONE = Importances("ped-anova", {})
AT = datetime(2026, 3, 1, tzinfo=UTC)


def looked(*trials: Tried, **more: Any) -> Analysis:
    return analyse(searched(*trials, **more), NONE)


def labels(values: list[Any], name: str = "x", **more: Any) -> list[tuple[str, int]]:
    trials = [tried(n, 1.0, params={name: value}, **more) for n, value in enumerate(values)]
    return [(one.label, len(one.trials)) for one in groups_of(trials, name)]


def test_a_row_says_best_mean_and_spread_of_a_value() -> None:
    """The best by the goal; a value alone has no spread; the pruned, failed and open are counted and enter nothing."""
    trials = [tried(0, 0.4, d=768), tried(1, 0.2, d=768), tried(2, 0.9, d=1024), tried(3, 9.0, "pruned", d=768),
              tried(4, None, "failed", d=768), tried(5, None, "running", d=1024)]  # fmt: skip
    (table,) = by_parameter(searched(*trials))
    wide, wider = (row.figures for row in table.rows)
    assert wide._asdict() == {"trials": 4, "counted": 2, "best": 0.2, "best_trial": 1, "mean": pytest.approx(0.3), "sd":
                              pytest.approx(math.sqrt(0.02)), "median": pytest.approx(0.3), "pruned": 1, "failed": 1,
                              "open": 0, "diverged": 0}  # fmt: skip
    assert (wider.counted, wider.sd, wider.open) == (1, None, 1)
    assert figures(trials, "max").best == 0.9


def test_a_diverged_trial_is_listed_apart_and_flagged() -> None:
    """One with a finite value counts as well; one without has failed, whatever number is written down for it."""
    found = looked(
        tried(0, 0.5, lr=1), tried(1, 0.3, lr=2, diverged="nan at the end"), tried(2, math.inf, lr=2, diverged="inf")
    )
    assert [one.number for one in found.diverged] == [1, 2]
    assert (found.figures.counted, found.figures.failed, found.figures.diverged) == (2, 1, 2)
    assert found.best is not None and found.best.number == 1
    assert "diverged after the value that counts: trial 1" in found.notes


def test_a_trial_that_was_tried_again_is_looked_at_once() -> None:
    """As it ended the last time; that the lost ones are left out is said."""
    found = looked(tried(0, None, "failed", lr=1), tried(1, 0.3, lr=1, retry_of=0), tried(2, 0.4, lr=2))
    assert (found.figures.trials, found.figures.failed) == (2, 0)
    assert found.notes == ("1 trials that were lost and tried again are left out",)


def test_few_values_are_shown_as_they_are() -> None:
    """1 and 1.0 are one value, 1 and true are two; numbers come first and what has none last."""
    values = [2, 1, 1.0, True, "b", "a", None, [1, 2], False]
    assert labels(values) == [
        ("1", 2),
        ("2", 1),
        ("false", 1),
        ("true", 1),
        ("a", 1),
        ("b", 1),
        ("[1, 2]", 1),
        ("none", 1),
    ]
    trials = [tried(0, 1.0, x=1), tried(1, 1.0, y=1)]
    assert [(one.label, one.is_given) for one in groups_of(trials, "x")] == [("1", True), ("not given", False)]


def test_many_numbers_become_ranges_with_stated_edges() -> None:
    """Depths as a person sorts them; about as many trials in each; whole numbers in whole ranges."""
    depths = [4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 36, 40, 48, 60, 72, 96]
    assert labels(depths) == [("4 to 10", 4), ("11 to 20", 4), ("21 to 40", 4), ("41 to 96", 4)]
    groups = groups_of([tried(n, 1.0, x=depth) for n, depth in enumerate(depths)], "x")
    assert [(one.above, one.up_to) for one in groups] == [(None, 10), (10, 20), (20, 40), (40, 96)]
    floats = [n / 37 for n in range(20)]
    assert [label for label, _ in labels(floats)][1:] == [
        "above 0.11 to 0.25",
        "above 0.25 to 0.4",
        "above 0.4 to 0.5135",
    ]


def test_numbers_over_decades_become_ranges_of_powers_of_ten() -> None:
    """Where the search was on a log scale, or the values span a factor of a hundred; a search without it is not."""
    rates = [10 ** (-5 + n / 5) for n in range(20)]
    assert [label for label, _ in labels(rates)][:2] == ["1e-05 to 3e-05", "above 3e-05 to 0.0001"]
    told = '{"name": "FloatDistribution", "attributes": {"log": false, "low": 0, "high": 1}}'
    assert len(labels(rates, space={"x": told})) == 4
    assert len(labels([10.0**n for n in range(-300, 300)])) <= 8


def test_choices_are_never_put_together_but_the_rarest_of_very_many() -> None:
    """A list of widths stays one; a hundred different texts become the commonest and the others."""
    told = '{"name": "CategoricalDistribution", "attributes": {"choices": []}}'
    assert len(labels(list(range(12)), space={"x": told})) == 12
    many = labels([f"t{n}" for n in range(100)] + ["t7"])
    assert many[-1] == ("77 other values", 77) and ("t7", 2) in many


NUMBER = st.one_of(st.integers(-5, 40), st.floats(1e-6, 1e3), st.sampled_from([math.inf, 2**60]))
VALUE = st.one_of(NUMBER, st.booleans(), st.none(), st.sampled_from(["pre", "post", "-x"]))
TRIAL = st.tuples(
    st.sampled_from(["finished", "finished", "pruned", "failed", "cancelled", "running", "planned"]),
    st.one_of(st.none(), st.floats(allow_nan=True), st.floats(0, 1)), st.dictionaries(st.sampled_from("abc"), VALUE),
    st.booleans(),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(TRIAL, max_size=40), st.sampled_from(["min", "max"]))
def test_counts_add_up(rows: list[tuple[str, float | None, dict[str, Any], bool]], goal: str) -> None:
    """Every trial is in one row of each parameter, and each row's kinds add up; means lie between best and worst."""
    trials = [tried(n, v, s, params=p, diverged="x" * d) for n, (s, v, p, d) in enumerate(rows)]
    found = looked(*trials, goal=goal)
    for table in found.parameters:
        every = [row.figures for row in table.rows]
        assert sum(one.trials for one in every) == len(trials) == found.figures.trials
        for name in ("counted", "pruned", "failed", "open", "diverged"):
            assert sum(getattr(one, name) for one in every) == getattr(found.figures, name)
        for one in every:
            assert one.counted + one.pruned + one.failed + one.open == one.trials
            assert (one.best is None) is (one.counted == 0)
            if one.best is not None and one.mean is not None:
                assert one.best <= one.mean if goal == "min" else one.best >= one.mean
        ranges = [row for row in table.rows if row.is_range]
        assert all(a.up_to == b.above or a.up_to < b.above for a, b in pairwise(ranges))  # type: ignore[operator]
    analysis_shape(found)


def test_pairs_tell_more_than_the_better_alone() -> None:
    """Two flags that matter only together are found; a parameter beside them is not; cells hold best, mean and count."""
    trials = [tried(n, float((n & 1) ^ (n >> 1 & 1)) + n / 1e4, a=n & 1, b=n >> 1 & 1, c=n >> 2 & 1) for n in range(32)]
    pair, *others = looked(*trials).pairs
    assert {pair.first, pair.second} == {"a", "b"} and pair.told > 0.7 and pair.alone < 0.1 and not others
    cell = pair.cells[0]
    assert (cell.first, cell.second, cell.figures.counted, cell.figures.best) == ("0", "0", 8, 0.0)


def test_what_the_best_have_in_common_stands_beside_all() -> None:
    """Four of four have sixteen heads, which a fifth of all have: that is hardly chance; what all share is not named."""
    trials = [tried(n, n / 10, h=16 if n < 4 or n == 30 else 8, d=768, lr=n / 100) for n in range(40)]
    first = looked(*trials).common[0]
    assert (first.name, first.label, first.in_best, first.best, first.in_all, first.all) == ("h", "16", 4, 4, 5, 40)
    assert first.by_chance == pytest.approx(chance_of(4, 4, 5, 40)) and first.by_chance < 1e-4
    lr = next(one for one in looked(*trials).common if one.name == "lr")
    assert lr.best_range == (0.0, 0.03) and lr.all_range == (0.0, 0.39)
    assert all(one.name != "d" for one in looked(*trials).common)


def test_the_history_of_the_best_goes_by_the_end_of_trials() -> None:
    """By number only where no times are known."""
    ends = [3, 1, 2]
    trials = [tried(n, value, ended_at=AT + timedelta(hours=ends[n]), x=n) for n, value in enumerate([0.1, 0.5, 0.3])]
    assert [(one.trial, one.ended) for one in looked(*trials).history] == [(1, 1), (2, 2), (0, 3)]
    assert [one.trial for one in looked(*[one._replace(ended_at=None) for one in trials]).history] == [0]


@pytest.mark.parametrize(
    "trials",
    [(), (tried(0, 0.5, lr=1),), tuple(tried(n, None, "failed", lr=n) for n in range(9)), (tried(0, None, "running"),)],
    ids=["none", "one", "all failed", "one runs"],
)
def test_a_study_that_tells_little_is_told_of(trials: tuple[Tried, ...]) -> None:
    """No pair, nothing in common, no importance; the counts are there."""
    found = looked(*trials)
    assert found.pairs == () and found.common == () and found.figures.trials == len(trials)
    assert analysis_shape(found)["count"] == len(searched(*trials).counted)


def test_sizes_that_hardly_differ_are_a_budget() -> None:
    """A study of others that does not say so; then importances are not shown without the warning."""
    trials = [tried(n, n / 10, d=n % 2, derived={"n_params": 200_000_000 + n}) for n in range(4)]
    shares = Importances("ped-anova", {"d": 1.0})
    (note,) = analyse(searched(*trials), shares).notes
    assert note.startswith("importances mislead here: under a budget (n_params is 200,000,000 to 200,000,003)")
    assert analyse(searched(*trials, budget="a budget (1 GB)"), shares).notes[0].count("a budget (1 GB)") == 1
    free = [one._replace(derived={"n_params": 1000 * 2**one.number}) for one in trials]
    assert analyse(searched(*free), shares).notes == ()


def test_figures_of_a_curve() -> None:
    """First, last and best of what is finite; the first of equal ones is the best."""
    curve = [(0, math.nan), (1, 3.0), (2, 1.0), (3, 1.0), (4, 2.0), (5, math.inf)]
    assert curve_figures(curve, "min") == CurveFigures(6, 2, 3.0, 1, 2.0, 4, 1.0, 2)
    assert curve_figures(curve, "max").best_step == 1 and curve_figures([], "min") == CurveFigures(0, 0)


def test_values_of_any_size_have_a_spread() -> None:
    """Losses near the largest float do not overflow."""
    found: Searched = searched(*[tried(n, value, x=1) for n, value in enumerate([1e308, -1e308, 0.0])])
    assert figures(found.trials, "min").sd == pytest.approx(1e308)
