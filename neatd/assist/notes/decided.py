"""What stands in a decision's status: how it stands, what it replaces; and its date. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from neatd.assist.notes.parts import Part
from neatd.assist.notes.plain import plain
from neatd.assist.notes.said import DATE_NAME, date_only
from neatd.assist.notes.sections import normal

_STATES = (
    ("superseded", r"super[sc]eded\b|replaced by|superseded"),
    ("accepted", r"accept|approved|adopted|decided|active|final"),
    ("proposed", r"propos|draft|pending"),
    ("dropped", r"reject|deprecat|dropped|abandon"),
    ("implemented", r"implemented|done|complete"),
    ("accepted", r"super[sc]edes|replaces"),
)
_REPLACES = re.compile(
    r"^(?P<state>[A-Za-z]+)?[\s,;:.(–—-]*\b(?:and )?(?:super[sc]edes|replaces):?\s+(?P<what>\S[^\n]{0,200}?)[).]?$",
    re.I,
)


def decision_status(words: str) -> str:
    """A decision's status in neat's words; what supersedes another is accepted."""
    lower = words.lower()
    return next((name for name, pattern in _STATES if re.search(pattern, lower)), "")


def settled(parts: Sequence[Part]) -> tuple[list[Part], str]:
    """(a decision's parts with its status and what it replaces apart, its date). A date that is known is no part."""
    out: list[Part] = []
    date = ""
    for part in parts:
        name = normal(part.name)
        if not date and DATE_NAME.fullmatch(name) and (found := date_only(part.text)):
            date = found
        elif name in ("status", "state"):
            out += _status_parts(part)
        else:
            out.append(part)
    return out, date


def _status_parts(part: Part) -> list[Part]:
    """The status, what is replaced, and the lines that are neither; the part as it is where it tells nothing of both."""
    rows = [row for row in part.text.split("\n") if row.strip()]
    state, replaced, left = "", "", []
    for row in rows:
        words = plain(row.strip().lstrip("-*+ "))
        found = _REPLACES.match(words)
        if found and not replaced and (not found["state"] or decision_status(found["state"])):
            state, replaced = state or found["state"] or "", found["what"].strip()
        elif not state and len(words) <= 60 and decision_status(words):
            state = words
        else:
            left.append(row)
    if not replaced and (not state or not left):
        return [part]
    made = [Part(part.name, state or "accepted", f"{part.name}: {state or 'accepted'}")]
    if replaced:
        made.append(Part("supersedes", replaced, f"Supersedes: {replaced}"))
    return made + ([Part("", "\n".join(left), "\n".join(left))] if left else [])
