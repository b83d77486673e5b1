"""Single values looked up in a metrics file itself, read as the daemon reads it: attempts, steps, unfinished last line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from neatd.models import AttemptStart, Cursor
from neatd.read.metrics import mark_attempts, parse_metrics
from neatd.read.tail import read_turn

TURN_BYTES = 4 << 20

Wanted = tuple[str, int]  # metric, step


def values_in(
    path: Path, wanted: Iterable[Wanted], on_bytes: Callable[[int], None] = lambda _: None
) -> dict[Wanted, float]:
    """Those of `wanted` that the file has in its current attempt. Raises OSError when it cannot be read.

    One pass whatever is wanted: 100 MB take about ten seconds, so `on_bytes` is told how far it is.
    """
    asked = frozenset(wanted)
    steps = {step for _, step in asked}
    cursor, last_steps = Cursor(), dict[str, int]()
    found: dict[Wanted, tuple[int, float]] = {}  # with the attempt that wrote it
    starts: list[AttemptStart] = []
    has_more = True
    while has_more:
        turn = read_turn(path, cursor, TURN_BYTES, take_tail=True)
        if turn.cursor.generation > 1:
            raise OSError(f"{path} was replaced while it was read")
        parsed, _ = parse_metrics(turn.lines)
        lines, begun = mark_attempts(parsed, last_steps, cursor.attempt, False, cursor.has_steps)
        starts += begun
        for line in lines:
            if line.step in steps:
                found |= {(n, line.step): (line.attempt, v) for n, v in line.values.items() if (n, line.step) in asked}
        has_steps = cursor.has_steps or any(not one.is_counted for one in parsed)
        attempt = starts[-1].attempt if starts else 1
        cursor = turn.cursor.model_copy(update={"attempt": attempt, "has_steps": has_steps})
        has_more = turn.has_more
        on_bytes(cursor.offset)
    return {key: value for key, (attempt, value) in found.items() if not _is_abandoned(key[1], attempt, starts)}


def _is_abandoned(step: int, attempt: int, starts: list[AttemptStart]) -> bool:
    return any(start.attempt > attempt and start.from_step <= step for start in starts)
