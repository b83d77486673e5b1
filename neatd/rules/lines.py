"""Which line of all that were judged a point is of. Pure.

The ordinal of a line in its source does not tell that: of a file that is rewritten whole, lines that are read again are
counted and not judged, and others hold nothing that a rule looks at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neatd.rules.batch import Column


class Lines:
    """Counts the lines of one source as their points are judged. They are numbered from 1."""

    def __init__(self, count: int = 0) -> None:
        """`count` lines were judged before."""
        self.count = count
        self._seq = -1  # of the last of them
        self._taken: Any = None  # the ordinals of a backlog that was taken in last, an array

    def take(self, seq: int) -> int:
        """Take in the line of the next point; its number."""
        self._taken = None
        if seq != self._seq:
            self._seq, self.count = seq, self.count + 1
        return self.count

    def take_many(self, columns: Sequence[Column]) -> None:
        """Take in the lines of the next points of several series, at least one."""
        self._taken = _united([column.seqs for column in columns])
        goes_on = int(self._taken[0]) == self._seq
        self._seq, self.count = int(self._taken[-1]), self.count - goes_on + len(self._taken)

    def of(self, seqs: Iterable[int]) -> list[int]:
        """The numbers of lines among those that were taken in last, by their ordinals."""
        if self._taken is None:
            return [self.count for _ in seqs]
        first = self.count - len(self._taken) + 1
        return [first + int(at) for at in self._taken.searchsorted(list(seqs))]


def _united(rows: Sequence[Any]) -> Any:
    """What ascending arrays hold, ascending, each once. Most are alike, and few have what the longest has not."""
    import numpy as np

    found = max(rows, key=len)
    for row in rows:
        if len(row) != len(found) or not np.array_equal(row, found):
            at = found.searchsorted(row)
            new = row[found[np.minimum(at, len(found) - 1)] != row]
            found = np.sort(np.concatenate((found, new)), kind="stable") if len(new) else found
    return found
