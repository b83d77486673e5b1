"""What a machine sent, as lines that can be kept: each checked by itself, so that a bad one costs no good one. Pure.

A kept line is JSON on one line: step, time, numbers by name, and the id in a list, where no reader takes it for a number.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from neatd.errors import NeatError
from neatd.read.metrics import STEP_KEYS, TIME_KEYS, as_step, as_time, numbers_in, parse_object

MOST_BYTES = 4 << 20
MOST_LINES = 20_000
MOST_NUMBERS = 2_000  # of one line
LONGEST_ID = LONGEST_NAME = 200  # characters
LARGEST_CONFIG = 1 << 20  # bytes; what the reader of parameters takes
MOST_SHOWN = 40  # characters of what was sent, in a reason
_BOM = b"\xef\xbb\xbf"


class RefusedError(NeatError):
    """Nothing of a request was taken, and `status` is the HTTP status that says why."""

    def __init__(self, status: int, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.status = status


class Line(NamedTuple):
    """A line that can be kept: what makes it the same when it comes again, and its bytes with the newline."""

    id: str
    data: bytes


class Refusal(NamedTuple):
    """A line that cannot be kept: its number in the body, from 1 on, and why."""

    line: int
    reason: str


class Body(NamedTuple):
    """A request's lines. `config`: the run's parameters, None when the first line tells none."""

    sent: int
    config: dict[str, Any] | None
    lines: tuple[Line, ...]
    refused: tuple[Refusal, ...]


def parse_body(body: bytes) -> Body:
    """NDJSON or a JSON array. Raises RefusedError for one that is too large, empty, or an array that is no JSON."""
    if len(body) > MOST_BYTES:
        raise RefusedError(413, f"more than {MOST_BYTES >> 20} MiB at once", "send fewer lines in each request")
    plain = body.removeprefix(_BOM)
    raws = _elements(plain) if plain.lstrip()[:1] == b"[" else plain.split(b"\n")
    numbered = [(number, raw) for number, raw in enumerate(raws, start=1) if raw.strip()]
    if len(numbered) > MOST_LINES:
        raise RefusedError(413, f"more than {MOST_LINES} lines at once", "send fewer lines in each request")
    if not numbered:
        raise RefusedError(400, "no line was sent", 'one JSON object a line: {"id": "1", "step": 1, "loss": 0.5}')
    return _body(numbered)


def _body(numbered: Sequence[tuple[int, bytes]]) -> Body:
    config: dict[str, Any] | None = None
    lines: list[Line] = []
    refused: list[Refusal] = []
    for n, (number, raw) in enumerate(numbered):
        data = parse_object(raw)
        found: Line | str
        if isinstance(data, str):
            found = data if _is_utf8(raw) else "not UTF-8"
        elif n == 0 and data.keys() == {"config"}:
            found = _wrong_config(data["config"])
            if not found:
                config = dict(data["config"])  # type: ignore[call-overload]
                continue
        else:
            found = line_of(data)
        if isinstance(found, str):
            refused.append(Refusal(number, found))
        else:
            lines.append(found)
    return Body(len(numbered), config, tuple(lines), tuple(refused))


def _elements(body: bytes) -> list[bytes]:
    """An array's elements, each as a line."""
    try:
        found = json.loads(body.decode("utf-8"))
        return [json.dumps(one).encode() for one in found]
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, f"the array is no JSON: {error}", "send an object a line, or one JSON array") from error


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _wrong_config(config: object) -> str:
    if not isinstance(config, dict):
        return "config is no JSON object"
    try:
        size = len(json.dumps(config))
    except RecursionError:
        return "config is nested too deep"
    return f"config is larger than {LARGEST_CONFIG >> 20} MiB" if size > LARGEST_CONFIG else ""


def line_of(data: dict[str, object]) -> Line | str:
    """The line as it is kept, or why it cannot be."""
    id = _id_of(data.get("id"))
    step = as_step(data.get("step"))
    time = as_time(data.get("time"))
    if not id:
        return f"no id: text of 1 to {LONGEST_ID} characters, or a whole number" if "id" in data else _without_id(data)
    if step is None:
        return "its step is not a whole number" if "step" in data else "no step"
    if time is None and data.get("time") is not None:
        return "its time is no number of seconds"
    wrong = _wrong_numbers(values := _numbers(data))
    kept = {"step": step, **({} if time is None else {"time": time}), **values, "id": [id]}
    return wrong or Line(id, json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


def _id_of(value: object) -> str:
    """Ids as text, so that 1 and "1" are the same; "" for what is none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value)
    return text if len(text) <= LONGEST_ID else ""


def _numbers(data: dict[str, object]) -> dict[str, float]:
    return numbers_in({name: one for name, one in data.items() if name not in (*STEP_KEYS, *TIME_KEYS, "id")}, "")


def _wrong_numbers(values: dict[str, float]) -> str:
    if not values:
        return "no number besides its step"
    if len(values) > MOST_NUMBERS:
        return f"more than {MOST_NUMBERS} numbers"
    odd = next((name for name in values if len(name) > LONGEST_NAME or not name.isprintable()), None)
    return (
        "" if odd is None else f"a name longer than {LONGEST_NAME} characters, or not printable: {odd[:MOST_SHOWN]!r}"
    )


def id_in(raw: bytes) -> str:
    """The id of a kept line; "" for a line that was not kept here."""
    data = parse_object(raw)
    id = data.get("id") if isinstance(data, dict) else None
    return id[0] if isinstance(id, list) and len(id) == 1 and isinstance(id[0], str) else ""


def _without_id(data: dict[str, object]) -> str:
    return "config is told by the first line of a request alone" if data.keys() == {"config"} else "no id"
