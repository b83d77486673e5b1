"""When a record was written, as far as its text tells: a date line, a dated heading, a table's date column. Pure.

Never from the middle of a sentence: a wrong date is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from neatd.assist.notes.plain import bare, plain
from neatd.assist.notes.record import Draft

DATE_NAME = re.compile(
    r"(?:date|decided|decided on|decision date|date decided|session date|created|created at|when|timestamp)", re.I
)
_COLUMN = re.compile(r"(?:date|day|datetime|timestamp|created[ _]?at|started[ _]?at|logged[ _]?at)", re.I)
_CLOCK = r"(?:[T ,]{1,3}(?:at )?(\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d{1,9})?[ ]?(Z|UTC|[+-]\d{2}:?\d{2})?)?(?!:?\d)"
_ISO = re.compile(r"(?<![\w/.-])(20\d{2}|2100)([-/.])(\d{1,2})\2(\d{1,2})(?![\d/-])" + _CLOCK)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = rf"({'|'.join(_MONTHS)})[a-z]{{0,6}}\.?"
_WORDED = (
    re.compile(rf"\b{_MONTH} (\d{{1,2}})(?:st|nd|rd|th)?,? (20\d{{2}}|2100)\b", re.I),
    re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)? {_MONTH},? (20\d{{2}}|2100)\b", re.I),
)
_NOT_THEN = re.compile(
    r"\b(?:before|after|since|until|till|by|due|deadline|from|through|for|of|plan(?:ned)?|target|eta|expected"
    r"|starting|ends?|release)\W*$",
    re.I,
)
_DAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
_ONLY_DAY = re.compile(
    rf"\W*(?:{_DAY}\W*)?|\W*(?:(?:work(?:ing)?|dev|training) )?session\W*(?:#?\d+\W*)?(?:{_DAY})?\W*", re.I
)
_DATED_FILE = re.compile(r"hand-?(?:off|over)|session", re.I)
_TO_COME = frozenset({"task", "goal"})  # a date they begin with is when they are due


def _found(words: str) -> tuple[str, int, int] | None:
    """(the first real date of `words` in ISO form, where it begins, where it ends)."""
    if (one := _ISO.search(words)) and (said := _real(one[1], one[3], one[4], one[5] or "", one[6] or "")):
        return said, one.start(), one.end()
    for at, pattern in enumerate(_WORDED):
        if one := pattern.search(words):
            month, day = (one[1], one[2]) if at == 0 else (one[2], one[1])
            if said := _real(one[3], str(_MONTHS.index(month[:3].lower()) + 1), day, "", ""):
                return said, one.start(), one.end()
    return None


def _real(year: str, month: str, day: str, clock: str, zone: str) -> str:
    """The ISO form of a date that the calendar has; "" for any other."""
    text = f"{year}-{month:0>2}-{day:0>2}"
    try:
        datetime.fromisoformat(text)
        if not clock:
            return text
        hour, rest = clock.split(":", 1)
        whole = f"{text}T{hour:0>2}:{rest}"
        datetime.fromisoformat(whole)
    except ValueError:
        return "" if not clock else _real(year, month, day, "", "")
    return whole + ("+00:00" if zone in ("Z", "UTC") else zone[:3] + ":" + zone[-2:] if zone else "")


def date_only(text: str) -> str:
    """The date that `text` is and nothing beside it but a day of the week: a field's value, a cell."""
    words = bare(text[:80]).strip("\"' ")
    found = _found(words)
    if not found or not re.fullmatch(rf"\W*(?:{_DAY}\W*)?", words[: found[1]] + words[found[2] :], re.I):
        return ""
    return found[0]


def date_of_heading(text: str) -> str:
    """The date a heading bears at its beginning or its end: "Session 2026-02-05", "2025-01-14 Tuesday"."""
    words = plain(text[:200])
    found = _found(words)
    if not found or _NOT_THEN.search(words[: found[1]]):
        return ""
    is_first = not re.search(r"\w", words[: found[1]])
    is_last = not re.search(r"\w", re.sub(_DAY, "", words[found[2] :], flags=re.I))
    return found[0] if is_first or is_last else ""


def is_day(text: str) -> bool:
    """Whether a heading is nothing but a date, with its weekday or the word session."""
    found = _found(words := plain(text[:200]))
    return bool(found and _ONLY_DAY.fullmatch(words[: found[1]] + " " + words[found[2] :]))


def date_at_start(text: str) -> str:
    """The date a line begins with, set off from its words: "2025-01-14: …", "[2025-01-03] - …"."""
    words = plain(text[:200])
    found = _found(words)
    if (
        not found
        or re.search(r"\w", words[: found[1]])
        or not re.match(r"\s?[\])]|:|\s?[–—-]\s|\s*$", words[found[2] :])
    ):
        return ""
    return found[0]


def date_in_row(head: Sequence[str], row: Sequence[str]) -> str:
    """The date in a table's column for it."""
    dates = (date_only(cell) for name, cell in zip(head, row, strict=False) if _COLUMN.fullmatch(name.strip()))
    return next(filter(None, dates), "")


def of_file(drafts: Sequence[Draft], front: str, name: str) -> str:
    """The date of a whole file: of its front matter, of the session that the file is, of a handoff's name."""
    for row in front.split("\n", 100)[:100]:
        key, _, value = row.partition(":")
        if key.strip().lower() in ("date", "created", "session_date") and (said := date_only(value)):
            return said
    whole = next((one for one in drafts if one.kind == "session" and not one.section), None)
    if whole and (said := date_only(str(whole.fields.get("started", "")))):
        return said
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    found = _ISO.search(re.sub(r"[_.-](?=\D|$)|(?<=[A-Za-z])[_.-]", " ", last)) if _DATED_FILE.search(last) else None
    return _real(found[1], found[3], found[4], "", "") if found else ""


def said(one: Draft, of_file: str) -> str:
    """When a record was written: its own date, its session's, the nearest dated heading's, the file's."""
    if one.said_at:
        return one.said_at
    if one.kind == "session" and (own := date_only(str(one.fields.get("started", "")))):
        return own
    title = str(one.fields["title"])
    if one.kind not in _TO_COME and (own := date_at_start(title)):
        return own
    if one.kind == "session" and (own := date_of_heading(title)):
        return own
    above = (date_of_heading(heading) for heading in reversed(one.section.split(" / ")))
    return next(filter(None, above), of_file)
