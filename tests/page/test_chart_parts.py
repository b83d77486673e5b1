"""The pure parts of the charts: smoothing, thinning, domains, words, each against a plain reference."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page


def _call(page: Page, module: str, body: str, argument: Any = None) -> Any:
    """`body` with the module as `m` and the argument as `a`."""
    script = f"async (a) => {{ const m = await import('/static/js/{module}.js'); {body} }}"
    return page.evaluate(script, argument)


def _a_line(seed: int) -> dict[str, list[float]]:
    """Steps that are uneven, sometimes stand still and sometimes go back, and values of which some are not finite."""
    chance = random.Random(seed)
    steps, values, step = [], [], 0.0
    for _ in range(chance.randrange(1, 400)):
        step += chance.choice([0, 1, 1, 1, 2, 7, 40]) if chance.random() > 0.01 else -chance.randrange(1, 50)
        steps.append(step)
        values.append(chance.gauss(0, 1) if chance.random() > 0.04 else chance.choice([math.nan, math.inf, -math.inf]))
    return {"steps": steps, "values": values, "times": [math.nan] * len(steps)}


def _averaged(line: dict[str, list[float]], starts: list[int], weight: float, gap: float | None) -> list[float]:
    """Written out: within a stretch, each value so far with its weight, over the sum of the weights."""
    smoothed: list[float] = []
    stretch: list[tuple[float, float]] = []
    for i, value in enumerate(line["values"]):
        if starts[i] or not math.isfinite(value):
            stretch = []
        if not math.isfinite(value):
            smoothed.append(value)
            continue
        if stretch:
            past = weight if gap is None else weight ** ((line["steps"][i] - line["steps"][i - 1]) / gap)
            stretch = [(one, w * past) for one, w in stretch]
            stretch.append((value, 1 - past))
        else:
            stretch.append((value, 1 - weight))
        total = sum(w for _, w in stretch)
        smoothed.append(sum(one * w for one, w in stretch) / total if total else math.nan)
    return smoothed


@pytest.mark.parametrize("seed", range(8))
def test_smoothing_is_that_of_the_reference(stage: Page, seed: int) -> None:
    line, weight = _a_line(seed), random.Random(seed).choice([0.1, 0.6, 0.9, 0.99])
    body = """const { startsOf } = await import('/static/js/chart/data.js');
      const starts = startsOf(a.steps, []);
      return [starts, m.ema(a.values, starts, a.weight), m.timeEma(a.steps, a.values, starts, a.weight, 3)];"""
    starts, even, uneven = _call(stage, "chart/smooth", body, {**line, "weight": weight})
    assert even == pytest.approx(_averaged(line, starts, weight, None), rel=1e-6, nan_ok=True)
    reference = _averaged(line, starts, weight, 3.0)
    known = [i for i, value in enumerate(reference) if not math.isnan(value)]
    assert [uneven[i] for i in known] == pytest.approx([reference[i] for i in known], rel=1e-6)


@pytest.mark.parametrize("kind", ["ema", "time"])
def test_smoothing_crosses_neither_a_nan_nor_a_restart(stage: Page, kind: str) -> None:
    """What stands before a break changes nothing behind it."""
    body = """const { drawnOf, columnsOf } = await import('/static/js/chart/data.js');
      const draw = (values, restarts) => drawnOf({ columns: columnsOf(values.map((v, i) => [i, v, null])), restarts },
        { axis: 'step', log: false, smoothing: 0.9, smoothingKind: a }, undefined);
      const tail = [1, 2, 3, 4];
      return [
        draw([5, 6, NaN, ...tail], []).ys.slice(3), draw([-900, 6, NaN, ...tail], []).ys.slice(3),
        draw([5, 6, 7, ...tail], [3]).ys.slice(3), draw([-900, 6, 7, ...tail], [3]).ys.slice(3),
        draw(['Infinity', ...tail], []).ys.slice(1), draw([5, 6, 7, ...tail], []).ys.slice(3),
        draw([5, NaN, 6], []).ys];"""
    *same, crossed, words = _call(stage, "chart/smooth", body, kind)
    assert all(one == same[0] for one in same)
    assert crossed != same[0]
    assert math.isnan(words[1]) and words[0] == 5 and words[2] == 6


def test_a_stretch_begins_where_a_step_goes_back_and_at_a_restart(stage: Page) -> None:
    starts = _call(stage, "chart/data", "return m.startsOf([0, 10, 10, 20, 15, 25, 30], [20, 26])")
    assert starts == [1, 0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize("seed", range(6))
def test_thinning_keeps_the_first_last_least_and_greatest_of_each_bucket(stage: Page, seed: int) -> None:
    line = _a_line(seed)
    kept = _call(stage, "chart/condense", "return m.condense(a, 16)", line)
    want: list[tuple[float, float]] = []
    i = 0
    while i < len(line["steps"]):
        end = i + 1
        while (
            end < len(line["steps"])
            and line["steps"][end] >= line["steps"][end - 1]
            and (line["steps"][end] // 16 == line["steps"][i] // 16)
        ):
            end += 1
        bucket = range(i, end)
        finite = [at for at in bucket if math.isfinite(line["values"][at])]
        stays = {i, end - 1}
        if finite:
            stays |= {min(finite, key=lambda at: line["values"][at]), max(finite, key=lambda at: line["values"][at])}
        for test in (math.isnan, lambda v: v == math.inf, lambda v: v == -math.inf):
            stays |= set([at for at in bucket if test(line["values"][at])][:1])
        want += [(line["steps"][at], line["values"][at]) for at in sorted(stays)]
        i = end
    got = [(float(step), float(value)) for step, value in zip(kept["steps"], kept["values"], strict=True)]
    assert repr(got) == repr(want)  # as text, for NaN is not equal to itself


@pytest.mark.parametrize("seed", range(6))
def test_thinned_points_stay_where_they_are(stage: Page, seed: int) -> None:
    """Thinning again changes nothing, twice as coarsely is the same from either, and what is added later moves no bucket
    before it."""
    body = """const text = (one) => one.steps.map((s, i) => `${s} ${one.values[i]}`);
      const part = { steps: a.steps.slice(0, a.cut), values: a.values.slice(0, a.cut), times: a.times.slice(0, a.cut) };
      const [all, before] = [text(m.condense(a, 32)), text(m.condense(part, 32))];
      const bucket = Math.floor(a.steps[a.cut - 1] / 32);
      let whole = before.length;
      while (whole && Math.floor(part.steps.length && parseFloat(before[whole - 1]) / 32) === bucket) whole -= 1;
      return [text(m.condense(m.condense(a, 16), 16)), text(m.condense(a, 16)), text(m.condense(m.condense(a, 16), 32)),
        all, before.slice(0, whole), all.slice(0, whole)];"""
    line = _a_line(seed)
    again, once, coarser, direct, before, after = _call(
        stage, "chart/condense", body, {**line, "cut": len(line["steps"]) // 2 + 1}
    )
    assert again == once and coarser == direct and before == after


def test_a_line_is_never_longer_than_it_may_be(stage: Page) -> None:
    """Not even where all its points have the same step."""
    body = """const made = (step) => ({ steps: Array.from({length: 9000}, (_, i) => step(i)),
        values: Array.from({length: 9000}, (_, i) => Math.sin(i)), times: new Array(9000).fill(NaN) });
      return [(i) => i, () => 7, (i) => -i, (i) => i * 1e9, (i) => i * 1e-4]
        .map((step) => m.condenseTo(made(step), 1000).columns.steps.length)"""
    assert all(200 < length <= 1000 for length in _call(stage, "chart/condense", body))


def test_domains_come_from_finite_values_and_can_leave_out_what_is_far_off(stage: Page) -> None:
    body = """const xs = Array.from({length: 200}, (_, i) => i);
      const ys = xs.map((i) => (i === 50 ? 1e6 : i === 51 ? NaN : i === 52 ? Infinity : 1 + (i % 10)));
      const ask = (more) => m.yDomain([{ xs, ys }], { log: false, ...more });
      return [ask({}), ask({ isIgnoringOutliers: true }), ask({ range: [100, 150] }), ask({ log: true })]"""
    whole, without, view, log = _call(stage, "chart/scales", body)
    assert whole[1] > 1e6 and math.isfinite(whole[1])
    assert without[0] < 1 and 10 < without[1] < 12 and view[1] < 12
    assert 0 < log[0] < 1 and 1e6 < log[1] < 1e7


def test_ticks_are_round_numbers_within_the_axis(stage: Page) -> None:
    body = """return [m.linearTicks(0.13, 0.99, 5), m.logTicks(1e-5, 1e3, 8), m.logTicks(0.9, 12, 6), m.logTicks(2, 3, 4),
      m.stepTicks(0, 2.5, 6), m.timeTicks(0, 7200, 5, 0), m.linearTicks(5, 5, 4), m.timeTicks(-3600, 180000, 3, 3600)]"""
    linear, wide, narrow, within, steps, spans, none, days = _call(stage, "chart/scales", body)
    assert linear == [0.2, 0.4, 0.6, 0.8] and steps == [0, 1, 2]
    assert wide == [10.0**power for power in range(-5, 4)] and narrow == [1, 2, 5, 10]
    assert within == [2, 2.2, 2.4, 2.6, 2.8, 3] or len(within) >= 3
    assert spans == [0, 1800, 3600, 5400, 7200] and none == [] and days == [-3600, 82800, 169200]


def test_marks_of_values_that_are_not_finite_are_one_where_they_are_near(stage: Page) -> None:
    places = [{"px": px, "kind": kind} for px, kind in [(10, "nan"), (14, "up"), (20, "nan"), (25, "nan"), (90, "nan")]]
    found = _call(stage, "chart/nonfinite", "return m.clusters(a, 20)", places)
    assert [(one["kind"], one["px"], one["count"]) for one in found] == [("nan", 10, 3), ("up", 14, 1), ("nan", 90, 1)]


def test_no_label_covers_another_one(stage: Page) -> None:
    """Names of values that are not finite are left out where they would, and numbers of the rail's marks have room."""
    body = """const marks = a.map(([px, kind, count]) => ({ px, kind, count }));
      return m.named(marks, { widthOf: (text) => 6 * text.length, size: 5, right: 200 }).map(({ text, way }) => [text, way])"""
    marks = [[10, "nan", 3], [30, "up", 1], [40, "down", 1], [100, "nan", 17], [190, "nan", 2]]
    found = _call(stage, "chart/nonfinite", body, marks)
    assert found == [["", 1], ["+Inf", 1], ["-Inf", 1], ["NaN ×17", 1], ["", -1]]
    body = """const placed = Array.from({ length: 900 }, (_, x) => ({ mark: {}, x }));
      return m.spaced(placed, [0, 899], a).map(({ x, marks }) => [(x / 899) * a, marks.length])"""
    bundles = _call(stage, "chart/bundles", body, 500)
    assert sum(count for _, count in bundles) == 900
    widths = [12 + 7 * (1 + len(str(count))) for _, count in bundles]
    gaps = [b[0] - a[0] for a, b in pairwise(bundles)]
    assert all(gap >= (widths[n] + widths[n + 1]) / 2 for n, gap in enumerate(gaps))
    body = """return [m.within(a, [0, 99], "step", false), m.within(a, [0, 99], "step", true)]
      .map((found) => found.map(({ x }) => x))"""
    near, zoomed = _call(stage, "chart/bundles", body, [{"x": x} for x in (-2, -1, 50, 99, 100, 101)])
    assert near == [0, 50, 99, 99] and zoomed == [50, 99]


