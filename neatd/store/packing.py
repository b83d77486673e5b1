"""Columns of numbers as small bytes, bit for bit (but for the sign of a zero); `unpacking` is the way back. Pure.

Trainers write three kinds of numbers: float32 written out in full, decimals of a few digits, and steps at even
distances. Each has its own packing; what is none of them is kept as it is. Loaded where columns are written: with it comes
numpy.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from neatd.store.unpacking import EVEN, HEAD, TICKS

_LEVEL = 1  # of zlib: 6 takes three times as long and saves 3 % of these bytes
_DECIMALS = (0, 2, 4, 3, 6, 1, 5)
_SAMPLE = 16
_PIECE, _NOISE = 1024, 0.95  # so many bytes of a plane are tried; noise is what stays larger than this share
_FEW = 256  # values that are kept as they are: planes of them save next to nothing, and take longer to open
_DENSE, _IS_NOISE, _IS_SAME = range(3)
_CODES = {"i1": "b", "i2": "h", "i4": "i", "i8": "q", "f4": "f", "f8": "d"}  # numpy's names -> those of `array`


def pack_floats(values: Sequence[float]) -> bytes:
    """Values, NaN and infinities among them, as bytes."""
    wide = np.asarray(values, dtype=np.float64)
    digits = _digits(wide[:: max(1, len(wide) // _SAMPLE)])
    whole = None if digits is None else _whole(wide, 10**digits, 1e9)
    if digits is not None and whole is not None:
        return b"i" + bytes([digits]) + _pack_array(_smallest(whole))
    with np.errstate(over="ignore"):
        narrow = wide.astype(np.float32)
    if (narrow.astype(np.float64).view(np.int64) == wide.view(np.int64)).all():
        return b"f" + _pack_array(narrow)
    return b"d" + _pack_array(wide)


def _digits(sample: Any) -> int | None:
    """How many decimals the values of a sample have; None when they are no such decimals."""
    return next((digits for digits in _DECIMALS if _whole(sample, 10**digits, 1e9) is not None), None)


def _whole(wide: Any, parts: int, most: float) -> Any | None:
    """Values as whole numbers of parts of one; None when one is no such number, or larger than `most`."""
    if not (np.abs(wide) <= most).all():  # NaN is neither
        return None
    whole = np.rint(wide * parts)
    return whole.astype(np.int64) if (whole / parts == wide).all() else None


def pack_ints(values: Sequence[int]) -> bytes:
    """Whole numbers of 64 bits, usually rising at even distances, as bytes."""
    whole = np.asarray(values, dtype=np.int64)
    first, strides = int(whole[0]), whole[1:] - whole[:-1]
    stride = int(strides[0]) if len(strides) else 1
    if stride and (strides == stride).all():
        return b"e" + EVEN.pack(first, stride, len(whole))
    return b"d" + struct.pack("<q", first) + _pack_array(_smallest(strides))


def pack_times(times: Sequence[float | None]) -> bytes:
    """Unix seconds as bytes; none at all where no row tells a time."""
    if not any(one is not None for one in times):
        return b""
    if None not in times:
        wide = np.asarray(times, dtype=np.float64)
        for mark, ticks in ((b"m", 1000), (b"t", TICKS)):
            most = (1 << 60) / ticks
            if _whole(wide[:_SAMPLE], ticks, most) is None:  # a few of them tell which it is
                continue
            if (whole := _whole(wide, ticks, most)) is not None:
                return mark + pack_ints(whole)
    return b"f" + pack_floats([math.nan if one is None else one for one in times])


def _smallest(whole: Any) -> Any:
    """An array of the narrowest kind that holds the numbers."""
    low, high = whole.min(initial=0), whole.max(initial=0)
    kinds = (np.int8, np.int16, np.int32, np.int64)
    return whole.astype(next(one for one in kinds if np.iinfo(one).min <= low and high <= np.iinfo(one).max))


def _pack_array(values: Any) -> bytes:
    """Planes of bytes of equal weight, each compressed unless a piece of it shows that it is noise."""
    raw, size, code = values.tobytes(), values.itemsize, _CODES[values.dtype.str[1:]]
    if len(values) < _FEW:
        return code.upper().encode() + raw
    packed = [_packed_plane(raw[start::size]) for start in range(size)]
    noisy, same = (sum(1 << at for at, one in enumerate(packed) if one[0] == kind) for kind in (_IS_NOISE, _IS_SAME))
    return code.encode() + HEAD.pack(noisy, same, len(values)) + b"".join(one for _, one in packed)


def _packed_plane(plane: bytes) -> tuple[int, bytes]:
    """(kind, a plane compressed in the way that suits a piece of it)."""
    piece = plane[:_PIECE]
    if plane.count(plane[0]) == len(plane):
        return _IS_SAME, plane[:1]
    repeated = len(_deflated(piece, zlib.Z_DEFAULT_STRATEGY))
    if repeated > _NOISE * len(piece):
        return _IS_NOISE, plane
    skewed = len(_deflated(piece, zlib.Z_RLE))  # some bytes are frequent, and no sequence of them comes again
    return _DENSE, _deflated(plane, zlib.Z_RLE if skewed < repeated else zlib.Z_DEFAULT_STRATEGY)


def _deflated(data: bytes, strategy: int) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, 8, strategy)
    return packer.compress(data) + packer.flush()
