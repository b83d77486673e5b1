"""Times as the store writes them: UTC, microseconds, of one width, so that the order of text is the order of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def utc_now() -> str:
    """Now, as the store writes times: UTC, microseconds, fixed width so that text order is time order."""
    return stamp(datetime.now(UTC))


def later_than(moment: str) -> str:
    """Now; or just after `moment`, which a clone whose clock runs ahead may have written: what comes after it is newer."""
    now = utc_now()
    return now if now > moment else stamp(datetime.fromisoformat(moment) + timedelta(microseconds=1))


def stamp(moment: datetime) -> str:
    """An aware datetime as the store writes it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