def test_there_is_no_half_step_unless_the_data_have_some(stage: Page) -> None:
    body = "return [m.placeText('step', 89.5), m.placeText('step', 89.5, false), m.placeText('step', 1234.5, false)]"
    assert _call(stage, "chart/words", body) == ["step 90", "step 89.5", "step 1\u202f235"]
    body = """const one = new m.Lines();
      one.set([{ key: "a", run: "r", points: [[1, 1, null]] }], 10);
      const before = one.areStepsWhole();
      one.append("a", [[1.5, 1, null]], 10);
      return [before, one.areStepsWhole()]"""
    assert _call(stage, "chart/lines", body) == [True, False]


def test_numbers_and_spans_in_words(stage: Page) -> None:
    body = """return [0.000012345, 123456.7, -0.5, 0, NaN, -Infinity].map((v) => m.valueText(v))
      .concat([0.5, 42, 200, 7500, 100000].map(m.spanText), [999, 25000, 1500000].map(m.shortStep))"""
    assert _call(stage, "chart/words", body) == [
        *("1.234e-5", "123460", "-0.5", "0", "NaN", "-Infinity"),
        *("0.5s", "42s", "3m 20s", "2h 05m", "1d 3h"),
        *("999", "25k", "1.5M"),
    ]


def test_zooming_by_keys_stays_within_what_there_is(stage: Page) -> None:
    body = """return [m.zoomed([0, 100], 0.5, 50, [0, 100]), m.zoomed([0, 100], 0.5, NaN, [0, 100]),
      m.zoomed([25, 75], 2, 50, [0, 100]), m.zoomed([0, 20], 2, 20, [0, 100])]"""
    assert _call(stage, "chart/brush", body) == [[25, 75], [25, 75], None, [0, 20]]
