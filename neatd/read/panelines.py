"""The lines of a terminal's text, and which of them are new since the look before. Pure: text in, lines out.

A terminal says only what stands in it now: lines go out at the top, a progress bar changes its line in place, and it can be
cleared. A line that is new is told once; of equal lines one after another nobody can tell how many are new, and none is told
twice.
"""

from __future__ import annotations

from collections.abc import Sequence

REWRITTEN = 4  # lines at the end that a progress display may change in place: bars of several levels


def pane_lines(text: str) -> list[str]:
    """The lines of a captured text, without blanks at their ends and empty lines at the end."""
    lines = [line.rstrip() for line in text.replace("\r", "").split("\n")]
    while lines and not lines[-1]:
        del lines[-1]
    return lines


def new_lines(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """The lines of `after` that did not stand in `before`, in their order.

    The text moves up, so the end of `before` is looked for at the start of `after`, as long as it can be; up to four
    lines at that end may have been rewritten since, and count as new as they stand now. When nothing fits, the terminal
    was cleared or more lines went by than it holds: all are new. What lies wholly in `before` holds nothing new.
    """
    old, now = list(before), list(after)
    if _lies_in(now, old):
        return []
    best, moved = 0, len(old)
    for tail in range(min(REWRITTEN, len(old)) + 1):
        whole = len(old) - tail  # lines of `old` that stand as they were
        for shift in range(max(0, whole - len(now)), whole - best):
            if old[shift:whole] == now[: whole - shift]:
                best, moved = whole - shift, shift
                break
    if best == 0:
        return now
    return _without_same(old[moved + best :], now[best:])


def _without_same(old: list[str], now: list[str]) -> list[str]:
    """Of rewritten lines those that are other than before, and all that follow."""
    return [line for place, line in enumerate(now) if place >= len(old) or line != old[place]]


def _lies_in(now: list[str], old: list[str]) -> bool:
    return any(old[at : at + len(now)] == now for at in range(len(old) - len(now) + 1))
