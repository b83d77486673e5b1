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
    lines: list[Line | Stretch] = []
    starts: list[AttemptStart] = []
    waiting: list[Parsed] = []
    is_first = is_new_generation

    def settle() -> None:
        nonlocal attempt, has_steps, waiting, is_first
        if waiting:
            standing = {} if is_unordered else last_steps
            some, begun = mark_attempts(waiting, standing, attempt, is_first and not is_unordered, has_steps)
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
        if is_unordered or _goes_on(one, last_steps, is_first):
            lines.append(one._replace(attempt=attempt))
            last_steps.update(dict.fromkeys(one.columns, one.steps[-1]))
            has_steps, is_first = True, False
        else:
            waiting = rows_of(one)
            settle()
    settle()
    return lines, starts, has_steps


def _goes_on(one: Stretch, last_steps: dict[str, int], is_first: bool) -> bool:
    steps = one.steps
    stands = max((last_steps[name] for name in one.columns if name in last_steps), default=None)
    is_after = stands is None or stands + (1 if is_first else 0) <= steps[0]
    return is_after and all(map(le, steps, steps[1:]))
