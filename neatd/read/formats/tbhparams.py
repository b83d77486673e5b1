"""What TensorBoard's hparams plugin says of a session: its hyperparameters and its start. Pure.

The end that `add_hparams` writes at once ("success", long before the training ends) is no truth and is not read.
"""

from __future__ import annotations

from typing import Any

from neatd.read.formats.protobuf import BYTES, FIXED64, VARINT, double, fields, text, varint
from neatd.read.rows import Told

PLUGIN = "hparams"
SESSION_START = "_hparams_/session_start_info"
_LARGEST_DEPTH = 20


def session(data: bytes, start: int, stop: int) -> Told:
    """The facts of an HParamsPluginData message; none when it holds no start of a session."""
    told: Told = {}
    for number, wire, at, end in fields(data, start, stop):
        if number == 3 and wire == BYTES:
            _start(data, at, end, told)
    return told


def _start(data: bytes, start: int, stop: int, told: Told) -> None:
    config = _entries(data, start, stop, 0)
    if config:
        told["config"] = config
    for number, wire, at, _ in fields(data, start, stop):
        if number == 5 and wire == FIXED64 and 0 < double(data, at) < 1e18:
            told["started_at"] = double(data, at)


def _entries(data: bytes, start: int, stop: int, depth: int) -> dict[str, Any]:
    """A map<string, google.protobuf.Value> in field 1."""
    found: dict[str, Any] = {}
    for number, wire, at, end in fields(data, start, stop):
        if number != 1 or wire != BYTES:
            continue
        key, value = "", None
        for n, w, s, e in fields(data, at, end):
            if n == 1 and w == BYTES:
                key = text(data, s, e)
            elif n == 2 and w == BYTES:
                value = _value(data, s, e, depth)
        found[key] = value
    return found


def _value(data: bytes, start: int, stop: int, depth: int) -> Any:
    """A google.protobuf.Value. All its numbers are doubles; whole ones are given as integers."""
    value: Any = None
    for number, wire, at, end in fields(data, start, stop):
        if number == 2 and wire == FIXED64:
            real = double(data, at)
            value = int(real) if real.is_integer() and abs(real) < 2**53 else real
        elif number == 3 and wire == BYTES:
            value = text(data, at, end)
        elif number == 4 and wire == VARINT:
            value = varint(data, at)[0] != 0
        elif number in (5, 6) and wire == BYTES and depth < _LARGEST_DEPTH:
            value = _entries(data, at, end, depth + 1) if number == 5 else _list(data, at, end, depth + 1)
    return value


def _list(data: bytes, start: int, stop: int, depth: int) -> list[Any]:
    return [_value(data, s, e, depth) for n, w, s, e in fields(data, start, stop) if n == 1 and w == BYTES]
