"""What an assistant sends to a hook on stdin. Whoever holds the pipe open keeps nobody waiting: a whole JSON object is
enough, once nothing more comes. Stdlib only.
"""

from __future__ import annotations

import io
import json
import os
import select
import sys

LARGEST = 32 << 20  # bytes of an event
QUIET_S = 0.5  # after a whole object: a writer that has more to say says it within
_BLOCK = 1 << 20


def read_event() -> bytes:
    """All that was sent, so that the assistant is not told of a broken pipe; b"" for nothing and for too much."""
    if sys.stdin is None or sys.stdin.isatty():
        return b""
    try:
        handle = _handle()
        return _until_end() if handle is None else _until_quiet(handle)
    except OSError:
        return b""


def _handle() -> int | None:
    """The descriptor that can be waited for; None where there is none, or the system waits for sockets only."""
    if sys.platform == "win32":
        return None
    try:
        return sys.stdin.fileno()
    except io.UnsupportedOperation:
        return None


def _until_end() -> bytes:
    raw = sys.stdin.buffer.read(LARGEST)
    while sys.stdin.buffer.read(_BLOCK):
        raw = b""  # larger than any event
    return raw


def _until_quiet(handle: int) -> bytes:
    raw, is_looked_at = bytearray(), True
    size = 0
    while True:
        if not select.select([handle], [], [], None if is_looked_at else QUIET_S)[0]:
            if _is_whole(raw):
                return bytes(raw)
            is_looked_at = True  # there is no more to find until more comes
            continue
        block = os.read(handle, _BLOCK)
        if not block:
            return bytes(raw)
        size += len(block)
        if size <= LARGEST:
            raw += block
        else:
            raw.clear()  # larger than any event
        is_looked_at = not raw


def _is_whole(raw: bytearray) -> bool:
    """Whether this is a JSON object to its end."""
    if not raw.rstrip().endswith(b"}"):
        return False
    try:
        return isinstance(json.loads(raw), dict)
    except (ValueError, RecursionError):
        return False
