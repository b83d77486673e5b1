"""Whole lines from an offset, exactly once: what was consumed is what the cursor says, and nothing else.

A file is the same file when the hash of its head and of the up to 256 bytes before the offset still hold; device and
inode change over a reboot, a copy, an rsync, and are reused at once on ext4, so they prove nothing. Anything else is a
new generation, read from its start. Reads only; the caller commits lines and cursor together.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import BinaryIO, NamedTuple

from neatd.files import open_regular
from neatd.models import Cursor
from neatd.read.rows import BadLine, Fed, Feed

HEAD_BYTES = 1024
ANCHOR_BYTES = 256
LARGEST_WHOLE = 256 << 20  # of a file that is read in one piece
LONGEST_LINE = 16 << 20  # a longer line is counted as bad and passed over, so that it cannot take the memory


class Turn(NamedTuple):
    """What one turn of reading found. `lines` are (seq, bytes) without the newline, empty ones left out."""

    lines: list[tuple[int, bytes]]
    cursor: Cursor  # as it stands after these lines; bad lines found by a parser are not in it yet
    has_more: bool  # bytes are left: call again
    is_new_generation: bool  # the file replaced another, or was cut, and nothing of it was consumed before this turn


def read_turn(path: Path, cursor: Cursor, budget: int, take_tail: bool = False) -> Turn:
    """Read up to about `budget` bytes of whole lines. Raises OSError when the file cannot be opened.

    `take_tail`: also take a last line without a newline if it is a whole JSON object; for files that are at rest.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        start = cursor if is_same_file(file, cursor, size) else next_generation(cursor)
        is_new = start.generation > 1 and start.offset == 0
        if size <= start.offset:
            return Turn([], start.model_copy(update={"is_missing": False}), False, is_new)
        data, read_to = _whole_lines(file, start.offset, budget, take_tail)
        if not _holds_still(file, start, data):
            return Turn([], cursor, True, False)
        lines, after = _count(data, start)
        if len(data) == 0 and read_to - start.offset > LONGEST_LINE:
            after = _skip_long(after, read_to)
        after = after.model_copy(update={"is_missing": False, **_marks(file, after.offset)})
        return Turn(lines, after, after.offset < size and after.offset > start.offset, is_new)


class Taken(NamedTuple):
    """What one turn of a parser found. `cursor` counts what was consumed; attempts and bad lines are not in it yet."""

    fed: Fed
    cursor: Cursor
    has_more: bool
    is_new_generation: bool


def take(path: Path, cursor: Cursor, budget: int, feed: Feed, framing: str, seq: int, take_tail: bool = False) -> Taken:
    """Feed about `budget` bytes behind the cursor to a parser. Raises OSError when the file cannot be opened.

    `seq`: the last ordinal used in the stream. `framing` "lines": a line longer than the limit is passed over and
    counted; "bytes": the parser knows its records; "whole": the file is read in one piece.
    """
    with open_regular(path) as file:
        about = os.fstat(file.fileno())
        size, given = about.st_size, cursor
        cursor = cursor.model_copy(update={"device": about.st_dev, "inode": about.st_ino})
        if framing == "whole":
            return _take_whole(file, size, cursor, feed, seq)
        start = cursor if is_same_file(file, cursor, size) else next_generation(cursor)
        is_new = start.generation > 1 and start.offset == 0
        start = start.model_copy(update={"is_missing": False})
        if size <= start.offset:
            return Taken(Fed([], 0, seq, start.state), start, False, is_new)
        fed, after, data = _feed(file, start, budget, feed, framing, seq, take_tail)
        if not _holds_still(file, start, data[: after.offset - start.offset]):
            return Taken(Fed([], 0, seq, given.state), given, True, False)
        if after.offset > size:  # the parser passes over what is not there yet: nothing of it counts
            return Taken(Fed([], 0, seq, start.state), start, False, is_new)
        after = after.model_copy(
            update={"state": fed.state, "seq": max(fed.seq, after.seq), **_marks(file, after.offset)}
        )
        return Taken(fed, after, after.offset < size and after.offset > start.offset, is_new)


