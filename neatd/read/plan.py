"""The checkboxes of a plan file: which tasks it names, which are done, and one of them ticked. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

_BOX = re.compile(r"^(?P<indent>[ \t]*)(?:[-*+]|\d{1,9}[.)])[ \t]+\[(?P<mark>[ xX])\][ \t]+(?P<text>\S.*)$")
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.*?)[ \t]*#*$")
_FENCE = re.compile(r"^[ \t]*(```|~~~)")
_NUMBER = re.compile(r"^(?:\*\*)?(?:Task[ \t]+)?(\d+(?:\.\d+)+)\b")
_MARKUP = re.compile(r"[*_`~]+")


class Box(NamedTuple):
    """One checkbox. `parent` is the index of the box it is nested under, or whose number its own goes on from."""

    line: int  # 1-based
    is_done: bool
    title: str
    section: str  # the headings above it, joined by " / "
    parent: int | None
    key: str  # its place and words, the same after lines were added elsewhere


def boxes(text: str) -> list[Box]:
    """The checkboxes of a markdown text in their order; those in code fences are none."""
    found: list[Box] = []
    headings: list[tuple[int, str]] = []
    open_above: list[tuple[int, int]] = []  # (indent, index) of the boxes that the next one may be nested under
    numbered: dict[str, int] = {}
    seen: dict[str, int] = {}
    fence = ""
    for line, raw in enumerate(text.split("\n"), start=1):
        fenced = _FENCE.match(raw)
        if fenced:
            fence = "" if fence == fenced[1] else fence or fenced[1]
        heading = None if fence else _HEADING.match(raw)
        if heading:
            level = len(heading[1])
            headings = [one for one in headings if one[0] < level] + [(level, plain(heading[2]))]
            open_above = []
        box = None if fence else _BOX.match(raw.rstrip("\r"))
        if not box:
            continue
        indent = len(box["indent"].expandtabs(4))
        open_above = [one for one in open_above if one[0] < indent]
        number = _NUMBER.match(box["text"])
        parent = open_above[-1][1] if open_above else _of_number(numbered, number[1] if number else "")
        section = " / ".join(name for _, name in headings)
        title = plain(box["text"])
        key = f"{section}#{found[parent].title if parent is not None else ''}#{title}"
        seen[key] = seen.get(key, 0) + 1
        key += f"#{seen[key]}" if seen[key] > 1 else ""
        if number:
            numbered[number[1]] = len(found)
        open_above.append((indent, len(found)))
        found.append(Box(line, box["mark"] != " ", title, section, parent, key))
    return found


def _of_number(numbered: dict[str, int], number: str) -> int | None:
    """The box whose number this one goes on from: 1.4 of 1.4.2."""
    while "." in number:
        number = number.rpartition(".")[0]
        if number in numbered:
            return numbered[number]
    return None


def plain(text: str) -> str:
    """Words without markdown's emphasis, on one line."""
    return " ".join(_MARKUP.sub("", text).split())


def ticked(text: str, marks: dict[int, bool]) -> str:
    """`text` with the boxes on these lines ticked or cleared; every other byte as it was."""
    lines = text.split("\n")
    for number, is_done in marks.items():
        box = _BOX.match(lines[number - 1].rstrip("\r")) if 0 < number <= len(lines) else None
        if box:
            at = box.start("mark")
            lines[number - 1] = lines[number - 1][:at] + ("x" if is_done else " ") + lines[number - 1][at + 1 :]
    return "\n".join(lines)
