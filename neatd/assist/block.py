"""neat's block in CLAUDE.md: between two markers, every other byte of the file as it was. Works on bytes, so that
line ends, a missing last newline and bytes that are no UTF-8 stay what they are."""

from __future__ import annotations

from pathlib import Path

from neatd.errors import NeatError
from neatd.files import write_atomic

BEGIN = b"<!-- neat:begin -->"
END = b"<!-- neat:end -->"


def with_block(content: bytes, body: str) -> bytes:
    """`content` with the block holding `body`: replaced in place, or added at the end. Raises ValueError on odd markers."""
    newline = b"\r\n" if b"\r\n" in content else b"\n"
    block = newline.join([BEGIN, *body.strip("\n").encode().splitlines(), END])
    begins, ends = content.count(BEGIN), content.count(END)
    if begins == ends == 0:
        gap = b"" if not content else newline if content.endswith(newline) else newline * 2
        return content + gap + block + newline
    start, stop = content.find(BEGIN), content.find(END)
    if (begins, ends) != (1, 1) or stop < start:
        raise ValueError(f"{begins} begin and {ends} end markers, or in the wrong order")
    return content[:start] + block + content[stop + len(END) :]


def without_block(content: bytes) -> bytes:
    """`content` with the block taken out, and with it the newlines that adding it put there."""
    start, stop = content.find(BEGIN), content.find(END)
    if start < 0 or stop < start:
        return content
    after = content[stop + len(END) :]
    for newline in (b"\r\n", b"\n"):
        if after.startswith(newline):
            after = after[len(newline) :]
            break
    before = content[:start]
    if not after:
        newline = b"\r\n" if before.endswith(b"\r\n") else b"\n"
        before = before.removesuffix(newline)
    return before + after


def write_block(path: Path, body: str) -> bool:
    """Put the block into the file at `path`, made if missing. True when a byte changed."""
    old = path.read_bytes() if path.exists() else b""
    try:
        new = with_block(old, body)
    except ValueError as error:
        hint = f"leave one {BEGIN.decode()} and one {END.decode()} after it, or none"
        raise NeatError(f"{path}: neat's block is damaged: {error}", hint) from error
    if new == old:
        return False
    write_atomic(path, new)
    return True
