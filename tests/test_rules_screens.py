"""The screens of the spike rule: none passes a point that the window at that point does not."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from neatd.rules.batch import like_python
from neatd.rules.detectors.screens import beyond_mean, beyond_quartiles, together
from neatd.rules.detectors.window import MAD_FACTOR, PlainWindow, RobustWindow

# The value at each place, before some are moved to an edge.
SLOPES: dict[str, Callable[[random.Random, int], float]] = {
    "falling": lambda rng, at: 1 - 1e-5 * at,
    "rising": lambda rng, at: -1 + 1e-5 * at,
    "falling fast": lambda rng, at: -1e-3 * at,
    "bending": lambda rng, at: 1e-6 * (at % 97) ** 3,
    "noise": lambda rng, at: rng.gauss(0, 1),
    "two levels": lambda rng, at: float(rng.choice([1, 2, 2]) + at // 40),
    "stairs": lambda rng, at: float(at // 60),
    "far from zero": lambda rng, at: 1e9 + rng.gauss(0, 1e-3),
}


def quartile_edges(window: list[float], k: float) -> tuple[float, float]:
    """The least and the largest value that the quartiles of `window` show to be within reach."""
    spread = RobustWindow(len(window), window).spread_if_beyond(math.inf, k)
    assert spread is not None
    ordered, size, centre = sorted(window), len(window), spread.centre
    nearer = min(centre - ordered[size // 4], ordered[size // 4 + (size + 1) // 2] - centre)
    reach = k * max(MAD_FACTOR * nearer, 0.01 * abs(centre))
    return centre - reach, centre + reach


def mean_edges(window: list[float], k: float) -> tuple[float]:
    """The largest value that is not k deviations above the mean."""
    spread = PlainWindow(len(window), window).spread_if_beyond(math.inf, k)
    assert spread is not None
    return (spread.centre + k * spread.scale,)


def edged(shape: str, window: int, k: float, edges: Callable[[list[float], float], tuple[float, ...]]) -> list[float]:
    """A window of values and 600 points behind; each 11th lies on an edge of its own window, or one float beside."""
    rng = random.Random(window)
    values = [SLOPES[shape](rng, at) for at in range(window)]
    for at in range(window, window + 600):
        value = SLOPES[shape](rng, at)
        if at % 11 == 0:
            edge = rng.choice(edges(values[-window:], k))
            value = rng.choice([edge, math.nextafter(edge, math.inf), math.nextafter(edge, -math.inf)])
        values.append(value)
    return values


def windows(values: list[float], window: int) -> Iterator[tuple[int, float, list[float]]]:
    """(place, point, the values before it)."""
    return ((at, values[window + at], values[at : at + window]) for at in range(len(values) - window))


@pytest.mark.parametrize("shape", sorted(SLOPES))
@pytest.mark.parametrize("window", [2, 3, 7, 50, 76, 100, 131])
def test_the_quartile_screen_suspects_exactly_what_the_window_does(shape: str, window: int) -> None:
    """Ties, trends and values on the edge of the reach."""
    for k in (0.5, 1.7, 6.0):
        values = edged(shape, window, k, quartile_edges)
        values = values[: window + 600 // together(window) * together(window)]
        with like_python():
            found = beyond_quartiles(np.array(values), window, k)
        own = [at for at, point, own in windows(values, window) if RobustWindow(window, own).spread_if_beyond(point, k)]
        assert found.tolist() == own


@pytest.mark.parametrize("shape", sorted(SLOPES))
@pytest.mark.parametrize("window", [2, 3, 7, 50, 100])
def test_the_mean_screen_suspects_all_that_the_window_flags(shape: str, window: int) -> None:
    """And few others: it would be no use if it suspected all."""
    for k in (0.1, 0.5, 1.0, 3.0):
        values = edged(shape, window, k, mean_edges)
        with like_python():
            found = set(beyond_mean(np.array(values), window, window, k).tolist())
        flagged = set()
        for at, point, own in windows(values, window):
            spread = PlainWindow(window, own).spread_if_beyond(point, k)
            if spread is not None and point > spread.centre + k * spread.scale:
                flagged.add(at)
        assert flagged <= found
        if shape == "noise":
            assert len(found) <= len(flagged) + 60  # those moved to an edge


def test_what_does_not_change_is_passed() -> None:
    """A constant learning rate costs nothing, and its steps down no more than a window of points."""
    values = np.repeat([0.1, 0.05, 0.02], 500)
    with like_python():
        assert len(beyond_quartiles(values[:1500], 100, 6.0)) <= 150
        assert len(beyond_mean(values, 100, 100, 3.0)) == 0