def _take_whole(file: BinaryIO, size: int, cursor: Cursor, feed: Feed, seq: int) -> Taken:
    data = file.read(LARGEST_WHOLE + 1)
    digest = hashlib.blake2b(data, digest_size=16).hexdigest()
    if digest == cursor.head_hash:
        return Taken(Fed([], 0, seq, cursor.state), cursor.model_copy(update={"is_missing": False}), False, False)
    if len(data) > LARGEST_WHOLE:
        fed = Fed([], 0, seq, cursor.state, [BadLine(seq, f"the file is larger than {LARGEST_WHOLE >> 20} MiB")])
    else:
        fed = feed(data, cursor.state, seq, cursor.label)
    if fed.consumed == 0 and not fed.bad:
        return Taken(fed._replace(rows=[]), cursor, False, False)  # half of it is written
    marks = {"offset": size, "head_hash": digest, "state": fed.state, "seq": fed.seq, "is_missing": False}
    return Taken(fed, cursor.model_copy(update=marks), False, False)


def _feed(
    file: BinaryIO, start: Cursor, budget: int, feed: Feed, framing: str, seq: int, take_tail: bool
) -> tuple[Fed, Cursor, bytes]:
    """Feed until the parser consumed something, reading on while it needs more: also the bytes that were read at `start`."""
    file.seek(start.offset)
    read = data = file.read(budget)
    if start.is_skipping:
        end = data.find(b"\n") + 1
        offset, data = start.offset + (end or len(data)), data[end:] if end else b""
        start = start.model_copy(update={"offset": offset, "is_skipping": end == 0})
        if not data:
            return Fed([], 0, seq, start.state), start, read
    while True:
        if framing == "lines" and len(data) > LONGEST_LINE:
            data, is_long = _before_long(data)
            if is_long:
                return *_pass_over(start, data, seq), read
        fed = feed(data, start.state, seq, start.label)
        if fed.consumed or fed.is_stuck:
            break
        more = file.read(max(budget, len(data))) if len(data) <= LONGEST_LINE else b""
        if not more:
            break
        data, read = data + more, read + more
    rest = data[fed.consumed :]
    if (
        take_tail
        and rest
        and framing == "lines"
        and len(rest) <= LONGEST_LINE
        and _is_object(rest)
        and not file.read(1)
    ):
        last = feed(rest + b"\n", fed.state, fed.seq, start.label)
        rows, bad = [*fed.rows, *last.rows], [*fed.bad, *last.bad]
        fed = last._replace(rows=rows, bad=bad, consumed=len(data), told={**fed.told, **last.told})
    return fed, start.model_copy(update={"offset": start.offset + fed.consumed}), read


def _before_long(data: bytes) -> tuple[bytes, bool]:
    """(the bytes before the first line that is too long, or that line when it comes first, whether it does)."""
    begin = 0
    while (end := data.find(b"\n", begin)) >= 0:
        if end - begin > LONGEST_LINE:
            return (data[:begin], False) if begin else (data[: end + 1], True)
        begin = end + 1
    is_long = begin == 0 and len(data) > LONGEST_LINE
    return data, is_long


def _pass_over(start: Cursor, line: bytes, seq: int) -> tuple[Fed, Cursor]:
    """A line that is too long, or its beginning: one bad line, once."""
    bad = [BadLine(seq + 1, f"longer than {LONGEST_LINE >> 20} MiB")]
    after = start.model_copy(update={"offset": start.offset + len(line), "is_skipping": not line.endswith(b"\n")})
    return Fed([], len(line), seq + 1, start.state, bad), after


def is_same_file(file: BinaryIO, cursor: Cursor, size: int) -> bool:
    """Whether the open file is the one the cursor stands in. Cheap: two small reads."""
    if cursor.offset == 0:
        return True
    if size < cursor.offset:
        return False
    if _hash_at(file, 0, cursor.head_len) != cursor.head_hash:
        return False
    begin = max(0, cursor.offset - ANCHOR_BYTES)
    return _hash_at(file, begin, cursor.offset - begin) == cursor.anchor_hash


