"""One TensorBoard event: its step, its time and the numbers in it. Pure.

Numbers come as `simple_value`, or as a tensor whose tag the "scalars" plugin claimed, in this event or an earlier one.
"""

from __future__ import annotations

from neatd.read.formats import tbhparams, tbtensor
from neatd.read.formats.protobuf import BYTES, FIXED32, FIXED64, FLOAT, VARINT, Cut, fields, integer, text
from neatd.read.formats.tbrows import STEP, TIME, Gathered, time_at, usual_at
from neatd.read.rows import Told

_SUMMARY = 5  # field of Event, beside TIME and STEP
_TAG, _SIMPLE, _IMAGE, _HISTOGRAM, _AUDIO, _TENSOR, _METADATA = 1, 2, 4, 5, 6, 8, 9  # fields of Summary.Value


class Reader:
    """Reads events that are not the usual ones of a tag; keeps which tags are scalars, and the rows of this feed."""

    def __init__(self, label: str, scalars: set[str]) -> None:
        self.label = label
        self.scalars = scalars  # tags whose tensors are numbers: later events need not say it again
        self.told: Told = {}
        self.found = Gathered()

    def read(self, payload: bytes, seq: int) -> None:
        """Take the row of an event that holds numbers. Raises Malformed or Cut when it is no event."""
        at = usual_at(payload)
        if at and (name := self._series(payload, at)):
            self.found.learn(payload, at, name)
        self._any(payload, seq)

    def _series(self, payload: bytes, pos: int) -> str | None:
        """The series, when the rest of the event is a summary of one value: a tag and a simple_value."""
        (summary,) = _only(payload, pos, len(payload), (_SUMMARY, BYTES)) or (None,)
        (value,) = (summary and _only(payload, *summary, (1, BYTES))) or (None,)
        tag = value and _only(payload, *value, (_TAG, BYTES), (_SIMPLE, FIXED32))
        return self.label + text(payload, *tag[0]) if tag else None

    def _any(self, payload: bytes, seq: int) -> None:
        step, time = 0, None
        values: dict[str, float] = {}
        for number, wire, start, stop in fields(payload, 0, len(payload)):
            if number == TIME and wire == FIXED64:
                time = time_at(payload, start)
            elif number == STEP and wire == VARINT:
                step = integer(payload, start)
            elif number == _SUMMARY and wire == BYTES:
                for n, w, s, e in fields(payload, start, stop):
                    if n == 1 and w == BYTES:
                        self._value(payload, s, e, values)
        if values:
            self.found.add(seq, step, time, values)

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
