"""The marks of a list item: checkbox, tick, strike, "done" at its end; and the item without them. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

_BOX = re.compile(r"^\\?\[([ xX~/>!?.✓✔✅-]?)\\?\](?!\()[ \t]*")
_WORD_BOX = re.compile(
    r"^\\?\[(open|todo|pending|done|fixed|resolved|closed|wip|in[- ]progress|blocked|dropped|cancell?ed)\\?\](?!\()[ \t]+",
    re.I,
)
_BOXES = {
    "": "open",
    " ": "open",
    "x": "done",
    "✓": "done",
    "✔": "done",
    "✅": "done",
    "~": "in progress",
    "/": "in progress",
    ".": "in progress",
    ">": "open",
    "!": "open",
    "?": "open",
    "-": "dropped",
}
_SIGN = re.compile(r"^(✅|✓|✔|☑|🟢|✗|✘|❌|🔴|⏳|🔄|🚧|🟡|⚠|⬜|☐|🔲|📋|⏸|🚫|⛔|⏭)\ufe0f?[ \t]*")
_SIGNS = {
    **dict.fromkeys("✅✓✔☑🟢", "done"),
    **dict.fromkeys("⏳🔄🚧🟡", "in progress"),
    **dict.fromkeys("⬜☐🔲📋✗✘❌🔴⚠⏭", "open"),
    **dict.fromkeys("⏸🚫⛔", "blocked"),
}
_END = re.compile(
    r"[ \t]*(?:[-–—:(\[*✅✓✔☑][ \t]*)+(done|completed?|fixed|resolved|finished|implemented"
    r"|shipped|in[- ]progress|wip|ongoing|blocked|pending"
    r"|todo|not started|planned|cancell?ed|dropped|skipped)?[ \t]*[)\]*!.]{0,3}[ \t]*(?:✅|✓|✔|☑|🎉)?[ \t]*$",
    re.I,
)
_WORDS = {
    **dict.fromkeys(("in progress", "in-progress", "wip", "ongoing"), "in progress"),
    "blocked": "blocked",
    **dict.fromkeys(("open", "pending", "todo", "not started", "planned"), "open"),
    **dict.fromkeys(("cancelled", "canceled", "dropped", "skipped"), "dropped"),
}
_STRIKE = re.compile(r"^(\*\*)?~~(.{1,2000}?)~~(\*\*)?", re.S)


class Marked(NamedTuple):
    """An item's words without marks, and what the marks say: open, done, in progress, blocked, dropped, or nothing."""

    text: str
    status: str = ""
    is_box: bool = False
    sign: str = ""


def marked(text: str) -> Marked:
    """The marks of `text` read and taken off."""
    if (
        text[:1] in "*_"
        and text[:1] == text[-1:]
        and text[1:2] != text[:1]
        and len(text) < 500
        and text.count(text[:1]) == 2
    ):
        text = text[1:-1]  # all of it in italics, as footers are
    box = _BOX.match(text)
    status, is_box = (_BOXES.get(box[1].lower(), "open"), True) if box else ("", False)
    text = text[box.end() :] if box else text
    if not box and (word := _WORD_BOX.match(text)):  # "[open] the loader hangs"
        status, text = _WORDS.get(word[1].lower(), "done"), text[word.end() :]
    sign = _SIGN.match(text)
    if sign and len(text) > sign.end():
        text = text[sign.end() :]
        status = status or _SIGNS[sign[1]]
    text, struck = _unstruck(text)
    status = status or struck
    if not status and len(text) < 2000:
        status = _at_end(text)
    return Marked(text, status, is_box, sign[1] if sign else "")


def _unstruck(text: str) -> tuple[str, str]:
    """Words struck out at the beginning are done; what follows them is kept."""
    found = _STRIKE.match(text)
    if not found:
        return text, ""
    rest = text[found.end() :].strip()
    return f"{found[1] or ''}{found[2]}{found[3] or ''}{' ' + rest if rest else ''}", "done"


def _at_end(text: str) -> str:
    """What a mark at the end says: "✓ Done", "(in progress)", "✅"."""
    found = _END.search(text[-60:])
    if not found or not found[0].strip() or not re.search(r"[✅✓✔☑]|\w", found[0]):
        return ""
    word = (found[1] or "done").lower()
    return _WORDS.get(word, "done")
