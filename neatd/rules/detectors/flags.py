"""Marked points of a series, and which of them begin an episode: `flagged` in the last `of`, told once. Pure.

Points are known by their number among the finite ones. Invariant: an episode ends when no point of a window is marked any
more, so two episodes never share one.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

from neatd.rules.conditions import Limit, Zero


class Flags:
    """An episode goes on while marked points lie at most `cooldown_points` apart, also `of` where several are asked."""

    def __init__(self, when: Limit | Zero) -> None:
        self._flagged, self._of = when.flagged, when.of
        self._cooldown = max(when.cooldown_points, when.of) if when.flagged > 1 else when.cooldown_points
        self.often = f", {when.flagged} times in the last {when.of} points" if when.flagged > 1 else ""
        self._marked: deque[int] = deque(maxlen=when.flagged)  # the last ones
        self._is_open = False
        self.points = 0  # that were counted

    def count(self, value: float) -> int | None:
        """Count the next point of the series; its number, None of one that is not finite."""
        if not math.isfinite(value):
            return None
        self.points += 1
        return self.points - 1

    def mark(self, number: int) -> bool:
        """Mark a point behind all others; whether an episode begins there."""
        if self._marked and number - self._marked[-1] > self._cooldown:
            self._is_open = False
        self._marked.append(number)
        if self._is_open or len(self._marked) < self._flagged or number - self._marked[0] >= self._of:
            return False
        self._is_open = True
        return True

    def mark_many(self, numbers: Any) -> Any:
        """Mark points, an array of ascending int64; the places in it at which an episode begins."""
        import numpy as np

        if not len(numbers):
            return numbers
        held, flagged = len(self._marked), self._flagged
        marked = np.concatenate((np.fromiter(self._marked, np.int64), numbers))
        episodes = np.concatenate(([0], np.cumsum(np.diff(marked) > self._cooldown)))
        since = marked[: max(0, len(marked) - flagged + 1)]  # the first of `flagged` in a row
        enough = np.flatnonzero(marked[flagged - 1 :] - since < self._of) + flagged - 1
        enough = enough[enough >= held]
        told, first = np.unique(episodes[enough], return_index=True)
        if self._is_open:
            is_new = told != episodes[held - 1]
            first = first[is_new]
            self._is_open = bool(episodes[-1] == episodes[held - 1])
        begins = enough[first]
        self._is_open = self._is_open or bool(len(begins) and episodes[begins[-1]] == episodes[-1])
        self._marked.extend(numbers[-self._of :].tolist())
        return begins - held

    def restart(self) -> None:
        """Forget all."""
        self._marked.clear()
        self._is_open = False
        self.points = 0

    def dump(self) -> dict[str, Any]:
        return {"points": self.points, "marked": list(self._marked), "open": self._is_open}

    def restore(self, state: dict[str, Any]) -> None:
        self._marked.clear()
        self._marked.extend(state["marked"])
        self._is_open = state["open"]
        self.points = state["points"]