def _holds_still(file: BinaryIO, start: Cursor, data: bytes) -> bool:
    """Whether what was read at `start` is still there, and what is before it: a table that is written anew meanwhile gives
    bytes of two files, and the marks of the new one would let them pass for ever."""
    if not is_same_file(file, start, os.fstat(file.fileno()).st_size):
        return False
    for begin in (0, max(0, len(data) - ANCHOR_BYTES)):
        some = data[begin : begin + ANCHOR_BYTES]
        file.seek(start.offset + begin)
        if file.read(len(some)) != some:
            return False
    return True


def holds(path: Path, cursor: Cursor) -> bool:
    """Whether the file at `path` is the one the cursor stands in, under another name perhaps."""
    try:
        with open_regular(path) as file:
            return cursor.offset > 0 and is_same_file(file, cursor, os.fstat(file.fileno()).st_size)
    except OSError:
        return False


def next_generation(cursor: Cursor) -> Cursor:
    """The cursor of another file under the same name: at its start, counting on."""
    fresh = {"generation": cursor.generation + 1, "offset": 0, "head_len": 0, "head_hash": "", "anchor_hash": ""}
    return cursor.model_copy(update={**fresh, "is_skipping": False, "state": {}})


def _whole_lines(file: BinaryIO, offset: int, budget: int, take_tail: bool) -> tuple[bytes, int]:
    """(bytes up to and including the last newline, position read to). Reads on while there is no newline at all."""
    file.seek(offset)
    data = file.read(budget)
    end = data.rfind(b"\n") + 1
    while end == 0 and len(data) <= LONGEST_LINE:
        more = file.read(budget)
        if not more:
            break
        end = (found := more.rfind(b"\n") + 1) and len(data) + found
        data += more
    tail = data[end:]
    if take_tail and tail and len(tail) <= LONGEST_LINE and _is_object(tail) and not file.read(1):
        end = len(data)
    return data[:end], offset + len(data)


def _is_object(tail: bytes) -> bool:
    """Whether unterminated bytes are a whole JSON object: no beginning of one is, so nothing can be cut short."""
    if not tail.rstrip().endswith(b"}"):
        return False
    try:
        return isinstance(json.loads(tail), dict)
    except (ValueError, RecursionError):
        return False


def _count(data: bytes, start: Cursor) -> tuple[list[tuple[int, bytes]], Cursor]:
    """Number the non-empty lines on from the cursor. The rest of a line being skipped is dropped up to its newline."""
    offset, is_skipping = start.offset + len(data), start.is_skipping and b"\n" not in data
    if start.is_skipping:
        data = data.partition(b"\n")[2]
    after = start.model_copy(update={"offset": offset, "is_skipping": is_skipping})
    lines: list[tuple[int, bytes]] = []
    for seq, part in enumerate((one for one in data.split(b"\n") if one.strip()), start=start.seq + 1):
        if len(part) > LONGEST_LINE:  # its newline came within the budget: bad all the same, however the reads fell
            after = _with_long(after, seq)
        else:
            lines.append((seq, part))
    return lines, after.model_copy(update={"seq": max(after.seq, lines[-1][0] if lines else 0)})


def _skip_long(cursor: Cursor, read_to: int) -> Cursor:
    """Pass over what was read of an overlong line; it counts as one bad line, once."""
    if cursor.is_skipping:
        return cursor.model_copy(update={"offset": read_to})
    return _with_long(cursor, cursor.seq + 1).model_copy(update={"offset": read_to, "is_skipping": True})


def _with_long(cursor: Cursor, seq: int) -> Cursor:
    first = cursor.first_bad or f"line {seq}: longer than {LONGEST_LINE >> 20} MiB"
    return cursor.model_copy(update={"seq": seq, "bad_lines": cursor.bad_lines + 1, "first_bad": first})


def _marks(file: BinaryIO, offset: int) -> dict[str, int | str]:
    head_len = min(HEAD_BYTES, offset)
    begin = max(0, offset - ANCHOR_BYTES)
    head, anchor = _hash_at(file, 0, head_len), _hash_at(file, begin, offset - begin)
    return {"head_len": head_len, "head_hash": head, "anchor_hash": anchor}


def _hash_at(file: BinaryIO, begin: int, length: int) -> str:
    file.seek(begin)
    return hashlib.blake2b(file.read(length), digest_size=16).hexdigest()
