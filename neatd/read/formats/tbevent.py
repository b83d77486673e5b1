"""One TensorBoard event: its step, its time and the numbers in it. Pure.

Numbers come as `simple_value`, or as a tensor whose tag the "scalars" plugin claimed, in this event or an earlier one.
"""

from __future__ import annotations

from struct import Struct

from neatd.read.formats import tbhparams, tbtensor
from neatd.read.formats.protobuf import (
    BYTES,
    DOUBLE,
    FIXED32,
    FIXED64,
    FLOAT,
    VARINT,
    Cut,
    fields,
    integer,
    signed,
    text,
    varint,
)  # fmt: skip
from neatd.read.rows import Parsed, Told

_TIME, _STEP, _SUMMARY = 1, 2, 5  # fields of Event
_TAG, _SIMPLE, _IMAGE, _HISTOGRAM, _AUDIO, _TENSOR, _METADATA = 1, 2, 4, 5, 6, 8, 9  # fields of Summary.Value
_SHORTEST = 20  # bytes of an event with one simple_value
_HEAD = Struct("<BdBBBB")  # wall_time with its tag, the tag of step, the first bytes of step
_END = FLOAT.size
_LATEST = 1e18  # seconds; no time is later


class Reader:
    """Reads events; keeps which tags are scalars and, for this feed, how the usual events of a tag look."""

    def __init__(self, label: str, scalars: set[str]) -> None:
        self.label = label
        self.scalars = scalars  # tags whose tensors are numbers: later events need not say it again
        self.told: Told = {}
        self._usual: dict[bytes, str | None] = {}  # the bytes between step and number -> the series, None: no usual one

    def read(self, payload: bytes, seq: int) -> Parsed | None:
        """The event's row; None when it holds no number. Raises Malformed or Cut when it is no event."""
        # Nine in ten events hold wall_time, step and one simple_value. All bytes between step and value then belong
        # to the tag alone, so they are decoded once a tag: a quarter of the time.
        if len(payload) >= _SHORTEST:
            first, time, second, a, b, c = _HEAD.unpack_from(payload)
            if first == _TIME << 3 | FIXED64:
                step, pos = 0, 9
                if second == _STEP << 3 | VARINT:
                    step, pos = _step(payload, a, b, c)
                between = payload[pos:-_END]
                name = self._usual.get(between, "")
                if name == "":
                    name = self._usual[between] = self._series(payload, pos)
                if name is not None:
                    number: float = FLOAT.unpack_from(payload, len(payload) - _END)[0]
                    return Parsed(seq, step, time if 0 < time < _LATEST else None, {name: number})
        return self._any(payload, seq)

    def _series(self, payload: bytes, pos: int) -> str | None:
        """The series, when the rest of the event is a summary of one value: a tag and a simple_value."""
        (summary,) = _only(payload, pos, len(payload), (_SUMMARY, BYTES)) or (None,)
        (value,) = (summary and _only(payload, *summary, (1, BYTES))) or (None,)
        tag = value and _only(payload, *value, (_TAG, BYTES), (_SIMPLE, FIXED32))
        return self.label + text(payload, *tag[0]) if tag else None

    def _any(self, payload: bytes, seq: int) -> Parsed | None:
        step, time = 0, None
        values: dict[str, float] = {}
        for number, wire, start, stop in fields(payload, 0, len(payload)):
            if number == _TIME and wire == FIXED64:
                time = _time(payload, start)
            elif number == _STEP and wire == VARINT:
                step = integer(payload, start)
            elif number == _SUMMARY and wire == BYTES:
                for n, w, s, e in fields(payload, start, stop):
                    if n == 1 and w == BYTES:
                        self._value(payload, s, e, values)
        return Parsed(seq, step, time, values) if values else None

    def _value(self, data: bytes, start: int, stop: int, values: dict[str, float]) -> None:
        tag, plugin, content = "", None, (0, 0)
        number: float | None = None
        tensor: tuple[int, int] | None = None
        for field, wire, at, end in fields(data, start, stop):
            if field == _TAG and wire == BYTES:
                tag = text(data, at, end)
            elif field == _SIMPLE and wire == FIXED32:
                number = FLOAT.unpack_from(data, at)[0]
            elif field == _TENSOR and wire == BYTES:
                tensor = (at, end)
            elif field == _METADATA and wire == BYTES:
                plugin, content = _plugin(data, at, end)
        if plugin == "scalars":
            self.scalars.add(tag)
        elif plugin == tbhparams.PLUGIN and tag == tbhparams.SESSION_START:
            self.told.update(tbhparams.session(data, *content))
        if tensor and plugin in (None, "scalars") and tag in self.scalars:
            number = tbtensor.number(data, *tensor)
        if number is not None and self.label + tag:
            values[self.label + tag] = number


def may_hold_numbers(data: bytes, start: int, stop: int) -> bool:
    """False when the event in data[start:stop] surely holds none, told from fields' headers; `stop` may lie beyond.

    The answer does not change as more of the event comes, but from "may" to "surely not".
    """
    try:
        return any(
            _may_be_number(data, s, e)
            for number, wire, at, end in fields(data, start, stop)
            if number == _SUMMARY and wire == BYTES
            for n, w, s, e in fields(data, at, end)
            if n == 1 and w == BYTES
        )
    except (ValueError, Cut):  # looked at again once it is whole and its checksum is known
        return True


def _may_be_number(data: bytes, start: int, stop: int) -> bool:
    for field, wire, at, end in fields(data, start, stop):
        if field == _TAG and wire == BYTES:
            if data.startswith(b"_hparams_/", at, end):
                return True
        elif field == _SIMPLE:
            return True
        elif field in (_IMAGE, _HISTOGRAM, _AUDIO):  # a value is one of these and nothing besides
            return False
        elif field == _TENSOR:
            return end - at <= tbtensor.LARGEST_NUMBER
    return False


def _only(data: bytes, start: int, stop: int, *wanted: tuple[int, int]) -> list[tuple[int, int]] | None:
    """Where the fields lie, when the message holds just these (number, wire type) in this order."""
    found = list(fields(data, start, stop))
    return [one[2:] for one in found] if [one[:2] for one in found] == list(wanted) else None


def _plugin(data: bytes, start: int, stop: int) -> tuple[str | None, tuple[int, int]]:
    """(the plugin a SummaryMetadata names, where its content lies)."""
    name: str | None = None
    content = (0, 0)
    for number, wire, at, end in fields(data, start, stop):
        if number == 1 and wire == BYTES:
            for n, w, s, e in fields(data, at, end):
                if n == 1 and w == BYTES:
                    name = text(data, s, e)
                elif n == 2 and w == BYTES:
                    content = (s, e)
    return name, content


def _time(data: bytes, start: int) -> float | None:
    """wall_time; None where it is not set or no time."""
    at: float = DOUBLE.unpack_from(data, start)[0]
    return at if 0 < at < _LATEST else None


def _step(payload: bytes, a: int, b: int, c: int) -> tuple[int, int]:
    """(the step that begins at byte 10 with a, b and c, the position behind it): steps below 2^21 without a loop."""
    if a < 0x80:
        return a, 11
    if b < 0x80:
        return a & 0x7F | b << 7, 12
    if c < 0x80:
        return a & 0x7F | (b & 0x7F) << 7 | c << 14, 13
    step, pos = varint(payload, 10)
    return signed(step), pos
