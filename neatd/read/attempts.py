"""Rows of a stream to the attempts of its run: a row that steps back begins a new one. Pure.

Columns stay columns as long as they go on from where their series stand; else they are looked at row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import le

from neatd.models import AttemptStart, Line, Stretch
from neatd.read.metrics import mark_attempts
from neatd.read.rows import Parsed


def rows_of(stretch: Stretch) -> list[Parsed]:
    """A stretch row by row."""
    names, values = list(stretch.columns), zip(*stretch.columns.values(), strict=True)
    if not names:
        return [Parsed(seq, step, time, {}) for seq, step, time in zip(*stretch[:3], strict=True)]
    cells = zip(stretch.seqs, stretch.steps, stretch.times, values, strict=True)
    return [Parsed(seq, step, time, dict(zip(names, row, strict=True))) for seq, step, time, row in cells]


def mark(
    rows: Sequence[Parsed | Stretch], last_steps: dict[str, int], attempt: int, is_new_generation: bool, has_steps: bool,
    is_unordered: bool = False,
) -> tuple[list[Line | Stretch], list[AttemptStart], bool]:  # fmt: skip
    """(lines with their attempts, attempts begun in them, whether any row so far named its step).

    As `metrics.mark_attempts`, which judges single rows. `is_unordered`: rows come in any order (trials of a study that
    run at once), so that a step back means nothing.
    """
    if is_unordered:
        return _unordered(rows, last_steps, attempt, has_steps)
    lines: list[Line | Stretch] = []
    starts: list[AttemptStart] = []
    waiting: list[Parsed] = []
    is_first = is_new_generation

    def settle() -> None:
        nonlocal attempt, has_steps, waiting, is_first
        if waiting:
            some, begun = mark_attempts(waiting, last_steps, attempt, is_first, has_steps)
            lines.extend(some)
            starts.extend(begun)
            attempt = begun[-1].attempt if begun else attempt
            has_steps = has_steps or any(not row.is_counted for row in waiting)
            waiting, is_first = [], False

    for one in rows:
        if isinstance(one, Parsed):
            waiting.append(one)
            continue
        settle()
        if _goes_on(one, last_steps, is_first):
            lines.append(one._replace(attempt=attempt))
            last_steps.update(dict.fromkeys(one.columns, one.steps[-1]))
            has_steps, is_first = True, False
        else:
            waiting = rows_of(one)
            settle()
    settle()
    return lines, starts, has_steps


def _unordered(
    rows: Sequence[Parsed | Stretch], last_steps: dict[str, int], attempt: int, has_steps: bool
) -> tuple[list[Line | Stretch], list[AttemptStart], bool]:
    lines: list[Line | Stretch] = []
    for one in rows:
        if isinstance(one, Parsed):
            lines.append(Line(one.seq, attempt, one.step, one.time, one.values))
            last_steps.update(dict.fromkeys(one.values, one.step))
        else:
            lines.append(one._replace(attempt=attempt))
            last_steps.update(dict.fromkeys(one.columns, one.steps[-1]))
    return lines, [], has_steps or any(isinstance(one, Stretch) or not one.is_counted for one in rows)


def mark_next_file(
    rows: Sequence[Parsed | Stretch], last_steps: dict[str, int], attempt: int
) -> tuple[list[Line | Stretch], list[AttemptStart], bool]:
    """The same for the first rows of a file that goes on from another, of a format whose writer begins a new file when it
    is restarted: only the first row of each series tells whether it was; a later step back is the trainer's own way to count.
    """
    lines: list[Line | Stretch] = []
    starts: list[AttemptStart] = []
    seen: set[str] = set()
    for row in (row for one in rows for row in ([one] if isinstance(one, Parsed) else rows_of(one))):
        fresh = {name: value for name, value in row.values.items() if name not in seen}
        if fresh:
            _, begun = mark_attempts([row._replace(values=fresh)], last_steps, attempt, not seen)
            starts += begun
            attempt = begun[-1].attempt if begun else attempt
            seen |= fresh.keys()
        last_steps.update(dict.fromkeys(row.values, row.step))
        lines.append(Line(row.seq, attempt, row.step, row.time, row.values))
    return lines, starts, bool(lines)


def _goes_on(one: Stretch, last_steps: dict[str, int], is_first: bool) -> bool:
    steps = one.steps
    stands = max((last_steps[name] for name in one.columns if name in last_steps), default=None)
    is_after = stands is None or stands + (1 if is_first else 0) <= steps[0]
    return is_after and all(map(le, steps, steps[1:]))
