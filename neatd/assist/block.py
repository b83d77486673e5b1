"""neat's block in a file of somebody's: between two markers, every other byte of the file as it was. Pure: bytes in,
bytes out, so that line ends, a missing last newline and bytes that are no UTF-8 stay what they are."""

from __future__ import annotations

import codecs
from typing import NamedTuple


class Markers(NamedTuple):
    """The two lines that the block stands between."""

    begin: bytes
    end: bytes


BEGIN = b"<!-- neat:begin -->"  # assistants leave comments out of what they read: the markers cost nothing
END = b"<!-- neat:end -->"
MARKDOWN = Markers(BEGIN, END)
HASH = Markers(b"# neat:begin", b"# neat:end")


def with_block(content: bytes, body: str, markers: Markers = MARKDOWN) -> bytes:
    """`content` with the block holding `body`: replaced in place, or added at the end. Raises ValueError saying why not."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValueError("it is UTF-16, not UTF-8, which assistants read too")
    start, stop = _places(content, markers)
    newline = _newline(content, start, markers)
    block = newline.join([markers.begin, *body.strip("\n").encode().splitlines(), markers.end])
    if start < 0:  # one newline before it, even after a line without one: only so can it be taken out again to the byte
        return content + (newline if content else b"") + block + newline
    return content[:start] + block + content[stop + len(markers.end) :]


def without_block(content: bytes, markers: Markers = MARKDOWN) -> bytes:
    """`content` with the block taken out, and with it the newlines that adding it put there."""
    start, stop = content.find(markers.begin), content.find(markers.end)
    if start < 0 or stop < start:
        return content
    newline = _newline(content, start, markers)
    before, after = content[:start], content[stop + len(markers.end) :].removeprefix(newline)
    above = before.removesuffix(newline)
    is_line_end = bool(after) and bool(above) and not above.endswith(b"\n")  # without it two lines would become one
    return (before if is_line_end else above) + after


def check_block(content: bytes, markers: Markers = MARKDOWN) -> None:
    """Raises ValueError where one cannot tell what is the block: a marker without its other, or two of one."""
    _places(content, markers)


def _places(content: bytes, markers: Markers) -> tuple[int, int]:
    begins, ends = content.count(markers.begin), content.count(markers.end)
    start, stop = content.find(markers.begin), content.find(markers.end)
    if (begins, ends) not in ((0, 0), (1, 1)) or stop < start:
        found = f"{begins} begin and {ends} end markers, or in the wrong order"
        raise ValueError(
            f"neat's block in it is damaged: {found}; leave one {markers.begin.decode()} and one {markers.end.decode()}"
            " after it, or none"
        )
    return start, stop


def _newline(content: bytes, start: int, markers: Markers) -> bytes:
    """The block's own line end where it stands already, else the file's."""
    rest = content[start + len(markers.begin) :] if start >= 0 else content
    if start >= 0 and rest.startswith((b"\r\n", b"\n")):
        return b"\r\n" if rest.startswith(b"\r\n") else b"\n"
    return b"\r\n" if b"\r\n" in content else b"\n"
