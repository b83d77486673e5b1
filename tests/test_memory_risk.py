"""The risk that memory runs out: what makes it, how it is raised and lowered, and what recorded ramps would have been told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.rules.headroom import HOST, Growth, MemoryLook, Room, amount, slope_of, span
from neatd.rules.memory import REARM_S, MemoryWatch, Seen, Thresholds, judge, reason_to_wait
from tests.cost import at_most

GB = 10**9
RAMPS = Path(__file__).parent / "data" / "memory_ramps.json"


def room(used_share: float, key: str = HOST, **more: Any) -> Room:
    """A limit of 100 GB."""
    return Room(key, "the machine", 100 * GB, round(100 * GB * (1 - used_share)), **more)


def level(share: float, left_s: float | None = None, swap: tuple[int, int] = (0, 0), **more: Any) -> str:
    one = room(share, **more)
    return ("LOW", "MEDIUM", "HIGH")[judge(one, left_s, MemoryLook((one,), *swap), Thresholds())[0]]


def fed(shares: Iterable[float], every_s: float = 2.0, watch: MemoryWatch | None = None) -> list[Seen]:
    watch = watch or MemoryWatch()
    return [watch.feed(MemoryLook((room(share),)), every_s * number) for number, share in enumerate(shares)]


@pytest.mark.parametrize(
    ("share", "left_s", "more", "expected"),
    [
        (0.69, None, {}, "LOW"),
        (0.70, None, {}, "MEDIUM"),
        (0.85, None, {}, "HIGH"),
        (0.71, 59.0, {}, "HIGH"),
        (0.69, 59.0, {}, "MEDIUM"),
        (0.60, 599.0, {}, "MEDIUM"),
        (0.60, 601.0, {}, "LOW"),
        (0.49, 5.0, {}, "LOW"),
        (0.60, None, {"some": 30.0, "full": 11.0}, "HIGH"),
        (0.60, None, {"some": 30.0, "full": 1.0}, "MEDIUM"),
        (0.40, None, {"some": 90.0, "full": 90.0}, "LOW"),
        (0.90, None, {"full": 0.0, "swap": (20 * GB, 2 * GB)}, "MEDIUM"),
        (0.90, None, {"full": 5.0, "swap": (20 * GB, 2 * GB)}, "HIGH"),
        (0.90, None, {"swap": (20 * GB, 2 * GB)}, "HIGH"),
        (0.90, None, {"full": 0.0, "swap": (20 * GB, 12 * GB)}, "HIGH"),
        (0.75, None, {"full": 0.0, "swap": (20 * GB, 19 * GB)}, "HIGH"),
        (0.30, None, {"full": 0.0, "swap": (20 * GB, 19 * GB)}, "LOW"),
        (0.90, None, {"key": "job", "full": 0.0, "swap": (20 * GB, 2 * GB)}, "HIGH"),
    ],
)
def test_what_makes_a_risk(share: float, left_s: float | None, more: dict[str, Any], expected: str) -> None:
    """Shares, the time that is left, waiting for memory; free swap takes the edge off while nobody waits for it."""
    assert level(share, left_s, **more) == expected


def test_the_reason_names_the_limit_what_is_left_and_when_it_is_reached() -> None:
    """The tightest of several limits is the one that is named; the headroom is the least of all."""
    watch = MemoryWatch()
    job = Room("/g", "control group job.scope", 10 * GB, 1 * GB)
    found = watch.feed(MemoryLook((room(0.5), job)), 0.0).judgement
    assert found is not None and (found.risk, found.headroom_bytes) == ("HIGH", 1 * GB)
    assert found.reason == "control group job.scope: 90 % of 10.0 GB used, 1.0 GB left"
    for second in (2, 4, 6):
        found = watch.feed(
            MemoryLook((room(0.5), job._replace(available_bytes=(10 - second) * GB // 10))), second
        ).judgement
    assert found is not None and found.reason.endswith("400.0 MB left; at this pace full in 4 s")
    shape = found.shape()
    assert (shape["risk"], shape["used_percent"], shape["limit"]) == ("HIGH", 96.0, "control group job.scope")
    assert shape["seconds_to_limit"] == pytest.approx(4.0)
    assert reason_to_wait(found).startswith("the risk that memory runs out is HIGH: control group")
    assert reason_to_wait(found._replace(risk="MEDIUM")) == reason_to_wait(None) == ""


def test_it_is_raised_at_once_and_lowered_after_30_s() -> None:
    """With the numbers of now; a new height within that time begins the waiting anew."""
    seen = fed([0.5, 0.9, *[0.5] * 5, 0.9, *[0.5] * 20])
    risks = [one.judgement.risk for one in seen if one.judgement]
    assert risks[:2] == ["LOW", "HIGH"] and risks[2:23] == ["HIGH"] * 21 and risks[23:] == ["LOW"] * 5
    held = seen[10].judgement
    assert held is not None and "lower since" in held.reason and held.shape()["used_percent"] == 50.0
    assert [number for number, one in enumerate(seen) if one.is_changed] == [1, 23]


def test_a_crossing_is_told_once_until_memory_was_lower_for_minutes() -> None:
    """A jump over both shares is one critical event; what comes back within five minutes is the same."""
    told = [one.crossed.severity for one in fed([0.5, 0.72, 0.69, 0.72, 0.9, 0.5, 0.9, 0.71]) if one.crossed]
    assert told == ["warning", "critical"]
    assert [one.crossed.severity for one in fed([0.9, 0.5, 0.75, 0.9]) if one.crossed] == ["critical"]
    calm = [0.9, *[0.5] * round(REARM_S / 2 + 1), 0.9]
    assert [one.crossed.severity for one in fed(calm) if one.crossed] == ["critical", "critical"]
    edge = [0.86, 0.84] * 200  # on the edge for thirteen minutes
    assert len([one for one in fed(edge) if one.crossed]) == 1


def test_a_machine_that_tells_nothing_has_no_risk() -> None:
    """No limit known: nothing is judged, nothing is held up."""
    assert MemoryWatch().feed(MemoryLook(()), 0.0) == Seen() and MemoryLook(()).headroom_bytes is None


def test_memory_that_does_not_grow_has_no_time_to_its_limit() -> None:
    """Flat, falling, noisy, a saw: none. A leak has one, whatever teeth it has."""

    def left(values: Iterable[float]) -> float | None:
        growth = Growth()
        for number, value in enumerate(values):
            growth.add(2.0 * number, round(value * GB))
        return growth.seconds_to(100 * GB)

    assert left([50] * 30) is None and left([50, 40, 30, 20]) is None and left([50, 60]) is None
    assert left([50 + (number * 7 % 5) / 100 for number in range(60)]) is None
    assert left([50 + number % 10 for number in range(65)]) is None
    assert left([10, 20, 30, 40]) == pytest.approx(12.0)
    assert left([50 + 0.1 * number for number in range(31)]) == pytest.approx(47 / 0.05)
    assert left([50] * 30 + [52, 54, 56, 58]) == pytest.approx(
        42.0, rel=0.5
    )  # seen at once, though the minute was flat
    assert left([80, *[30] * 40, 40, 50, 60]) is None  # it was there before, and came back


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 1e3), st.floats(0, 1e11)), max_size=12), st.floats(-1e6, 1e6))
def test_a_slope_does_not_hang_on_the_level(points: list[tuple[float, float]], shift: float) -> None:
    """Moved as a whole in time it is the same; its sign turns with the values'."""
    assert slope_of([(at, -value) for at, value in points]) == pytest.approx(-slope_of(points))


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1.2), min_size=1, max_size=60))
def test_no_look_breaks_the_watch(shares: list[float]) -> None:
    """The risk is never below what the look says by itself, and there are never more events than two in ten minutes."""
    seen = fed(shares, 10.0)
    for share, one in zip(shares, seen, strict=True):
        assert one.judgement is not None and one.judgement.reason
        assert share < 0.85 or one.judgement.risk == "HIGH"
    assert sum(one.crossed is not None for one in seen[:30]) <= 2


