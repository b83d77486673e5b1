"""When a cron expression comes next, in a time zone with summer time, and the expression in words.

Pure. A job of a fixed hour comes once a day whatever the clock does: in the hour that is skipped it comes at the moment
that the hour would have been, in the hour that is shown twice at the first. One of every hour goes by what the clock
shows, so it comes in both. Moments of one zone are compared in UTC: Python would compare what the clocks show.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from neatd.rules.cron import WORDS, Cron

_YEARS = 41  # a 29th of February that is a Sunday comes after 28 years, or 40 around 2100
_SLACK_H = 3  # no clock is put by more, but where a day is left out
_SLACK = timedelta(hours=_SLACK_H)
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def next_moment(cron: Cron, after: datetime) -> datetime | None:
    """The first moment after `after`, in whose time zone the expression is read; None when there is none.

    `after` is aware. The answer is in its zone.
    """
    zone = after.tzinfo
    if zone is None:
        raise ValueError("a moment without a time zone")
    since = after.astimezone(UTC)
    earliest = after.replace(tzinfo=None, fold=0) - _SLACK
    for day in _days(cron, earliest.date()):
        found = _first(cron, day, zone, earliest, since)
        if found is not None:
            return found.astimezone(zone)
    return None


def _days(cron: Cron, first: date) -> Iterator[date]:
    for year in range(first.year, min(first.year + _YEARS, date.max.year)):
        for month in sorted(cron.months):
            if (year, month) < (first.year, first.month):
                continue
            for number in range(1, calendar.monthrange(year, month)[1] + 1):
                day = date(year, month, number)
                if day >= first and cron.fits(day):
                    yield day


def _first(cron: Cron, day: date, zone: tzinfo, earliest: datetime, since: datetime) -> datetime | None:
    """The first moment of a day after `since`, in UTC. Clocks that are put change the order of a few hours at the most."""
    found: datetime | None = None
    until = 24
    for hour in cron.hours:
        if hour > until:
            break
        if datetime.combine(day, time(hour, 59)) < earliest:
            continue
        for minute in cron.minutes:
            shown = datetime.combine(day, time(hour, minute))
            for moment in _as_shown(shown, zone) if cron.is_every_hour else (_in_utc(shown, zone),):
                if moment > since and (found is None or moment < found):
                    found, until = moment, min(until, hour + _SLACK_H)
    return found


def _as_shown(shown: datetime, zone: tzinfo) -> Iterator[datetime]:
    """Each moment at which the clock shows that: none, one or two."""
    for fold in (0, 1):
        moment = _in_utc(shown.replace(fold=fold), zone)
        if moment.astimezone(zone).replace(tzinfo=None, fold=0) == shown:
            yield moment


def _in_utc(shown: datetime, zone: tzinfo) -> datetime:
    return shown.replace(tzinfo=zone).astimezone(UTC)


def cron_words(cron: Cron) -> str:
    """The expression for people: `Sundays at 04:00`, `every day at 03:30`; as it stands where that would be long."""
    times = _times(cron)
    if times is None or len(cron.months) < 12:
        return "once a year" if cron.text.lower() in ("@yearly", "@annually", WORDS["@yearly"]) else cron.text
    if cron.is_every_day and cron.is_every_weekday and len(cron.days) == 31 and len(cron.weekdays) == 7:
        return times if times.startswith("every") else f"every day at {times}"
    at = f", {times}" if times.startswith("every") else f" at {times}"
    if cron.is_every_day and len(cron.days) == 31:
        return _weekdays(cron.weekdays) + at
    if cron.is_every_weekday and len(cron.weekdays) == 7 and len(cron.days) <= 4:
        return f"on day {', '.join(map(str, sorted(cron.days)))} of the month{at}"
    return cron.text


def _times(cron: Cron) -> str | None:
    if len(cron.hours) == 24:
        return _of_hour(cron.minutes)
    step = _even(cron.hours, 24)
    if step and len(cron.minutes) == 1:
        return f"every {step} hours" + (f" at minute {cron.minutes[0]}" if cron.minutes[0] else "")
    if len(cron.hours) * len(cron.minutes) <= 4:
        return ", ".join(f"{hour:02d}:{minute:02d}" for hour in cron.hours for minute in cron.minutes)
    return None


def _of_hour(minutes: tuple[int, ...]) -> str | None:
    if len(minutes) == 60:
        return "every minute"
    if len(minutes) == 1:
        return "every hour" + (f" at minute {minutes[0]}" if minutes[0] else "")
    step = _even(minutes, 60)
    return f"every {step} minutes" if step else None


def _even(numbers: tuple[int, ...], whole: int) -> int:
    """The distance of numbers that go evenly through an hour or a day, in three and more; 0 for others."""
    step = numbers[1] - numbers[0] if len(numbers) > 2 else 0
    return step if step and numbers == tuple(range(0, whole, step)) and whole % step == 0 else 0


def _weekdays(days: frozenset[int]) -> str:
    if days == {1, 2, 3, 4, 5}:
        return "Mondays to Fridays"
    return ", ".join(f"{_WEEKDAYS[day]}s" for day in sorted(days, key=lambda one: (one - 1) % 7))
