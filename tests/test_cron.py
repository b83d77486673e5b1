"""Cron expressions mean what crontab means, and come when they should, also where clocks are put."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from neatd.rules.cron import Cron, parse_cron
from neatd.rules.crontimes import cron_words, next_moment

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 3, 2)
WEEK = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

# The field of the weekday, and what crontab(5) makes of it.
WEEKDAYS = {
    "0": "sun", "7": "sun", "1": "mon", "5": "fri", "6": "sat", "sun": "sun", "SUN": "sun", "Mon": "mon", "sat": "sat",
    "1-5": "mon tue wed thu fri", "5-7": "fri sat sun", "0-2": "sun mon tue", "6-7": "sat sun",
    "0-7": "sun mon tue wed thu fri sat",
    "mon-fri": "mon tue wed thu fri", "fri-sun": "fri sat sun", "sat,sun": "sat sun", "1,3,5": "mon wed fri", "0,7": "sun",
    "1,5-7": "mon fri sat sun", "*/2": "sun tue thu sat", "*/3": "sun wed sat", "1-5/2": "mon wed fri",
    "1-7/2": "mon wed fri sun",
    "0-6/2": "sun tue thu sat", "*/7": "sun", "2-4,sun": "tue wed thu sun", "*": "sun mon tue wed thu fri sat",
}  # fmt: skip


@pytest.mark.parametrize(("field", "names"), WEEKDAYS.items())
def test_a_weekday_is_crontabs(field: str, names: str) -> None:
    """0 and 7 are Sunday, a range may end there, steps count from Sunday."""
    cron = parse_cron(f"0 4 * * {field}")
    fitting = {name for name, place in WEEK.items() if cron.fits(MONDAY + timedelta(days=place))}
    assert fitting == set(names.split())


def test_the_seeds_weekly_line_fires_on_sunday() -> None:
    """APScheduler's own reading of the same line is Monday, which is why it is not asked."""
    friday = datetime(2026, 3, 6, tzinfo=UTC)
    ours = next_moment(parse_cron("0 4 * * 0"), friday)
    theirs = CronTrigger.from_crontab("0 4 * * 0", timezone=UTC).get_next_fire_time(None, friday)
    assert ours == datetime(2026, 3, 8, 4, tzinfo=UTC) and f"{ours:%a}" == "Sun"
    assert f"{theirs:%a}" == "Mon"


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("0 0 13 * 5", [3, 10, 13, 17, 24, 31]),  # the 13th, and every Friday: both are restricted
        ("0 0 13 * *", [13]),
        ("0 0 * * 5", [3, 10, 17, 24, 31]),
        ("0 0 */10 * 5", [31]),  # a star restricts nothing: a Friday that is the 1st, 11th, 21st or 31st
        ("0 0 1,15 * */2", []),  # the 1st and the 15th of that July are Wednesdays
        ("0 0 1-7 * 1", [1, 2, 3, 4, 5, 6, 7, 13, 20, 27]),
        ("0 0 31 4,7 *", [31]),
    ],
)
def test_days_of_the_month_and_of_the_week_are_joined_as_crontab_joins_them(text: str, days: list[int]) -> None:
    """By OR where both are restricted, by AND where one begins with a star."""
    cron = parse_cron(text)
    assert [day for day in range(1, 32) if cron.fits(date(2026, 7, day))] == days


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "five fields"), ("* * * *", "five fields"), ("* * * * * *", "five fields"), ("60 * * * *", "not within 0 to 59"),
        ("* 24 * * *", "not within 0 to 23"), ("* * 0 * *", "not within 1 to 31"), ("* * * 13 *", "not within 1 to 12"),
        ("* * * * 8", "not within 0 to 7"), ("5-1 * * * *", "ends before it begins"), ("* * * * 5-1", "ends before it begins"),
        ("*/0 * * * *", "leads nowhere"), ("5/2 * * * *", "a step follows"), ("a * * * *", "not a number"),
        ("* * * foo *", "'foo' is no number"), ("* * * * monday", "not a number"), ("1,,2 * * * *", "not a number"),
        ("0 0 30 2 *", "never comes"), ("0 0 31 4,6 *", "never comes"), ("@reboot", "is not one of"), ("@", "is not one of"),
        ("*-5 * * * *", "is no range"), ("-1 * * * *", "not a number"), ("0 0 * * ?", "not a number"), ("0 " * 400, "too long"),
        ("٣ * * * *", "not a number"),
    ],
)  # fmt: skip
def test_what_crontab_would_refuse_is_refused_with_its_field(text: str, why: str) -> None:
    """Nothing is guessed: a schedule that means something else than it says is worse than none."""
    with pytest.raises(ValueError, match=why):
        parse_cron(text)


def theirs(cron: Cron, zone: ZoneInfo) -> CronTrigger | OrTrigger:
    """The same in APScheduler's terms, by names and lists, which it reads as crontab does."""
    fixed = {
        "minute": ",".join(map(str, cron.minutes)), "hour": ",".join(map(str, cron.hours)),
        "month": ",".join(map(str, sorted(cron.months))), "timezone": zone,
    }  # fmt: skip
    day = ",".join(map(str, sorted(cron.days)))
    weekday = ",".join(DAYS[one] for one in sorted(cron.weekdays))
    if cron.is_every_day or cron.is_every_weekday:
        return CronTrigger(day=day, day_of_week=weekday, **fixed)
    return OrTrigger([CronTrigger(day=day, **fixed), CronTrigger(day_of_week=weekday, **fixed)])


