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
_FEW = 256  # values that are kept as they are: planes of them save next to nothing, and take longer to open
TICKS = 1 << 22  # a second: the finest that a float of unix seconds of this century tells
EVEN = struct.Struct("<qqq")
HEAD = struct.Struct("<BBI")  # which planes are noise, which are one byte again and again, how many values
DENSE, NOISE, SAME = range(3)


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
    if len(values) < _FEW:
        return values.typecode.upper().encode() + raw
    planes = [raw[start::size] for start in range(size)]
    packed = [_packed_plane(plane) for plane in planes]
    noisy, same = (sum(1 << at for at, one in enumerate(packed) if one[0] == kind) for kind in (NOISE, SAME))
    return values.typecode.encode() + HEAD.pack(noisy, same, len(values)) + b"".join(one for _, one in packed)


def _packed_plane(plane: bytes) -> tuple[int, bytes]:
    """(kind, a plane compressed in the way that suits a piece of it)."""
    piece = plane[:_PIECE]
    if plane.count(plane[0]) == len(plane):
        return SAME, plane[:1]
    repeated = len(_deflated(piece, zlib.Z_DEFAULT_STRATEGY))
    if repeated > _NOISE * len(piece):
        return NOISE, plane
    skewed = len(_deflated(piece, zlib.Z_RLE))  # some bytes are frequent, and no sequence of them comes again
    return DENSE, _deflated(plane, zlib.Z_RLE if skewed < repeated else zlib.Z_DEFAULT_STRATEGY)


def _deflated(data: bytes, strategy: int) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, 8, strategy)
    return packer.compress(data) + packer.flush()


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
