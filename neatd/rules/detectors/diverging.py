"""The condition `diverging`: a series that rises steadily, seen in medians of blocks; told once an episode. Pure."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import Any

from neatd.rules.conditions import Diverging
from neatd.rules.detectors.blocks import Blocks
from neatd.rules.detectors.finding import Finding, Found


class DivergingDetector:
    """Fires when the last `blocks` medians rise and the newest is min_rise, and k errors, above the lowest there was."""

    def __init__(self, when: Diverging) -> None:
        self._when = when
        self._blocks = Blocks(when.block)
        self._medians: deque[float] = deque(maxlen=when.blocks)
        self._errors: deque[float] = deque(maxlen=when.blocks)  # the standard error of each of them
        self._lowest: float | None = None
        self._is_open = False

    def feed(self, step: int, value: float) -> Finding | None:
        measured = self._blocks.feed_measured(value)
        return None if measured is None else self._judge(*measured)

    def feed_many(self, steps: Any, values: Any) -> Found:
        """All full blocks have their medians made at once."""
        ends, medians, errors = self._blocks.feed_many_measured(values)
        if not len(ends):
            return []
        return [(int(ends[at]), finding) for at, finding in self._judge_many(medians, errors)]

    def _judge_many(self, medians: Any, errors: Any) -> Found:
        """Take in the medians of full blocks; those that may fire are judged one at a time."""
        from neatd.rules.detectors.medianpath import MedianPath

        path = MedianPath(self._medians, self._errors, self._lowest, medians, errors)
        opened = 0 if self._is_open else None  # the episode that was told last
        found: Found = []
        for at, episode in path.suspects(self._when.blocks, self._when.min_rise):
            if episode == opened:
                continue
            self._stand(*path.before(at, self._when.blocks), is_open=False)
            finding = self._judge(*path.median(at))
            if finding is not None:
                opened = episode
                found.append((at, finding))
        self._stand(*path.before(len(medians), self._when.blocks), is_open=bool(path.episodes[-1] == opened))
        return found

    def _stand(self, medians: list[float], errors: list[float], lowest: float | None, is_open: bool) -> None:
        """Take up the state between two blocks."""
        self._medians = deque(medians, maxlen=self._when.blocks)
        self._errors = deque(errors, maxlen=self._when.blocks)
        self._lowest, self._is_open = lowest, is_open

    def _judge(self, newest: float, error: float) -> Finding | None:
        """Take in the median of a block that is full."""
        if self._medians and newest < self._medians[-1]:
            self._is_open = False
        self._medians.append(newest)
        self._errors.append(error)
        self._lowest = lowest = newest if self._lowest is None else min(self._lowest, newest)
        is_rising = len(self._medians) == self._when.blocks and all(a < b for a, b in pairwise(self._medians))
        if self._is_open or not is_rising:
            return None
        noise = sum(self._errors) / len(self._errors)
        threshold = lowest + max(self._when.min_rise * abs(lowest), self._when.k * noise)
        if newest < threshold:
            return None
        self._is_open = True
        return self._finding(newest, lowest, threshold)

    def _finding(self, newest: float, lowest: float, threshold: float) -> Finding:
        score = (newest - lowest) / abs(lowest) if lowest else None
        what = "points" if self._when.block == 1 else f"medians of {self._when.block} points"
        path = " < ".join(f"{one:.4g}" for one in self._medians)
        share = "" if score is None else f", {100 * score:.3g} % above the lowest, {lowest:.4g}"
        return Finding(f"rising steadily, the last {self._when.blocks} {what} are {path}{share}", score, threshold)

    def restart(self, first_step: int) -> None:
        self._blocks.held.clear()
        self._medians.clear()
        self._errors.clear()
        self._lowest, self._is_open = None, False

    def dump(self) -> dict[str, Any]:
        return {
            "block": list(self._blocks.held),
            "medians": list(self._medians),
            "errors": list(self._errors),
            "lowest": self._lowest,
            "open": self._is_open,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._blocks.held = list(state["block"])
        self._medians = deque(state["medians"], maxlen=self._when.blocks)
        self._errors = deque(state["errors"], maxlen=self._when.blocks)
        self._lowest, self._is_open = state["lowest"], state["open"]
