"""JSONL metrics: a line of bytes becomes a step, a time and named numbers. Pure; what cannot be read is named, not dropped.

Python writers emit bare NaN and Infinity, so the standard parser is used: faster ones refuse those.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

from neatd.models import AttemptStart, Line
from neatd.read.rows import BadLine, Parsed

STEP_KEYS = ("step", "global_step", "_step", "iteration", "iter", "current_steps", "training_iteration")
TIME_KEYS = ("time", "timestamp", "_timestamp", "wall_time")
_NAMED = {
    "nan": math.nan, "infinity": math.inf, "-infinity": -math.inf, "inf": math.inf, "-inf": -math.inf,
}  # fmt: skip
SYSTEM = "system/"  # series of the machine go along with the training and name no step
LARGEST_STEP = 2**63 - 1  # what SQLite holds


def parse_metrics(lines: Iterable[tuple[int, bytes]], prefix: str = "") -> tuple[list[Parsed], list[BadLine]]:
    """(readable lines, unreadable ones). Without any step key the line's ordinal is its step."""
    good: list[Parsed] = []
    bad: list[BadLine] = []
    for seq, raw in lines:
        data = parse_object(raw)
        if isinstance(data, str):
            bad.append(BadLine(seq, data))
            continue
        step = _step(data, seq)
        if step is None:
            bad.append(BadLine(seq, "its step is not a whole number"))
            continue
        values: dict[str, float] = {}
        try:
            _numbers(data, prefix, values, top=True)
        except RecursionError:  # from Python 3.12 on, json reads deeper than Python code may call itself
            bad.append(BadLine(seq, "nested too deep"))
            continue
        is_counted = not any(key in data for key in STEP_KEYS)
        good.append(Parsed(seq, step, _time(data), values, is_counted))
    return good, bad


def parse_object(raw: bytes) -> dict[str, object] | str:
    """The line's JSON object, or why there is none."""
    try:
        text = raw.decode("utf-8-sig")
        data = json.loads(text)
        if "\\ud" in text or "\\uD" in text:  # JSON can spell half of a surrogate pair, which SQLite refuses: "?" then
            data = json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):  # includes bytes that are not UTF-8
        return "not JSON"
    return data if isinstance(data, dict) else "not a JSON object"


def _step(data: dict[str, object], seq: int) -> int | None:
    for key in STEP_KEYS:
        if key in data:
            return as_step(data[key])
    return seq


def as_step(value: object) -> int | None:
    """A step as the store holds it; None when it is no whole number or too large a one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    is_step = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_STEP
    return value if is_step else None  # type: ignore[return-value]


def _time(data: dict[str, object]) -> float | None:
    return next((time for key in TIME_KEYS if (time := as_time(data.get(key))) is not None), None)


def as_time(value: object) -> float | None:
    """Unix seconds; None for what is no such number."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e18 and value == value:
        return float(value) / 1000 if value > 1e11 else float(value)  # milliseconds
    return None


def numbers_in(data: dict[str, object], prefix: str) -> dict[str, float]:
    """The numbers of an object, by names joined with slashes; none of one that is nested too deep."""
    found: dict[str, float] = {}
    try:
        _numbers(data, prefix, found)
    except RecursionError:
        return {}
    return found


def _numbers(data: dict[str, object], prefix: str, found: dict[str, float], top: bool = False) -> None:
    for key, value in data.items():
        if top and (key in STEP_KEYS or key in TIME_KEYS):
            continue
        if isinstance(value, dict):
            _numbers(value, f"{prefix}{key}/", found)
        else:
            number = as_number(value)
            if number is not None:
                found[prefix + key] = number


def as_number(value: object) -> float | None:
    """A metric's number; strings only for the non-finite ones that strict JSON writers spell out."""
    if isinstance(value, str):
        return _NAMED.get(value.lower())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def mark_attempts(
    parsed: Iterable[Parsed],
    last_steps: dict[str, int],
    attempt: int,
    is_new_generation: bool,
    has_steps: bool = False,
) -> tuple[list[Line], list[AttemptStart]]:
    """Number the attempts: a line whose series already stood at a later step begins a new one.

    The first line of a replaced file begins one at an equal step too. `last_steps` (series -> last step of the current
    attempt) is brought forward in place. `has_steps`: lines before these named steps; then one that names none (a
    summary, a late evaluation) belongs to where its series stand, and is no step of its own.
    """
    lines: list[Line] = []
    starts: list[AttemptStart] = []
    slack = 1 if is_new_generation else 0
    for seq, step, time, values, is_counted in parsed:
        if is_counted and has_steps:
            own = [last_steps[name] for name in values if name in last_steps and not name.startswith(SYSTEM)]
            standing = own or list(last_steps.values())
            step = max(standing, default=step)
        has_steps = has_steps or not is_counted
        if any(last_steps.get(name, step - 1) + slack > step for name in values):
            attempt += 1
            starts.append(AttemptStart(attempt, seq, step))
            for name, last in last_steps.items():
                last_steps[name] = min(last, step - 1)
        slack = 0
        for name in values:
            last_steps[name] = step
        lines.append(Line(seq, attempt, step, time, values))
    return lines, starts
