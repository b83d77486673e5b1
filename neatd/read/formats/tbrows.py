"""The rows of a feed's TensorBoard events by the names in them, and the fast way through the events of one simple_value. Pure.

Nine in ten events hold wall_time, step and one simple_value. All bytes between step and value then belong to the tag alone,
so they are looked up and not walked through. What is learned lasts for one feed: it changes no row, only the time it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from struct import Struct
from typing import Any

from neatd.read.attempts import rows_of
from neatd.read.formats.protobuf import DOUBLE, FIXED64, FLOAT, VARINT, Cut, Malformed, signed, varint
from neatd.read.formats.tfrecord import FOOTER, HEADER, crc32c
from neatd.read.rows import Parsed, Stretch

TIME, STEP = 1, 2  # fields of Event
LEAST = 16  # rows with the same names that are worth columns
_TIME_TAG, _STEP_TAG = TIME << 3 | FIXED64, STEP << 3 | VARINT
LARGE = 4096  # bytes; a smaller record costs less to check than to look into
_SHORTEST = 20  # bytes of an event with one simple_value
_HEAD = Struct("<BdBBBB")  # wall_time with its tag, the tag of step, the first bytes of step
_TAIL = Struct("<fI")  # the number that ends the usual event, the checksum behind it
_HEADER, _FOOTER, _NUMBER = HEADER.size, FOOTER.size, FLOAT.size
_LATEST = 1e18  # seconds; no time is later

_PLACE = 3  # cells of a row before its numbers: ordinal, step, time


class Gathered:
    """Rows by their names, in file order."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, ...], list[Any]] = {}  # names -> cells row by row: an object a row costs far more
        self._usual: dict[bytes, Callable[[tuple[Any, ...]], None]] = {}  # the bytes between step and number -> extend

    def learn(self, payload: bytes, at: int, name: str) -> None:
        """The events that look like this one are of this series; `at` is where `usual_at` says that its tag begins."""
        self._usual[payload[at:-_NUMBER]] = self._found.setdefault((name,), []).extend

    def add(self, seq: int, step: int, time: float | None, values: dict[str, float]) -> None:
        """Add the row of any event."""
        self._found.setdefault(tuple(values), []).extend((seq, step, time, *values.values()))

    def take(self, data: bytes, pos: int, seq: int, known: Mapping[bytes, int]) -> tuple[int, int]:
        """(the position, the last ordinal) behind the usual events of true records that stand at `pos` one after another.

        The first record that is anything else, or of a tag not learned yet, ends this. `known`: the checked headers.
        """
        last, usual = len(data) - _FOOTER, self._usual
        head, tail = _HEAD.unpack_from, _TAIL.unpack_from
        while True:
            start = pos + _HEADER
            length = known.get(data[pos:start], 0)
            stop = start + length
            if not _SHORTEST <= length <= LARGE or stop > last:
                return pos, seq
            payload = data[start:stop]
            first, time, second, a, b, c = head(payload)
            if first != _TIME_TAG:
                return pos, seq
            if second != _STEP_TAG:
                step, at = 0, 9
            elif a < 0x80:
                step, at = a, 11
            elif b < 0x80:
                step, at = a & 0x7F | b << 7, 12
            elif c < 0x80:
                step, at = a & 0x7F | (b & 0x7F) << 7 | c << 14, 13
            else:
                try:
                    step, at = _step(payload)
                except (Malformed, Cut):
                    return pos, seq
            extend = usual.get(payload[at:-_NUMBER])
            if extend is None:
                return pos, seq
            number, footer = tail(data, stop - _NUMBER)
            crc = crc32c(payload)  # `masked` written out, as the step is: a call is a fifth of the time of an event
            if ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFF_FFFF != footer:
                return pos, seq
            seq += 1
            extend((seq, step, time if 0 < time < _LATEST else None, number))
            pos = stop + _FOOTER

    def rows(self) -> list[Parsed | Stretch]:
        """All rows so far: many with the same names as columns, by the ordinals they begin with."""
        rows: list[Parsed | Stretch] = []
        for names, cells in self._found.items():
            width = _PLACE + len(names)
            seqs, steps, times, *columns = (cells[place::width] for place in range(width))
            one = Stretch(seqs, steps, times, dict(zip(names, columns, strict=True)))
            if len(seqs) < LEAST:
                rows += rows_of(one)
            else:
                rows.append(one)
        return sorted(rows, key=attrgetter("seq"))


def usual_at(payload: bytes) -> int:
    """Where the tag begins, if this is one of the usual events; else 0."""
    if len(payload) < _SHORTEST or payload[0] != _TIME_TAG:
        return 0
    return _step(payload)[1] if payload[9] == _STEP_TAG else 9


def _step(payload: bytes) -> tuple[int, int]:
    """(the step that begins at byte 10, the position behind it)."""
    step, pos = varint(payload, 10)
    return signed(step), pos


def time_at(data: bytes, start: int) -> float | None:
    """wall_time; None where it is not set or no time."""
    at: float = DOUBLE.unpack_from(data, start)[0]
    return at if 0 < at < _LATEST else None
