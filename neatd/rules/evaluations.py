"""How many evaluations a source has shown before a line: what a pause may still be. Pure.

Invariant: `before` an ordinal counts the lines before it and no other, whether points came one at a time or in columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from neatd.rules.fitting import is_evaluation

if TYPE_CHECKING:
    from neatd.rules.batch import Column


def none_known(*at: int) -> int:
    """What is asked in place of `before` where nothing is known of evaluations."""
    return 0


class Evaluations:
    """Counts the points of each series of evaluations; the series with the most tells how many there were."""

    def __init__(self, kept: Mapping[str, int] | None = None) -> None:
        """`kept` is what `dump` gave after a whole line."""
        # Series -> its points, and the ordinal of the last one, which a file that is rewritten numbers anew after a kill.
        self._seen = {name: (points, -1) for name, points in (kept or {}).items()}
        self._ahead: dict[str, Any] = {}  # series -> ordinals of the columns that are being judged

    def feed(self, metric: str, seq: int) -> None:
        """The next point of any series."""
        if is_evaluation(metric):
            self._seen[metric] = (self._seen.get(metric, (0, 0))[0] + 1, seq)

    def look_ahead(self, columns: Sequence[Column]) -> None:
        """The next points of several series; they are counted for what is asked, and taken in by `settle`."""
        self._ahead = {one.name: one.seqs for one in columns if is_evaluation(one.name)}

    def settle(self) -> None:
        """The columns are judged."""
        for name, seqs in self._ahead.items():
            self._seen[name] = (self._seen.get(name, (0, 0))[0] + len(seqs), int(seqs[-1]))
        self._ahead = {}

    def before(self, seq: int) -> int:
        """How many evaluations there were before the line of this ordinal."""
        seen = max((points - (last >= seq) for points, last in self._seen.values()), default=0)
        if not self._ahead:
            return seen
        ahead = (self._seen.get(name, (0, 0))[0] + int(seqs.searchsorted(seq)) for name, seqs in self._ahead.items())
        return max(seen, *ahead)

    def dump(self) -> dict[str, int]:
        """The state as plain JSON values."""
        return {name: points for name, (points, _) in sorted(self._seen.items())}
