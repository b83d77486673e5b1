"""Columns of numbers out of the small bytes that `packing` makes of them. Pure; stdlib only: short commands read too.

Bytes of equal weight were laid side by side before compression, since the high ones hardly change.
"""

from __future__ import annotations

import math
import struct
import zlib
from array import array
from itertools import accumulate

TICKS = 1 << 22  # a second: the finest that a float of unix seconds of this century tells
HALF = 1 << 63
EVEN = struct.Struct("<qqq")
HEAD = struct.Struct("<BBI")  # which planes are noise, which are one byte again and again, how many values


def unpack_floats(data: bytes) -> array[float]:
    """What `pack_floats` packed, as an array of doubles."""
    if data[:1] == b"i":
        power = 10 ** data[1]
        return array("d", [one / power for one in unpack_array(data[2:])])
    found = unpack_array(data[1:])
    return found if found.typecode == "d" else array("d", found)


def unpack_ints(data: bytes) -> array[int]:
    """What `pack_ints` packed."""
    if data[:1] == b"e":
        first, stride, count = EVEN.unpack(data[1:])
        return array("q", range(first, first + stride * count, stride))
    first = struct.unpack_from("<q", data, 1)[0]
    strides = unpack_array(data[9:])
    try:
        return array("q", accumulate(strides, initial=first))
    except OverflowError:  # distances between far numbers were kept modulo 64 bits
        return array("q", accumulate(strides, lambda a, b: (a + b + HALF) % (2 * HALF) - HALF, initial=first))


def unpack_times(data: bytes, count: int) -> list[float | None]:
    """What `pack_times` packed, for `count` rows."""
    if not data:
        return [None] * count
    if data[:1] in b"mt":
        ticks = 1000 if data[:1] == b"m" else TICKS
        return [one / ticks for one in unpack_ints(data[1:])]
    return [None if math.isnan(one) else one for one in unpack_floats(data[1:])]


def planes_of(data: bytes | memoryview) -> tuple[str, int, list[bytes | memoryview]]:
    """(typecode, how many values, their planes) of what `pack_array` packed; one plane of whole values where they are few."""
    code = chr(data[0])
    if code.isupper():
        code = code.lower()
        return code, (len(data) - 1) // array(code).itemsize, [data[1:]]
    noisy, same, count = HEAD.unpack_from(data, 1)
    rest: bytes | memoryview = memoryview(data)[1 + HEAD.size :]
    planes: list[bytes | memoryview] = []
    for at in range(array(code).itemsize):
        if noisy >> at & 1:
            planes.append(rest[:count])
            rest = rest[count:]
        elif same >> at & 1:
            planes.append(bytes(rest[:1]) * count)
            rest = rest[1:]
        else:
            unpacker = zlib.decompressobj(-15)
            planes.append(unpacker.decompress(rest))
            rest = unpacker.unused_data
    return code, count, planes


def unpack_array(data: bytes) -> array[float]:
    """What `pack_array` packed."""
    code, count, planes = planes_of(data)
    found: array[float] = array(code)
    if len(planes) == 1:
        found.frombytes(planes[0])
        return found
    raw = bytearray(count * found.itemsize)
    for at, plane in enumerate(planes):
        raw[at :: found.itemsize] = plane
    found.frombytes(raw)
    return found