def test_sizes_and_times_read_well() -> None:
    assert [amount(one) for one in (12, 1e9, 1.5e12, 2**20)] == ["12 B", "1.0 GB", "1.5 TB", "1.0 MB"]
    assert [span(one) for one in (5.4, 130, 90000)] == ["5 s", "2 min", "25 h"]


def test_a_look_costs_little() -> None:
    """Ten minutes of looks at three limits."""
    looks = [MemoryLook((room(0.5 + number / 1e4), room(0.2, "a"), room(0.3, "b"))) for number in range(300)]
    watch = MemoryWatch()
    with at_most(0.6):
        for number, look in enumerate(looks):
            watch.feed(look, 2.0 * number)


# ---- what was recorded ----


@cache
def recorded() -> dict[str, Any]:
    """How these were recorded stands in the file."""
    return dict(json.loads(RAMPS.read_text(encoding="utf-8")))


def replayed(name: str, every_s: float = 2.0) -> tuple[list[tuple[float, Seen]], dict[str, Any]]:
    """(time, what was seen) of a recorded shape, looked at as often as the daemon looks."""
    data = recorded()
    shape, limit = data["shapes"][name], data["limit_bytes"]
    watch, found, due = MemoryWatch(), [], 0.0
    for at, used, reclaimable in shape["points"]:
        if at >= due:
            due = at + every_s - 0.25
            one = Room("/g", "control group job", limit, max(0, limit - used + reclaimable))
            found.append((at, watch.feed(MemoryLook((one,)), at)))
    return found, shape


def lead_s(name: str, risk: str = "HIGH", every_s: float = 2.0) -> float | None:
    """Seconds between the first look that told of a risk, which held until the end, and the kill."""
    seen, shape = replayed(name, every_s)
    first = None
    for at, one in seen:
        is_told = one.judgement is not None and one.judgement.risk in (risk, "HIGH")
        first = (first if first is not None else at) if is_told else None
    return None if first is None else float(shape["ended_s"] - first)


KILLED = ("all samples at once", "fast ramp", "ramp after a flat minute", "slow leak", "leak under a loader's saw")


@pytest.mark.parametrize("name", KILLED)
def test_the_risk_is_high_before_the_kernel_kills(name: str) -> None:
    """At the last look before it at the least; a leak long before."""
    assert recorded()["shapes"][name]["is_killed"]
    found = lead_s(name)
    assert found is not None and found > (20.0 if "leak" in name else 0.5)


@pytest.mark.parametrize("name", ["loader's saw", "a cache that fills", "a model that is loaded"])
def test_what_is_not_killed_makes_no_noise(name: str) -> None:
    """No event, no HIGH: a loader's saw, a cache that the kernel gives back, a model that is loaded and stays."""
    seen, shape = replayed(name)
    assert not shape["is_killed"] and all(one.crossed is None for _, one in seen)
    assert "HIGH" not in {one.judgement.risk for _, one in seen if one.judgement}
    assert sum(one.is_changed for _, one in seen) <= 4


def test_a_saw_that_crosses_a_share_again_and_again_is_told_of_once() -> None:
    """Eight teeth over 70 %: one warning."""
    seen, shape = replayed("high saw over 70 %")
    assert not shape["is_killed"] and [one.crossed.severity for _, one in seen if one.crossed] == ["warning"]
