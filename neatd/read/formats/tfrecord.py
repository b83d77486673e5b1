"""The framing of TFRecord files, which hold TensorBoard's events: length, its checksum, data, its checksum. Pure.

The checksums are crc32c, turned and shifted ("masked"). A file whose size runs ahead of its content (network file
systems, a machine that went down) reads as zeros at its end: those are not yet written, not damaged.
"""

from __future__ import annotations

import re
from struct import Struct

from google_crc32c import value as crc32c  # in C: 3 GB/s; in Python it was most of the time other readers take

HEADER = Struct("<QI")
FOOTER = Struct("<I")
LARGEST = 2**31  # what a protobuf message can be
_WRITTEN = re.compile(rb"[^\0]")
_KNOWN_HEADERS = 4096  # more are not kept


class Damaged(ValueError):
    """A header that cannot be true: where the next record starts is not known."""


def masked(data: bytes) -> int:
    """The checksum of data as a record holds it."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFF_FFFF


def frame(data: bytes, pos: int, known: dict[bytes, int]) -> tuple[int, int] | None:
    """(start, stop) of the data of the record at `pos`, `stop` may lie beyond; None when its header is cut short or not
    yet written. `known` keeps the headers that were checked, with their lengths: lengths repeat.
    """
    start = pos + HEADER.size
    if start > len(data):
        return None
    header = data[pos:start]
    length = known.get(header)
    if length is None:
        try:
            length = _length(header)
        except Damaged:
            if is_unwritten(data, start):
                return None
            raise
        if len(known) >= _KNOWN_HEADERS:
            known.clear()
        known[header] = length
    return start, start + length


def _length(header: bytes) -> int:
    length, crc = HEADER.unpack(header)
    if masked(header[:8]) != crc:
        raise Damaged("the checksum of a record's length is wrong")
    if length > LARGEST:
        raise Damaged(f"a record of {length} bytes")
    return int(length)


def is_true(payload: bytes, data: bytes, stop: int) -> bool:
    """Whether the record's data, which ends at `stop`, has its checksum behind it."""
    return masked(payload) == int(FOOTER.unpack_from(data, stop)[0])


def is_unwritten(data: bytes, end: int) -> bool:
    """Whether the byte before `end` and all behind it are zeros."""
    return data[end - 1] == 0 and _WRITTEN.search(data, end) is None
