"""Protobuf messages walked field by field, without their schema. Pure.

The walk yields where each field lies and touches no value, so a message is walked past what is not wanted, also when
only its first bytes are there: `Cut` says that the next field's header is not, `Malformed` that this is no message.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types; groups (3, 4) are written by nobody any more
DOUBLE, FLOAT = Struct("<d"), Struct("<f")
_SIZES = {FIXED64: 8, FIXED32: 4}


class Malformed(ValueError):
    """These bytes are no message."""


class Cut(Exception):
    """The bytes end before this is known."""


def varint(data: bytes, pos: int) -> tuple[int, int]:
    """(an unsigned number of 64 bits, the position behind it)."""
    number = shift = 0
    size = len(data)
    while True:
        if pos >= size:
            raise Cut
        byte = data[pos]
        pos += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & 0xFFFF_FFFF_FFFF_FFFF, pos
        shift += 7
        if shift > 63:
            raise Malformed("a number of more than 10 bytes")


def fields(data: bytes, pos: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """(number, wire type, start, stop) of each field of the message in data[pos:end]; `end` may lie beyond the data.

    A field of BYTES lies in [start, stop) without its length.
    """
    size = len(data) - 1
    while pos < end:
        tag = data[pos] if pos < size else 0
        if 8 < tag < 0x80 and tag & 7 == BYTES and data[pos + 1] < 0x80:  # most fields: no number takes two bytes
            start = pos + 2
            pos = start + data[pos + 1]
            if pos > end:
                raise Malformed("a field that reaches beyond its message")
            yield tag >> 3, BYTES, start, pos
            continue
        tag, start = varint(data, pos)
        wire = tag & 7
        if wire == VARINT:
            stop = varint(data, start)[1]
        elif wire == BYTES:
            length, start = varint(data, start)
            stop = start + length
        elif wire in _SIZES:
            stop = start + _SIZES[wire]
        else:
            raise Malformed(f"wire type {wire}")
        if stop > end or tag < 8:
            raise Malformed("a field that reaches beyond its message" if stop > end else "field number 0")
        yield tag >> 3, wire, start, stop
        pos = stop


def signed(number: int) -> int:
    """An int32 or int64 field: negative numbers are written as their two's complement of 64 bits."""
    return number - (1 << 64) if number >> 63 else number


def zigzag(number: int) -> int:
    """A sint32 or sint64 field."""
    return (number >> 1) ^ -(number & 1)


def integer(data: bytes, start: int) -> int:
    """The value of an int32 or int64 field."""
    return signed(varint(data, start)[0])


def text(data: bytes, start: int, stop: int) -> str:
    """The value of a string field; bytes that are no UTF-8 are replaced."""
    return data[start:stop].decode("utf-8", "replace")


def double(data: bytes, start: int) -> float:
    """The value of a double field."""
    number: float = DOUBLE.unpack_from(data, start)[0]
    return number


def timestamp(data: bytes, start: int, stop: int) -> float:
    """A google.protobuf.Timestamp in unix seconds."""
    seconds = nanos = 0
    for number, wire, at, _ in fields(data, start, stop):
        if wire == VARINT and number == 1:
            seconds = integer(data, at)
        elif wire == VARINT and number == 2:
            nanos = integer(data, at)
    return seconds + nanos / 1e9
