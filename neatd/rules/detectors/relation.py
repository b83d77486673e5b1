"""The condition `relation`: a series that no longer stands to another as it did, told once. Pure.

The gradient's norm of a batch goes with its loss, so most of its noise is the loss's: what is left of the logarithm when
the loss is taken out shows a layer that gets no gradient any more, where the norm alone shows nothing. Blocks are cut by
points that have both values.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from neatd.rules.conditions import Relation
from neatd.rules.detectors.finding import Finding, Found
from neatd.rules.detectors.median import mad_of, median_error, median_of_sorted
from neatd.rules.detectors.window import MAD_FACTOR

LEAST = 1e-12  # what a logarithm is taken of at least
LEAST_BLOCKS = 6  # before the newest ones, for anything to be judged
STEEPEST = 1.2  # a norm grows with the loss, and hardly faster

Block = list[tuple[float, float]]


class _Change(NamedTuple):
    """How far the newest blocks lie from the ones before, and what such a distance usually is."""

    size: float
    scale: float


class RelationDetector:
    """Fires when the residual's medians of the `newest` blocks all lie beyond those of the blocks before, by k scales and
    `min_change`, while the other series stays where it was."""

    def __init__(self, when: Relation) -> None:
        self._when = when
        self._sign = 1.0 if when.direction == "up" else -1.0
        self._filling: Block = []
        self._blocks: deque[Block] = deque(maxlen=when.blocks + when.newest)
        self._is_open = False

    def feed(self, value: float, beside: float) -> Finding | None:
        """Take the next point in: the series' value and the other's."""
        if not (math.isfinite(value) and math.isfinite(beside) and value >= 0 and beside > 0):
            return None
        self._filling.append((math.log(max(beside, LEAST)), math.log(max(value, LEAST))))
        return self._judge_full() if len(self._filling) == self._when.points else None

    def feed_many(self, values: Any, besides: Any) -> Found:
        """Take the next points in, numpy arrays of float64: what `feed` of one after the other gives."""
        import numpy as np

        places = np.flatnonzero(np.isfinite(values) & np.isfinite(besides) & (values >= 0) & (besides > 0))
        xs = [math.log(max(one, LEAST)) for one in besides[places].tolist()]
        points = list(zip(xs, [math.log(max(one, LEAST)) for one in values[places].tolist()], strict=True))
        found: Found = []
        at = 0
        while len(points) - at >= self._when.points - len(self._filling):
            upto = at + self._when.points - len(self._filling)
            self._filling += points[at:upto]
            at = upto
            finding = self._judge_full()
            if finding is not None:
                found.append((int(places[at - 1]), finding))
        self._filling += points[at:]
        return found

    def _judge_full(self) -> Finding | None:
        self._blocks.append(self._filling)
        self._filling = []
        if len(self._blocks) < LEAST_BLOCKS + self._when.newest:
            return None
        return self._judge(list(self._blocks))

    def _judge(self, blocks: list[Block]) -> Finding | None:
        change = self._change(blocks[: -self._when.newest], blocks[-self._when.newest :])
        is_far = change is not None and change.size > max(
            self._when.k * change.scale, math.log1p(self._when.min_change)
        )
        was_open, self._is_open = self._is_open, is_far
        if change is None or not is_far or was_open:
            return None
        share = math.exp(self._sign * change.size)
        score = change.size / change.scale
        known = (len(blocks) - self._when.newest) * self._when.points
        return Finding(f"{share:.3g} of what it was beside the other over {known} points, {score:.3g} scales", score)

    def _change(self, before: list[Block], newest: list[Block]) -> _Change | None:
        """In the rule's direction; None where the blocks do not lie apart, or the other series moved too."""
        xs = sorted([x for block in before for x, _ in block])
        middle = median_of_sorted(xs)
        spread = MAD_FACTOR * mad_of(xs, middle)
        now = median_of_sorted(sorted([x for block in newest for x, _ in block]))
        if abs(now - middle) > self._when.calm * max(spread, 0.05):
            return None
        slope = _slope(before, middle, spread)
        medians = [self._sign * one for one in _residuals(before, slope)]
        late = [self._sign * one for one in _residuals(newest, slope)]
        if min(late) <= max(medians[-5:]):
            return None
        # What went on before may go on: a gradient that falls towards a minimum falls steadily.
        drift = max(0.0, median_of_sorted(sorted([after - before for before, after in pairwise(medians)])))
        apart = 1.5 + len(late) / 2  # blocks, from the middle of the last three to that of the newest
        size = median_of_sorted(sorted(late)) - median_of_sorted(sorted(medians[-3:])) - drift * apart
        return _Change(size, max(_scale(before, slope, medians, self._sign), 1e-3))

    def restart(self) -> None:
        """The run began anew."""
        self._filling = []
        self._blocks.clear()
        self._is_open = False

    def dump(self) -> dict[str, Any]:
        """The state as plain JSON values."""
        return {"filling": self._filling, "blocks": list(self._blocks), "open": self._is_open}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up the state that `dump` gave."""
        self._filling = [(x, y) for x, y in state["filling"]]
        self._blocks.extend([(x, y) for x, y in block] for block in state["blocks"])
        self._is_open = state["open"]


def _slope(blocks: Sequence[Block], middle: float, spread: float) -> float:
    """By how much the value's logarithm rises with the other's, by those that are not far out."""
    reach = 3 * spread + 1e-9
    near = [(x - middle, y) for block in blocks for x, y in block if abs(x - middle) < reach]
    if len(near) < 2:
        return 0.0
    mean = median_of_sorted(sorted([y for _, y in near]))
    squares = math.fsum(x * x for x, _ in near)
    return min(max(math.fsum(x * (y - mean) for x, y in near) / max(squares, 1e-9), 0.0), STEEPEST)


def _residuals(blocks: Sequence[Block], slope: float) -> list[float]:
    """The median residual of each block."""
    return [median_of_sorted(sorted([y - slope * x for x, y in block])) for block in blocks]


def _scale(blocks: Sequence[Block], slope: float, medians: Sequence[float], sign: float) -> float:
    """What a block's median usually changes by: among successive blocks, and by the noise within them."""
    steps = [after - before for before, after in pairwise(medians)]
    drift = median_of_sorted(sorted(steps))
    among = MAD_FACTOR * mad_of(steps, drift) / math.sqrt(2)
    away = [abs(sign * (y - slope * x) - medians[n]) for n, block in enumerate(blocks) for x, y in block]
    within: float = median_error(median_of_sorted(sorted(away)), len(blocks[0]))
    return max(among, within)
