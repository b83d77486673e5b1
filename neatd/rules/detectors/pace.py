"""How many points of a stretch are screened at once, and how many then go one at a time. Pure.

Where each screening is cut short, as by values that change the window, it is tried ever less often: a series of
nothing but spikes takes hardly longer than without screens.
"""

from __future__ import annotations

# Points. Fewer are not worth the dozens of numpy calls of a screening; more would not fit the processor's caches.
LEAST = 256
MOST = 8192


class Pace:
    """`length` points are screened next, a multiple of `together`. It grows while all of them are taken."""

    def __init__(self, window: int, together: int) -> None:
        self._least = -(-max(LEAST, window) // together) * together
        self._most = max(MOST // self._least, 2) * self._least
        self._alone = self._least
        self.length = self._least

    def alone_after(self, taken: int) -> int:
        """How many points to take one at a time, after `taken` of the screened ones were taken in."""
        is_whole = taken >= self.length
        self.length = min(self.length * 2, self._most) if is_whole else self._least
        if taken >= self._least:
            self._alone = self._least
            return 0
        alone, self._alone = self._alone, min(2 * self._alone, MOST)
        return alone
