"""Records of a CSV file: bytes become cells, quotes and newlines within them included. Pure, linear in the bytes.

A record is found the same however the bytes were cut. A quote that is never closed costs one bad line: it is given up
after 1,000 lines or 16 MiB, and reading goes on with the next line, so it can hide neither the rows nor take the memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

LONGEST = 16 << 20  # bytes of a record; a longer one is passed over
MOST_LINES = 1000  # lines of a record: numpy prints an array of up to 1,000 numbers whole, in about 100 lines
UNCLOSED = "a quote is never closed"
OVERLONG = f"longer than {LONGEST >> 20} MiB"


class Record(NamedTuple):
    """One record, or one line that is none."""

    line: bytes  # as it stands; without its newline
    cells: list[bytes] | None  # None: there is no quote, so the line can be split at its delimiters
    end: int  # where the next record begins
    why: str = ""  # why it cannot be read
    is_open: bool = False  # an overlong line whose end is not there yet


def records(data: bytes, start: int, delimiter: bytes) -> Iterator[Record]:
    """The whole records from `start` on, blank lines too. Where the delimiter changes, begin anew behind the header."""
    if b'"' in data or len(data) > LONGEST:
        yield from _careful(data, start, delimiter)
        return
    end = data.rfind(b"\n") + 1
    for line in data[start : end - 1].split(b"\n") if end > start else ():
        start += len(line) + 1
        yield Record(line, None, start)


def _careful(data: bytes, start: int, delimiter: bytes) -> Iterator[Record]:
    """As `records`, where there are quotes or so many bytes that a line may be too long."""
    while start < len(data):
        eol = data.find(b"\n", start, start + LONGEST + 1)
        stop = eol if eol >= 0 else len(data)
        if stop - start > LONGEST:
            found: Record | None = _overlong(data, start)
        else:
            found = _one(data, start, eol, delimiter) if data.find(b'"', start, stop) >= 0 else None
            if found is None and eol >= 0:
                found = Record(data[start:eol], None, eol + 1)
        if found is None or found.end == start:
            return
        yield found
        start = found.end


def _overlong(data: bytes, start: int) -> Record:
    eol = data.find(b"\n", start)
    return Record(b"", None, eol + 1 or len(data), OVERLONG, eol < 0)


def _one(data: bytes, start: int, eol: int, delimiter: bytes) -> Record | None:
    """The record at `start`; its end is `start` where it is not whole yet. None: there is no quoted cell on its line."""
    cells: list[bytes] = []
    pos, is_quoted = start, False
    while True:
        opened = _opening(data, pos)
        if opened >= 0:
            closed = _closing(data, opened + 1, start + LONGEST)
            if closed < 0 or (0 <= eol < closed and data.count(b"\n", start, closed) > MOST_LINES):
                return _unclosed(data, start)
            is_quoted = True
            cells.append(data[opened + 1 : closed].replace(b'""', b'"'))
            pos = closed + 1
            eol = data.find(b"\n", closed) if 0 <= eol < closed else eol
        cut = data.find(delimiter, pos, eol if eol >= 0 else len(data))
        if opened < 0:
            cells.append(data[pos : eol if cut < 0 else cut])
        if cut < 0:
            return _ended(data, start, eol, cells) if is_quoted else None
        pos = cut + 1


def _ended(data: bytes, start: int, eol: int, cells: list[bytes]) -> Record:
    """The record whose last cell was found; it is whole when its newline is there."""
    if (eol if eol >= 0 else len(data)) - start > LONGEST:
        return Record(b"", None, eol + 1 or len(data), OVERLONG, eol < 0)
    return Record(data[start:eol], cells, eol + 1) if eol >= 0 else Record(b"", None, start)


def _opening(data: bytes, pos: int) -> int:
    """Where the quote of a quoted cell is that begins at `pos`; -1 for any other cell."""
    while data[pos : pos + 1] == b" ":
        pos += 1
    return pos if data[pos : pos + 1] == b'"' else -1


def _closing(data: bytes, pos: int, limit: int) -> int:
    """Where the cell's closing quote is: two in a row are one of its text."""
    while (found := data.find(b'"', pos, limit)) >= 0:
        if data[found + 1 : found + 2] != b'"':
            return found
        pos = found + 2
    return -1


def _unclosed(data: bytes, start: int) -> Record:
    """Given up, with the line that it began on passed over; or waited for, as long as its end may still come."""
    eol = data.find(b"\n", start)
    is_over = len(data) - start >= LONGEST or data.count(b"\n", start) > MOST_LINES
    if not is_over or eol < 0:
        return Record(b"", None, start)
    return Record(data[start:eol], None, eol + 1, UNCLOSED)
