"""Counts the rows of data files while their bytes pass by: csv, jsonl, either in gzip.

Each counter takes the bytes in pieces of any size and keeps no more than a few of them, so that a file of any size
costs the same memory. A file that is not what its name says counts as None and is never an error.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import Protocol

_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = b",;\t|"
_CLOSING = re.compile(rb'[^"]*+(?:""[^"]*+)*+"')  # the rest of a quoted field
_LONGEST_HELD = 1 << 16  # quotes at the end of a piece wait for the next one; a file of nothing else must not gather
_EXPANSION = 200  # gzip makes a thousand of one: beyond this a file is not text that somebody trains on
_FREE_BYTES = 16 << 20  # what may come out before the expansion counts
_PIECE = 1 << 20


class RowCounter(Protocol):
    """Fed with a file's bytes in order; `rows` after the last one."""

    def feed(self, data: bytes) -> None: ...

    def rows(self) -> int | None: ...


class LineRows:
    """jsonl: the lines with anything on them."""

    def __init__(self) -> None:
        self._count = 0
        self._is_open = False  # the line that is being read has something on it

    def feed(self, data: bytes) -> None:
        first, *others = data.split(b"\n")
        self._is_open = self._is_open or bool(first.strip())
        if others:
            self._count += self._is_open + sum(1 for line in others[:-1] if line.strip())
            self._is_open = bool(others[-1].strip())

    def rows(self) -> int | None:
        return self._count + self._is_open


class CsvRows:
    """csv as Python's reader has it: a quote opens a field only at its beginning, a newline inside is no new row, empty
    lines are none. The first row is the header. The delimiter is the commonest of the usual ones in the first line."""

    def __init__(self) -> None:
        self._count = 0
        self._held = b""
        self._before = b"\n"  # the last byte so far: tells where a field begins, and whether a line is open
        self._is_inside = False
        self._is_text = True
        self._quoted: re.Pattern[bytes] | None = None
        self._opening = self._stray = re.compile(b"")

    def feed(self, data: bytes) -> None:
        data = self._held + data
        if self._quoted is None:
            if not re.search(rb"[\r\n]", data) and len(data) < _LONGEST_HELD:
                self._held = data  # the first line tells the delimiter
                return
            data = self._begin(data)
        kept = data.rstrip(b'"\r')
        self._held = data[len(kept) :] if len(data) - len(kept) < _LONGEST_HELD else b""
        self._take(kept if self._held else data)

    def rows(self) -> int | None:
        last = self._held if self._quoted else self._begin(self._held)
        self._take(last + b"\n")  # ends a last line that has no end
        self._count += self._is_inside
        self._held, self._is_inside = b"", False
        return max(0, self._count - 1) if self._is_text else None

    def _begin(self, data: bytes) -> bytes:
        """Learn the delimiter from the first line; the data without its byte order mark."""
        self._is_text = not data.startswith(_UTF16)
        data = data.removeprefix(_BOM)
        line = re.split(rb"[\r\n]", data, maxsplit=1)[0]
        best = re.escape(bytes([max(_DELIMITERS, key=line.count)]))
        field = rb'(?<![^%s\n])"' % best
        self._opening, self._quoted = re.compile(field), re.compile(field + _CLOSING.pattern)
        self._stray = re.compile(rb'[^%s\n"]"' % best)
        return data

    def _take(self, data: bytes) -> None:
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self._is_inside:
            end = _CLOSING.match(data)
            if not end:
                return
            data, self._before, self._is_inside = data[end.end() :], b"x", False
        text = self._before + data
        if b'"' in data:
            text = self._without_quoted(text)
        self._count += text.count(b"\n") - _doubled(text) - (text[:1] == b"\n")
        self._before = b"x" if text[-1:] == b'"' else text[-1:]

    def _without_quoted(self, text: bytes) -> bytes:
        """`text` with a mark for each quoted field; what follows a quote that is still open is cut off."""
        parts = text.split(b'"')
        is_inside = len(parts) % 2 == 0
        plain = b'"'.join(parts[::2]) + b'"' * is_inside
        if not self._stray.search(plain):  # each field that has quotes begins with one: right, and twice as fast
            self._is_inside = is_inside
            return plain
        assert self._quoted is not None
        text = self._quoted.sub(b"x", text)
        still_open = self._opening.search(text)
        self._is_inside = still_open is not None
        return text[: still_open.start()] + b"x" if still_open else text


def _doubled(text: bytes) -> int:
    """How many newlines follow a newline."""
    return sum(len(run) - 1 for run in re.findall(rb"\n\n+", text)) if b"\n\n" in text else 0


class GzipRows:
    """What another counter says of the unpacked bytes; None for what is damaged, or grows out of all proportion."""

    def __init__(self, inner: RowCounter) -> None:
        self._inner = inner
        self._stream = zlib.decompressobj(wbits=31)
        self._in, self._out = 0, 0
        self._is_good = True

    def feed(self, data: bytes) -> None:
        self._in += len(data)
        try:
            while data and self._is_good:
                data = self._unpack(data)
        except zlib.error:
            self._is_good = False

    def rows(self) -> int | None:
        return self._inner.rows() if self._is_good and self._stream.eof else None

    def _unpack(self, data: bytes) -> bytes:
        """Unpack a piece; returns what is still packed."""
        if self._stream.eof:  # files are put together by appending
            data = data.lstrip(b"\0")
            if not data:
                return b""
            self._stream = zlib.decompressobj(wbits=31)
        piece = self._stream.decompress(data, _PIECE)
        self._out += len(piece)
        self._is_good = self._out < _FREE_BYTES + _EXPANSION * self._in
        self._inner.feed(piece)
        return self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail


_COUNTERS: dict[str, Callable[[], RowCounter]] = {"csv": CsvRows, "tsv": CsvRows, "jsonl": LineRows, "ndjson": LineRows}


def counter_for(name: str) -> RowCounter | None:
    """The counter for a file of this name; None for one whose rows nobody can tell by its bytes in order."""
    words = name.lower().rsplit(".", 2)
    is_packed = words[-1] in ("gz", "gzip") and len(words) > 2
    kind = _COUNTERS.get(words[-2] if is_packed else words[-1]) if len(words) > 1 else None
    if kind is None:
        return None
    return GzipRows(kind()) if is_packed else kind()
