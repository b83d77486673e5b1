"""Answers made to fit: no text is longer than an assistant takes whole, and one that was cut says how to see the rest. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

MOST = 20_000  # characters of one answer; Claude Code warns at 10,000 tokens
_MOST_NOTES = 1_000


class Answer(NamedTuple):
    """What a tool says, and what is to be said about that: what was left out, what may be old."""

    text: str
    notes: tuple[str, ...] = ()


def fitted(answer: Answer, more: str) -> Answer:
    """The answer, cut where it is too long; `more` is what shows all of it."""
    notes = tuple(_shortened(note) for note in answer.notes)
    if len(answer.text) <= MOST - _MOST_NOTES:
        return Answer(answer.text, notes)
    kept = MOST - _MOST_NOTES
    cut = f"cut: {kept:,} of {len(answer.text):,} characters; {more}"
    return Answer(answer.text[:kept], (cut, *notes))


def fitted_list(
    items: Sequence[str], limit: int | None, notes: tuple[str, ...] = (), total: int | None = None
) -> Answer:  # fmt: skip
    """A list in JSON, of `items` each in JSON, as many as fit and `limit` allows; a note says how many are left out, of
    `total` where `items` are only the first of them."""
    kept: list[str] = []
    length = 2
    for item in items[:limit]:
        length += len(item) + 2
        if length > MOST - _MOST_NOTES:
            break
        kept.append(item)
    every = len(items) if total is None else total
    left = every - len(kept)
    is_full = limit is None or len(kept) < min(limit, len(items))
    how = "a narrower question shows others" if is_full else f"limit={every} shows all"
    return Answer(f"[{', '.join(kept)}]", (*([f"{left} more: {how}"] if left else []), *notes))


def _shortened(note: str) -> str:
    return note if len(note) <= 300 else note[:299] + "…"
