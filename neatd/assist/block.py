"""neat's block in CLAUDE.md: between two markers, every other byte of the file as it was. Works on bytes, so that
line ends, a missing last newline and bytes that are no UTF-8 stay what they are."""

from __future__ import annotations

import codecs
from pathlib import Path

from neatd.errors import NeatError
from neatd.files import is_inside, write_atomic

BEGIN = b"<!-- neat:begin -->"
END = b"<!-- neat:end -->"


def with_block(content: bytes, body: str) -> bytes:
    """`content` with the block holding `body`: replaced in place, or added at the end. Raises ValueError on odd markers."""
    begins, ends = content.count(BEGIN), content.count(END)
    start, stop = content.find(BEGIN), content.find(END)
    if (begins, ends) not in ((0, 0), (1, 1)) or stop < start:
        raise ValueError(f"{begins} begin and {ends} end markers, or in the wrong order")
    newline = _newline(content, start)
    block = newline.join([BEGIN, *body.strip("\n").encode().splitlines(), END])
    if start < 0:  # one newline before it, even after a line without one: only so can it be taken out again to the byte
        return content + (newline if content else b"") + block + newline
    return content[:start] + block + content[stop + len(END) :]


def without_block(content: bytes) -> bytes:
    """`content` with the block taken out, and with it the newlines that adding it put there."""
    start, stop = content.find(BEGIN), content.find(END)
    if start < 0 or stop < start:
        return content
    newline = _newline(content, start)
    before, after = content[:start], content[stop + len(END) :].removeprefix(newline)
    return (before if after else before.removesuffix(newline)) + after


def _newline(content: bytes, start: int) -> bytes:
    """The block's own line end where it stands already, else the file's."""
    rest = content[start + len(BEGIN) :] if start >= 0 else content
    if start >= 0 and rest.startswith((b"\r\n", b"\n")):
        return b"\r\n" if rest.startswith(b"\r\n") else b"\n"
    return b"\r\n" if b"\r\n" in content else b"\n"


def write_block(path: Path, body: str) -> bool:
    """Put the block into the file at `path`, made if missing. True when a byte changed. Raises NeatError when damaged."""
    old, new = planned_block(path, body)
    if new == old:
        return False
    write_atomic(path.resolve(), new)
    return True


def planned_block(path: Path, body: str) -> tuple[bytes, bytes]:
    """(bytes now, bytes with the block) of the file at `path`; nothing is written. Raises NeatError as write_block does."""
    if path.is_symlink() and not is_inside(path, path.parent):
        raise NeatError(
            f"{path} is a link to {path.resolve()}", "neat writes only inside the project: put a file there"
        )
    old = path.read_bytes() if path.exists() else b""
    if old.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise NeatError(f"{path} is UTF-16", "save it as UTF-8, which assistants read too")
    try:
        return old, with_block(old, body)
    except ValueError as error:
        hint = f"leave one {BEGIN.decode()} and one {END.decode()} after it, or none"
        raise NeatError(f"{path}: neat's block is damaged: {error}", hint) from error
