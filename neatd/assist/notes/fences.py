"""What a code fence holds when it is no code: key and value lines, before and after, a tree of files, services. Pure."""

from __future__ import annotations

import re

from neatd.assist.notes.plain import bare, cut, unnumbered

_PAIR = re.compile(r"^[^\w\n]{0,6}([A-Za-z][\w .()/&-]{0,40}?)\s*(?::|=)(?=\s)\s*(\S.*)$")
_TREE = re.compile(r"[├└]|\|--|`--|\+--")
_ROW_MARK = re.compile(r"^(?:[│├└─┬|`+\s-]|✅|✓|❌|🟢|🔴|⚠️?|[-*•]\s)+")


def pairs(text: str) -> list[tuple[str, str]]:
    """The key and value of each line; () when the lines are something else."""
    rows = [row.strip() for row in text.split("\n", 400)[:400] if row.strip()]
    found = [_PAIR.match(row[:500]) for row in rows]
    if not rows or sum(one is not None for one in found) * 10 < len(rows) * 7 or text.count("{") > 1:
        return []
    return [(one[1].strip(), one[2].strip()) for one in found if one]


def before_after(text: str) -> tuple[str, str] | None:
    """The values of its `Before:` and `After:` lines."""
    named = {name.lower(): value for name, value in pairs(text)}
    return (named["before"], named["after"]) if "before" in named and "after" in named else None


def is_tree(text: str) -> bool:
    """Whether it draws a tree of files: branches, or most lines folders and files below each other."""
    rows = [row for row in text.split("\n", 300)[:300] if row.strip()]
    drawn = sum(bool(_TREE.search(row)) for row in rows)
    if drawn >= 2 and drawn * 2 >= len(rows):
        return True
    named = sum(bool(re.match(r"\s*[\w./-]+(?:/|\.\w{1,5})(?:\s+(?:#|-|<-|←|\().*)?$", row)) for row in rows)
    return len(rows) >= 3 and named * 10 >= len(rows) * 8 and any(row.rstrip().split()[0].endswith("/") for row in rows)


def rows_of(text: str) -> list[tuple[int, str]]:
    """(row from 0, its words without bullets and branches), for a fence that is a list."""
    return [(at, _ROW_MARK.sub("", row).strip()) for at, row in enumerate(text.split("\n")) if row.strip()]


def title_of(text: str, about: str) -> str:
    """A title for a fence: what it is under, and its lines as far as they fit."""
    rows = [bare(row) for row in text.split("\n", 12)[:12] if row.strip()]
    head = f"{unnumbered(about)}: " if about else ""
    return cut(head + "; ".join(row for row in rows if row))
