"""Rows of a stream to the attempts of its run: a row that steps back begins a new one. Pure.

Columns stay columns as long as they go on from where their series stand; else they are looked at row by row.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from operator import attrgetter, itemgetter, le

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
        else:
            lines.append(one._replace(attempt=attempt))
    _stand(last_steps, lines)
    return lines, [], has_steps or any(isinstance(one, Stretch) or not one.is_counted for one in rows)


def mark_next_file(
    rows: Sequence[Parsed | Stretch], last_steps: dict[str, int], attempt: int
) -> tuple[list[Line | Stretch], list[AttemptStart], bool]:
    """The same for the first rows of a file that goes on from another, of a format whose writer begins a new file when it
    is restarted: only the first row of each series tells whether it was; a later step back is the trainer's own way to count.
    """
    starts = _first_starts(rows, last_steps, attempt)
    lines: list[Line | Stretch] = []
    bounds = [start.from_seq for start in starts]
    for start, part in zip([None, *starts], _cut(rows, bounds), strict=True):
        if start is not None:
            attempt = start.attempt
            _step_back(last_steps, start.from_step)
        lines += _unordered(part, last_steps, attempt, True)[0]
    return lines, starts, bool(lines)


def _first_starts(rows: Sequence[Parsed | Stretch], last_steps: dict[str, int], attempt: int) -> list[AttemptStart]:
    """The attempts that the first rows of each series begin. A stretch names all its series in its first row."""
    stands, seen = dict(last_steps), set[str]()
    starts: list[AttemptStart] = []
    for one in rows:  # in the order of their first rows
        values = one.values if isinstance(one, Parsed) else one.columns
        fresh = dict.fromkeys((name for name in values if name not in seen), 0.0)
        if fresh:
            step = one.step if isinstance(one, Parsed) else one.steps[0]
            _, begun = mark_attempts([Parsed(one.seq, step, None, fresh)], stands, attempt, not seen)
            starts += begun
            attempt = begun[-1].attempt if begun else attempt
            seen |= fresh.keys()
    return starts


def _cut(rows: Sequence[Parsed | Stretch], bounds: list[int]) -> Iterator[list[Parsed | Stretch]]:
    """The rows before, between and behind these ordinals, each part in the order of its pieces' first rows."""
    rest = list(rows)
    for bound in bounds:
        place = bisect_left(rest, bound, key=attrgetter("seq"))
        halves = [_halves(one, bound) for one in rest[:place]]
        yield [before for before, _ in halves]
        rest = sorted([*(behind for _, behind in halves if behind), *rest[place:]], key=attrgetter("seq"))
    yield rest


def _halves(one: Parsed | Stretch, bound: int) -> tuple[Parsed | Stretch, Stretch | None]:
    """(what of it lies before an ordinal that is behind its first one, what from there on)."""
    if isinstance(one, Parsed) or one.seqs[-1] < bound:
        return one, None
    place = bisect_left(one.seqs, bound)
    return _slice(one, slice(place)), _slice(one, slice(place, None))


def _slice(one: Stretch, rows: slice) -> Stretch:
    columns = {name: values[rows] for name, values in one.columns.items()}
    return Stretch(one.seqs[rows], one.steps[rows], one.times[rows], columns, one.attempt)


def _step_back(last_steps: dict[str, int], step: int) -> None:
    """An attempt begins at `step`: no series stands there or further."""
    for name, last in last_steps.items():
        last_steps[name] = min(last, step - 1)


def _stand(last_steps: dict[str, int], lines: Sequence[Line | Stretch]) -> None:
    """Bring forward where series stand: at the last of the lines that name them, in whatever stretch it lies."""
    ends = [
        (one.seqs[-1], one.steps[-1], one.columns) if isinstance(one, Stretch) else (one.seq, one.step, one.values)
        for one in lines
    ]
    for _, step, names in sorted(ends, key=itemgetter(0)):
        last_steps.update(dict.fromkeys(names, step))


def _goes_on(one: Stretch, last_steps: dict[str, int], is_first: bool) -> bool:
    steps = one.steps
    stands = max((last_steps[name] for name in one.columns if name in last_steps), default=None)
    is_after = stands is None or stands + (1 if is_first else 0) <= steps[0]
    return is_after and all(map(le, steps, steps[1:]))