@pytest.mark.parametrize(
    "text",
    [
        "0 4 * * 0",
        "30 4 * * 5-7",
        "15 3 13 * fri",
        "0 0 1,15 * */3",
        "5 */8 * * mon-fri",
        "0 12 * 2,6 *",
        "@monthly",
        "59 23 31 * *",
    ],
)
def test_a_year_of_moments_is_the_one_that_another_program_finds(text: str) -> None:
    """Ours and APScheduler's, given the same days, agree on each moment of 2026 (in UTC: where clocks are put they differ)."""
    cron, zone = parse_cron(text), ZoneInfo("UTC")
    trigger, moment, end = theirs(cron, zone), datetime(2026, 1, 1, tzinfo=zone), datetime(2027, 1, 1, tzinfo=zone)
    count = 0
    while True:
        ours = next_moment(cron, moment)
        other = trigger.get_next_fire_time(moment, moment + timedelta(seconds=1))
        assert ours == other
        if ours is None or ours > end:
            break
        moment, count = ours, count + 1
    assert count >= 7


def moments(text: str, since: datetime, count: int) -> list[str]:
    found = []
    for _ in range(count):
        after = next_moment(parse_cron(text), since)
        assert after is not None and after.astimezone(UTC) > since.astimezone(UTC)
        since = after
        found.append(since.isoformat(timespec="minutes"))
    return found


def test_a_daily_job_runs_once_on_the_day_whose_hour_is_skipped() -> None:
    """At the moment that 02:30 would have been."""
    assert moments("30 2 * * *", datetime(2026, 3, 28, 1, tzinfo=BERLIN), 3) == [
        "2026-03-28T02:30+01:00", "2026-03-29T03:30+02:00", "2026-03-30T02:30+02:00",
    ]  # fmt: skip


def test_a_daily_job_runs_once_on_the_day_whose_hour_comes_twice() -> None:
    """At the first of the two."""
    assert moments("30 2 * * *", datetime(2026, 10, 24, 3, tzinfo=BERLIN), 2) == [
        "2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00",
    ]  # fmt: skip


def test_an_hourly_job_goes_by_what_the_clock_shows() -> None:
    """25 times on the long day, 23 times on the short one."""
    assert moments("30 * * * *", datetime(2026, 10, 25, 1, tzinfo=BERLIN), 4) == [
        "2026-10-25T01:30+02:00", "2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00", "2026-10-25T03:30+01:00",
    ]  # fmt: skip
    assert moments("30 * * * *", datetime(2026, 3, 29, 1, tzinfo=BERLIN), 2) == [
        "2026-03-29T01:30+01:00", "2026-03-29T03:30+02:00",
    ]  # fmt: skip


def test_a_clock_that_is_put_by_half_an_hour_and_a_day_that_is_left_out() -> None:
    """Lord Howe puts it by thirty minutes; Samoa had no 30th of December 2011."""
    howe = ZoneInfo("Australia/Lord_Howe")
    assert moments("15 2 * * *", datetime(2026, 10, 3, 12, tzinfo=howe), 2) == [
        "2026-10-04T02:45+11:00", "2026-10-05T02:15+11:00",
    ]  # fmt: skip
    samoa = ZoneInfo("Pacific/Apia")
    found = moments("0 5 * * *", datetime(2011, 12, 29, 4, tzinfo=samoa), 3)
    assert [text[:16] for text in found] == ["2011-12-29T05:00", "2011-12-31T05:00", "2012-01-01T05:00"]


def test_a_leap_day_that_is_a_sunday_is_found() -> None:
    """After as many years as it takes."""
    found = next_moment(parse_cron("0 0 29 2 */7"), datetime(2033, 1, 1, tzinfo=UTC))
    assert found == datetime(2060, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 4 * * 0", "Sundays at 04:00"), ("30 3 * * *", "every day at 03:30"), ("*/15 * * * *", "every 15 minutes"),
        ("5 */6 * * *", "every 6 hours at minute 5"), ("@hourly", "every hour"),
        ("0 8,20 * * 1-5", "Mondays to Fridays at 08:00, 20:00"),
        ("0 0 1 * *", "on day 1 of the month at 00:00"), ("@yearly", "once a year"), ("0 0 13 * 5", "0 0 13 * 5"),
        ("0 0 * 2 *", "0 0 * 2 *"), ("0 4 * * 5-7", "Fridays, Saturdays, Sundays at 04:00"),
        ("7 0-20/3 * * *", "7 0-20/3 * * *"),
        ("0 */7 * * *", "every day at 00:00, 07:00, 14:00, 21:00"),
    ],
)  # fmt: skip
def test_an_expression_in_words_says_no_more_and_no_less(text: str, words: str) -> None:
    """Where words would be long or not quite true, it stands as it is."""
    assert cron_words(parse_cron(text)) == words
