"""A TensorProto that holds one number. Pure."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

from neatd.read.formats.protobuf import BYTES, FIXED32, FIXED64, VARINT, Malformed, fields, integer, varint

LARGEST_NUMBER = 256  # bytes; a tensor of one number takes some 30
_CONTENT, _SHAPE, _DTYPE = 4, 2, 1
# dtype -> how tensor_content holds it. https://github.com/tensorflow/tensorflow, framework/types.proto
_LAYOUTS = {
    1: "<f", 2: "<d", 3: "<i", 4: "<B", 5: "<h", 6: "<b", 9: "<q", 10: "<?", 17: "<H", 19: "<e", 22: "<I", 23: "<Q",
}  # fmt: skip
_BFLOAT16, _HALF, _UINT64 = 14, 19, 23
# The fields of values: number -> wire type of one that is not packed.
_VALUES = {5: FIXED32, 6: FIXED64, 7: VARINT, 10: VARINT, 11: VARINT, 13: VARINT, 16: VARINT, 17: VARINT}


def number(data: bytes, start: int, stop: int) -> float | None:
    """The one number in the tensor; None when it holds none, several, or something else."""
    dtype = 0
    found: list[float] = []
    for field, wire, at, end in fields(data, start, stop):
        if field == _DTYPE and wire == VARINT:
            dtype = varint(data, at)[0]
        elif field == _SHAPE and wire == BYTES and not _is_one(data, at, end):
            return None
        elif field == _CONTENT and wire == BYTES:
            found += _content(dtype, data[at:end])
        elif field in _VALUES and wire in (_VALUES[field], BYTES):
            found += _values(dtype, _VALUES[field], data, at, end)
    return found[0] if len(found) == 1 else None


def _is_one(data: bytes, start: int, stop: int) -> bool:
    """Whether a tensor of this shape has one element: no dimension, or all of size 1."""
    sizes = [
        [integer(data, s) for n, w, s, _ in fields(data, at, end) if n == 1 and w == VARINT]
        for number, wire, at, end in fields(data, start, stop)
        if number == 2 and wire == BYTES
    ]
    return all(size == [1] for size in sizes)


def _content(dtype: int, raw: bytes) -> list[float]:
    if dtype == _BFLOAT16 and len(raw) == 2:
        return [_bfloat16(int.from_bytes(raw, "little"))]
    layout = Struct(_LAYOUTS[dtype]) if dtype in _LAYOUTS else None
    return [float(layout.unpack(raw)[0])] if layout and layout.size == len(raw) else []


def _values(dtype: int, wire: int, data: bytes, at: int, end: int) -> list[float]:
    """One field of values: a single one, or several packed."""
    if wire in (FIXED32, FIXED64):
        layout = Struct("<f" if wire == FIXED32 else "<d")
        if (end - at) % layout.size:
            raise Malformed("values cut short")
        return [one for (one,) in layout.iter_unpack(data[at:end])]
    found: list[float] = []
    read = _READERS.get(dtype, _whole)
    while at < end:
        value, at = varint(data, at)
        found.append(read(value))
    return found


def _whole(bits: int) -> float:
    return float(bits - (1 << 64) if bits >> 63 else bits)


def _half(bits: int) -> float:
    value: float = Struct("<e").unpack((bits & 0xFFFF).to_bytes(2, "little"))[0]
    return value


def _bfloat16(bits: int) -> float:
    value: float = Struct("<f").unpack((bits & 0xFFFF).to_bytes(2, "little").rjust(4, b"\0"))[0]
    return value


_READERS: dict[int, Callable[[int], float]] = {_HALF: _half, _BFLOAT16: _bfloat16, _UINT64: float}
