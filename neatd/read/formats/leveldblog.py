"""The framing of wandb's files: a log as LevelDB keeps it, in blocks of 32 KiB. Pure.

A record is one chunk, or a first, middle ones and a last; a chunk never crosses a block. The checksum covers a chunk's
type and data but not its length, so behind a damaged chunk reading goes on at the next block. Zeros up to the end of
the file are not yet written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple
from zlib import crc32  # the IEEE polynomial; LevelDB itself has crc32c

BLOCK = 32 * 1024
CHUNK = Struct("<IHB")  # checksum, length, type
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
_WRITTEN = re.compile(rb"[^\0]")


class Found(NamedTuple):
    """One record, or what was found damaged in its place."""

    payload: bytes
    consumed: int  # bytes from the first of the given ones; behind a damage it may reach beyond them
    is_lost: bool  # what comes next begins within a record whose first chunk was damaged
    why: str = ""  # why it could not be read


def records(data: bytes, offset: int, is_lost: bool = False) -> Iterator[Found]:
    """The whole records in data, whose first byte stands at `offset` of the file or of its block.

    `is_lost`: chunks that continue a record, at the beginning, belong to one already given as damaged.
    """
    pos, size = 0, len(data)
    parts: list[bytes] = []
    while True:
        left = BLOCK - (offset + pos) % BLOCK
        if left < CHUNK.size:
            pos += left
            left = BLOCK
        if pos + CHUNK.size > size:
            return
        crc, length, kind = CHUNK.unpack_from(data, pos)
        end = pos + CHUNK.size + length
        is_possible = end <= pos + left and FULL <= kind <= LAST
        if is_possible and end > size:
            return
        if not is_possible or crc32(data[pos + 6 : end]) != crc:
            if _is_unwritten(data, end if is_possible else pos + CHUNK.size):
                return
            pos, parts, is_lost = pos + left, [], True
            yield Found(b"", pos, is_lost, "a damaged chunk")
            continue
        is_start = kind in (FULL, FIRST)
        if is_start and parts:
            parts, is_lost = [], True
            yield Found(b"", pos, is_lost, "a record without its end")
        elif not is_start and not parts:
            pos = end
            yield Found(b"", pos, is_lost, "" if is_lost else "a record without its beginning")
            is_lost = True
            continue
        is_lost = False
        parts.append(data[pos + CHUNK.size : end])
        pos = end
        if kind in (FULL, LAST):
            yield Found(b"".join(parts), pos, False)
            parts = []


def _is_unwritten(data: bytes, end: int) -> bool:
    """Whether the byte before `end` and all behind it are zeros."""
    return data[end - 1] == 0 and _WRITTEN.search(data, end) is None
