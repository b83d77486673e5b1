"""Whole texts as markdown holds them: in a cell of a table, behind a label, in an item of a list, as code. Pure.

Nothing is cut: a document without a budget says all of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # but tab and newline
_BAR = re.compile(r"(\\*)\|")
_OWN_LINE = re.compile(r"\s*(?:```|~~~|[-*+|#>]|\d+[.)]\s)")  # begins a block, so it cannot stand behind a label


def without_controls(text: str) -> str:
    """Text without the characters by which a terminal is told what to do: escape, bell, backspace, C1; tabs and line
    ends stay."""
    return _CONTROL.sub("", text)


def cell(value: Any, hide: Callable[[str], str] = str) -> str:
    """A value as a cell of a markdown table: one line, bars escaped; a dash for nothing."""
    if value is None or value == "" or value == ():
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    return _BAR.sub(_escaped, hide(" ".join(str(value).split())))


def _escaped(found: re.Match[str]) -> str:
    """A bar with a backslash that counts: after an even number of them it would still end the cell."""
    return found[0] if len(found[1]) % 2 else f"{found[1]}\\|"


def hang(text: str, width: int) -> str:
    """Text behind a label: its first line as it is, the others indented by `width` spaces. What begins a list, a table
    or a code block begins on a line of its own."""
    lines = text.strip("\n").splitlines()
    if len(lines) > 1 and _OWN_LINE.match(lines[0]):
        return "\n" + block(text, width)
    others = block("\n".join(lines[1:]), width) if len(lines) > 1 else ""
    return lines[0].strip() + ("\n" + others if others else "") if lines else ""


def block(text: str, width: int = 0) -> str:
    """Text with each line indented by `width` spaces, an open code fence closed: it stays inside its list item."""
    lines = [line.rstrip() for line in text.rstrip().splitlines()]
    fence_open = _open_fence(lines)
    return "\n".join(" " * width + line if line else "" for line in (*lines, *filter(None, [fence_open])))


def _open_fence(lines: Iterable[str]) -> str:
    opened = ""
    for line in lines:
        found = re.match(r"\s*(`{3,}|~{3,})(.*)", line)
        if found and not opened:
            opened = found[1]
        elif found and found[1].startswith(opened) and not found[2].strip():
            opened = ""
    return opened


def fence(text: str) -> str:
    """The fence of a code block that `text` cannot close."""
    return "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))
