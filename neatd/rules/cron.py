"""Cron expressions, read as crontab reads them: five fields, or a word such as @daily.

Pure. Sunday is 0 and 7 (APScheduler's `from_crontab` takes 0 for Monday). A day fits when the day of the month or the day
of the week does, if both are restricted; one that begins with `*` restricts nothing, then both must fit. A range of
weekdays may end with Sunday by name or by 7. What crontab would refuse, or what no two programs agree on, is refused.
"""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

WORDS = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
_DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_PART = re.compile(r"(\*|[a-z]{3}|\d{1,2})(?:-([a-z]{3}|\d{1,2}))?(?:/(\d{1,4}))?", re.ASCII)
LONGEST = 300  # characters of an expression


class Cron(NamedTuple):
    """The minutes, hours, days and months in which something is to happen. `weekdays` counts from 0, Sunday."""

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_every_hour: bool  # the hour's field begins with *: such a job goes by what the clock shows
    is_every_day: bool
    is_every_weekday: bool

    def fits(self, day: date) -> bool:
        """Whether something is to happen on that day."""
        if day.month not in self.months:
            return False
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        if self.is_every_day or self.is_every_weekday:
            return by_day and by_weekday
        return by_day or by_weekday


class _Field(NamedTuple):
    name: str
    first: int
    last: int
    names: dict[str, int]


_FIELDS = (
    _Field("minute", 0, 59, {}), _Field("hour", 0, 23, {}), _Field("day of the month", 1, 31, {}),
    _Field("month", 1, 12, _MONTHS), _Field("day of the week", 0, 7, _DAYS),
)  # fmt: skip


def parse_cron(text: str) -> Cron:
    """The expression; raises ValueError that names the field and what is wrong with it."""
    if len(text) > LONGEST:
        raise ValueError("is too long for a cron expression")
    lowered = text.strip().lower()
    if lowered.startswith("@"):
        if lowered not in WORDS:
            raise ValueError(f"{text.strip()} is not one of {', '.join(WORDS)}")
        lowered = WORDS[lowered]
    parts = lowered.split()
    if len(parts) != 5:
        raise ValueError("a cron expression has five fields: minute, hour, day of the month, month, day of the week")
    minutes, hours, days, months, weekdays = (_values(part, field) for part, field in zip(parts, _FIELDS, strict=True))
    made = Cron(
        text.strip(), tuple(sorted(minutes)), tuple(sorted(hours)), days, months, frozenset(day % 7 for day in weekdays),
        *(parts[at].startswith("*") for at in (1, 2, 4)),
    )  # fmt: skip
    if not _ever_comes(made):
        raise ValueError("such a day never comes")
    return made


def _values(text: str, field: _Field) -> frozenset[int]:
    return frozenset(value for part in text.split(",") for value in _part(part, field))


def _part(text: str, field: _Field) -> range:
    found = _PART.fullmatch(text)
    if found is None:
        raise ValueError(f"{field.name}: {text!r} is not a number, a range, a list or * with an optional step")
    begin, end, step = found.groups()
    if begin == "*":
        if end is not None:
            raise ValueError(f"{field.name}: {text!r} is no range")
        first, last = field.first, field.last
    else:
        first, last = _number(begin, field), _number(begin if end is None else end, field)
        if end is None and step is not None:
            raise ValueError(f"{field.name}: a step follows * or a range, as in {begin}-{field.last}/{step}")
        if last == 0 and first > 0 and end in ("sun", "0") and field.names is _DAYS:
            last = 7
    if last < first:
        raise ValueError(f"{field.name}: {text!r} ends before it begins")
    if step is not None and int(step) == 0:
        raise ValueError(f"{field.name}: a step of 0 leads nowhere")
    return range(first, last + 1, int(step or 1))


def _number(word: str, field: _Field) -> int:
    if word in field.names:
        return field.names[word]
    if not word.isdigit():
        known = f"; known: {', '.join(field.names)}" if field.names else ""
        raise ValueError(f"{field.name}: {word!r} is no number{known}")
    if not field.first <= int(word) <= field.last:
        raise ValueError(f"{field.name}: {word} is not within {field.first} to {field.last}")
    return int(word)


def _ever_comes(cron: Cron) -> bool:
    """False for a 30th of February alone."""
    if not cron.is_every_weekday and not cron.is_every_day:
        return True
    longest = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
    return any(day <= longest.get(month, 31) for month in cron.months for day in cron.days)
