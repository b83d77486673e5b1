"""Every line of a file to exactly one record, or to the lines that are in none. Pure.

A heading belongs to the first record below it; a line that only decorates, to the record above it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from neatd.assist.notes.plain import has_words
from neatd.assist.notes.record import Draft, draft
from neatd.assist.notes.walk import Heading


def placed(
    source: Sequence[str], drafts: list[Draft], headings: Sequence[Heading], skipped: frozenset[int]
) -> tuple[list[Draft], list[tuple[int, str]]]:
    """(the records with all lines that are theirs, the lines in none). Lines that neither a record nor a heading claims
    and that have words become notes: nothing is lost, whatever the walk forgot."""
    words = [number for number, row in enumerate(source, 1) if row.strip() and number not in skipped]
    drafts = drafts + _forgotten(source, words, _owners(drafts, frozenset(words)), headings)
    owner = _owners(drafts, frozenset(words))
    taken = sorted(owner)
    unplaced = [(number, source[number - 1].strip()) for number in sorted(skipped) if source[number - 1].strip()]
    for heading in headings:
        at = bisect_right(taken, heading.lines[1])
        below = taken[at] if at < len(taken) and taken[at] <= heading.end else 0
        for number in range(heading.lines[0], heading.lines[1] + 1):
            if source[number - 1].strip() and number not in owner:
                if below:
                    owner[number] = owner[below]
                else:
                    unplaced.append((number, source[number - 1].strip()))
    _decorations(source, words, owner, taken, unplaced)
    _settle(drafts, owner)
    return drafts, sorted(unplaced)


def _owners(drafts: Sequence[Draft], words: frozenset[int]) -> dict[int, Draft]:
    """Line -> the first record that claims it."""
    owner: dict[int, Draft] = {}
    for one in drafts:
        for line in one.lines:
            if line in words:
                owner.setdefault(line, one)
    return owner


def _forgotten(
    source: Sequence[str], words: Sequence[int], owner: dict[int, Draft], headings: Sequence[Heading]
) -> list[Draft]:
    """A note for each run of lines with words that nothing claims."""
    claimed = {number for heading in headings for number in range(heading.lines[0], heading.lines[1] + 1)}
    found: list[Draft] = []
    for number in words:
        if number in owner or number in claimed or not has_words(source[number - 1]):
            continue
        if found and found[-1].lines[-1] == number - 1:
            found[-1].lines.append(number)
            found[-1].fields["body"] = (
                f"{found[-1].fields.get('body') or found[-1].fields['title']}\n{source[number - 1].strip()}"
            )
        else:
            row = source[number - 1].strip()
            found.append(draft("note", row[:120], row, [number]))
    return found


def _decorations(
    source: Sequence[str],
    words: Sequence[int],
    owner: dict[int, Draft],
    taken: Sequence[int],
    unplaced: list[tuple[int, str]],
) -> None:
    """Lines without words: with the record above, or below where none is above."""
    known = {number for number, _ in unplaced}
    for number in words:
        if number in owner or number in known:
            continue
        if not taken:
            unplaced.append((number, source[number - 1].strip()))
            continue
        at = bisect_left(taken, number)
        owner[number] = owner[taken[at - 1] if at else taken[0]]


def _settle(drafts: Sequence[Draft], owner: dict[int, Draft]) -> None:
    """Each record's lines are those it owns; it cites what it was written on."""
    for one in drafts:
        one.cites = tuple(one.cites or one.lines)
        one.lines = []
    for number in sorted(owner):
        owner[number].lines.append(number)
    for one in drafts:
        one.cites = tuple(one.lines) or tuple(sorted(set(one.cites)))
