"""The rows of a parquet file, by the footer that every one ends with: no library for one number.

As much of Thrift's compact protocol as it takes to step over the schema. Whatever the bytes are, the answer is a number
or None, and never an error.
"""

from __future__ import annotations

from typing import BinaryIO

LARGEST_FOOTER = 4 << 20  # bytes read of one: the rows stand after the schema, a thousand columns are 60 kB


def is_parquet(name: str) -> bool:
    return name.lower().endswith((".parquet", ".pq"))


def parquet_rows(file: BinaryIO, size_bytes: int) -> int | None:
    """The rows that a parquet file's footer names; None when it has none that can be read (encrypted, cut off)."""
    if size_bytes < 12:
        return None
    file.seek(size_bytes - 8)
    tail = file.read(8)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != b"PAR1" or length > size_bytes - 12:
        return None
    file.seek(size_bytes - 8 - length)
    try:
        return _num_rows(_Thrift(file.read(min(length, LARGEST_FOOTER))))
    except (IndexError, ValueError, RecursionError):
        return None


def _num_rows(footer: _Thrift) -> int | None:
    """Field 3 of FileMetaData, an i64 (parquet-format, parquet.thrift)."""
    number = 0
    while True:
        number, kind = footer.field(number)
        if kind == 0:
            return None
        if (number, kind) == (3, 6):
            rows = footer.integer()
            return rows if 0 <= rows < 1 << 63 else None
        footer.skip(kind)


class _Thrift:
    """As much of Thrift's compact protocol as it takes to step over fields. IndexError at the end of the bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def field(self, before: int) -> tuple[int, int]:
        """(number, type) of the next field; type 0 at the end of a struct."""
        head = self._byte()
        if head & 15 == 0:
            return 0, 0
        return (before + (head >> 4) if head >> 4 else self.integer()), head & 15

    def integer(self) -> int:
        """A zigzag varint."""
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def skip(self, kind: int, depth: int = 0, is_element: bool = False) -> None:
        """Step over a value. A boolean is in its field's head, and a byte of its own inside a list."""
        if depth > 32:
            raise ValueError("nested too deep")
        if kind in (1, 2):
            self._at += is_element
        elif kind == 3:
            self._at += 1
        elif kind in (4, 5, 6):
            self._varint()
        elif kind == 7:
            self._at += 8
        elif kind == 8:
            length = self._varint()  # moves on by itself, so not in one statement with the move
            self._at += length
        elif kind in (9, 10):
            self._skip_list(depth)
        elif kind == 12:
            number, inner = self.field(0)
            while inner:
                self.skip(inner, depth + 1)
                number, inner = self.field(number)
        else:
            raise ValueError(f"type {kind} does not stand in a footer")  # 11 is a map: parquet has none

    def _skip_list(self, depth: int) -> None:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        if count > len(self._data) - self._at:  # each element takes a byte at least
            raise IndexError
        for _ in range(count):
            self.skip(head & 15, depth + 1, is_element=True)

    def _byte(self) -> int:
        value = self._data[self._at]
        self._at += 1
        return value

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 63:
                raise ValueError("a number too long")
