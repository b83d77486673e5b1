"""Where a piece belongs that is a part of a larger record, and records made from a single line. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from neatd.assist.notes import shell
from neatd.assist.notes.context import Here, place_of
from neatd.assist.notes.fields import date_of, label_of
from neatd.assist.notes.merged import Piece
from neatd.assist.notes.names import Source
from neatd.assist.notes.outline import Node
from neatd.assist.notes.plain import bare, cut, plain
from neatd.assist.notes.record import Draft, draft
from neatd.assist.notes.sections import meaning

_CODE = re.compile(r"`([^`\n]{1,1000})`")


def root_of(node: Node) -> Node:
    while node.parent is not None:
        node = node.parent
    return node


def is_login(text: str) -> bool:
    """Whether all a fence holds is how to get onto a machine."""
    rows = [row.strip() for row in text.split("\n", 20)[:20] if row.strip() and not row.strip().startswith("#")]
    return bool(rows) and all(re.match(r"(?:\$ )?(?:ssh|mosh)\s", row) for row in rows)


def is_below(node: Node, kind: str, origin: Source) -> bool:
    return any(place_of(one, origin).kind == kind for one in node.path())


def is_session_file(node: Node) -> bool:
    """Whether a heading above says that this is a session's or a handoff's."""
    path = node.path() or [child for child in node.children if child.level == 1][:1]
    return any(meaning(one.title).kind == "session" for one in path)


def scope_of(node: Node, kind: str, origin: Source) -> Node:
    """The heading whose record a piece belongs to."""
    path = node.path()
    if not path:
        return next((child for child in node.children if child.level == 1), node)
    if kind == "meta":
        return path[0]
    if kind == "session":
        named = [one for one in path if re.search(r"session|hand-?(?:off|over)", one.title, re.I) or date_of(one.title)]
        dated = [one for one in named if date_of(one.title)]
        return (dated or named or path)[-1 if dated else 0]
    told = [one for one in path if place_of(one, origin).kind == kind]
    return told[0] if kind in ("machine", "phase") and told else path[-1]


def meta(heading: str, pieces: Sequence[Piece], name: str) -> Draft:
    """What a file says of itself: its title, status and path."""
    body = "\n".join(piece.raw.strip("-\n ") for piece in pieces)
    labels = {label.name.lower(): label.value for row in body.split("\n", 200) if (label := label_of(row.strip()))}
    title = bare(heading) or labels.get("title") or labels.get("name") or name.rsplit("/", 1)[-1]
    lines = sorted({line for piece in pieces for line in piece.lines})
    return draft(
        "document",
        cut(plain(title).strip("\"'")),
        body,
        lines,
        path=name,
        status=plain(labels.get("status", ""))[:40].lower(),
    )


def inline_command(text: str, raw: str, here: Here, lines: Sequence[int]) -> Draft | None:
    """A command written in a line of text, and what the line says of it."""
    found = [one for one in _CODE.findall(text) if shell.is_command(one, True)]
    line = found[0] if found else text.strip() if shell.is_command(text.split("\n")[0]) and "\n" not in text else ""
    if not line:
        return None
    words = plain(text.replace(f"`{line}`", " ", 1)) if found else ""
    about = re.sub(r"^[\s:–—-]+|[\s:–—-]+$", "", words)
    is_whole = "\n" not in raw.strip() and len(found) <= 1 and len(about) <= 200
    made = draft(
        "command",
        line,
        "" if is_whole else raw,
        lines,
        about=cut(about, 200) or (here.about if here.about != here.told else ""),
    )
    if not is_whole:
        made.fields["body"] = raw
    return made
