"""Columns of numbers as small bytes, and back, bit for bit (but for the sign of a zero). Pure; stdlib only.

Trainers write three kinds of numbers: float32 written out in full, decimals of a few digits, and steps at even
distances. Each has its own packing; what is none of them is kept as it is. Bytes of equal weight are laid side by side
before compression (`_shuffled`), since the high ones hardly change.
"""

from __future__ import annotations

import math
import struct
import zlib
from array import array
from collections.abc import Sequence
from operator import sub

_LEVEL = 1  # of zlib: 6 takes three times as long and saves 3 % of these bytes
_DECIMALS = (0, 2, 4, 3, 6, 1, 5)
_SAMPLE = 16
_PIECE, _NOISE = 1024, 0.95  # so many bytes of a plane are tried; noise is what stays larger than this share
TICKS = 1 << 22  # a second: the finest that a float of unix seconds of this century tells
EVEN = struct.Struct("<qqq")


def pack_floats(values: Sequence[float]) -> bytes:
    """Values, NaN and infinities among them, as bytes."""
    digits = _digits(values)
    if digits is not None:
        power = 10**digits
        whole = [round(value * power) for value in values]
        if [one / power for one in whole] == list(values):
            return b"i" + bytes([digits]) + pack_array(_smallest(whole))
    wide = array("d", values)
    narrow = array("f", values)
    if array("d", narrow).tobytes() == wide.tobytes():
        return b"f" + pack_array(narrow)
    return b"d" + pack_array(wide)


def unpack_floats(data: bytes) -> array[float]:
    """What `pack_floats` packed, as an array of doubles."""
    if data[:1] == b"i":
        power = 10 ** data[1]
        return array("d", [one / power for one in unpack_array(data[2:])])
    found = unpack_array(data[1:])
    return found if found.typecode == "d" else array("d", found)


def pack_ints(values: Sequence[int]) -> bytes:
    """Whole numbers of 64 bits, usually rising at even distances, as bytes."""
    first, count = values[0], len(values)
    stride = values[1] - first if count > 1 else 1
    if stride and list(values) == list(range(first, first + stride * count, stride)):
        return b"e" + EVEN.pack(first, stride, count)
    return b"d" + struct.pack("<q", first) + pack_array(_smallest(list(map(sub, values[1:], values))))


def unpack_ints(data: bytes) -> array[int]:
    """What `pack_ints` packed."""
    if data[:1] == b"e":
        first, stride, count = EVEN.unpack(data[1:])
        return array("q", range(first, first + stride * count, stride))
    total = struct.unpack_from("<q", data, 1)[0]
    found = array("q", [total])
    for one in unpack_array(data[9:]):
        total += one
        found.append(total)
    return found


def pack_times(times: Sequence[float | None]) -> bytes:
    """Unix seconds as bytes; none at all where no row tells a time."""
    if not any(one is not None for one in times):
        return b""
    if None not in times:
        for mark, ticks in ((b"m", 1000), (b"t", TICKS)):
            if _ticks(times[:_SAMPLE], ticks) and (whole := _ticks(times, ticks)):  # a few of them tell which it is
                return mark + pack_ints(whole)
    return b"f" + pack_floats([math.nan if one is None else one for one in times])


def _ticks(times: Sequence[float | None], ticks: int) -> list[int]:
    """The times as whole numbers of ticks; none where one is no such number."""
    whole = [round(one * ticks) for one in times if one is not None and math.isfinite(one)]
    return whole if [one / ticks for one in whole] == list(times) and max(map(abs, whole)) < 1 << 60 else []


def unpack_times(data: bytes, count: int) -> list[float | None]:
    """What `pack_times` packed, for `count` rows."""
    if not data:
        return [None] * count
    if data[:1] in b"mt":
        ticks = 1000 if data[:1] == b"m" else TICKS
        return [one / ticks for one in unpack_ints(data[1:])]
    return [None if math.isnan(one) else one for one in unpack_floats(data[1:])]


def _digits(values: Sequence[float]) -> int | None:
    """How many decimals the values may have, by a sample of them; None when they are no such decimals."""
    sample = values[:: max(1, len(values) // _SAMPLE)]
    if not all(-1e9 < one < 1e9 for one in sample):
        return None
    fits = (digits for digits in _DECIMALS if all(round(one * 10**digits) / 10**digits == one for one in sample))
    found = next(fits, None)
    if found is None or not all(map(math.isfinite, values)) or max(map(abs, values)) > 1e9:
        return None
    return found


def _smallest(values: list[int]) -> array[int]:
    """An array of the narrowest kind that holds the values."""
    low, high = min(values, default=0), max(values, default=0)
    for code in "bhiq":
        if -(1 << (8 * array(code).itemsize - 1)) <= low and high < 1 << (8 * array(code).itemsize - 1):
            return array(code, values)
    raise OverflowError(f"{low}..{high} is beyond 64 bits")


def pack_array(values: array[int] | array[float]) -> bytes:
    """Planes of bytes of equal weight, each compressed unless a piece of it shows that it is noise."""
    raw, size = values.tobytes(), values.itemsize
    planes = [raw[start::size] for start in range(size)]
    noisy = [len(zlib.compress(plane[:_PIECE], _LEVEL)) > _NOISE * len(plane[:_PIECE]) for plane in planes]
    dense = zlib.compress(b"".join(p for p, is_noise in zip(planes, noisy, strict=True) if not is_noise), _LEVEL)
    head = values.typecode.encode() + struct.pack(
        "<BII", sum(1 << i for i, n in enumerate(noisy) if n), len(values), len(dense)
    )
    return head + dense + b"".join(p for p, is_noise in zip(planes, noisy, strict=True) if is_noise)


def unpack_array(data: bytes) -> array[float]:
    """What `pack_array` packed."""
    found: array[float] = array(data[:1].decode())
    noisy, count, packed = struct.unpack_from("<BII", data, 1)
    size, start = found.itemsize, 10
    dense, noise = zlib.decompress(data[start : start + packed]), memoryview(data)[start + packed :]
    raw = bytearray(count * size)
    for plane in range(size):
        if noisy >> plane & 1:
            raw[plane::size], noise = noise[:count], noise[count:]
        else:
            raw[plane::size], dense = dense[:count], dense[count:]
    found.frombytes(bytes(raw))
    return found
