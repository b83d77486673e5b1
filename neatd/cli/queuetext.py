"""The queue as text: a line for each job, and what is paused. Standard library only; rich would take longer than all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from neatd.assist.markdown import without_controls

SHOWN = 40  # of those that wait; --json has all
JUST_ENDED = 10  # with --all
EVERY = "*"  # the group that a pause of the whole queue is of


def table(shapes: Sequence[dict[str, Any]], waiting: int, ended_in_all: int) -> Iterator[str]:
    """What runs, the first of what waits, the last of what has ended; how many more there are of the latter two."""
    running, waits = ([one for one in shapes if one["status"] == status] for status in ("running", "queued"))
    ended = [one for one in shapes if one["status"] not in ("running", "queued")]
    shown = [*running, *waits[:SHOWN], *ended[:JUST_ENDED]]
    has_projects = len({one["project"] for one in shown}) > 1
    rows = [_row(one, has_projects) for one in shown]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width).rstrip()
    left = waiting - SHOWN, ended_in_all - JUST_ENDED
    more = [f"{count} more {what}" for count, what in zip(left, ("wait", "have ended"), strict=True) if count > 0]
    if more:
        yield f"… {', '.join(more)}; --json lists them all"


def group_lines(
    counts: Mapping[str, tuple[int, int]], known: Mapping[str, tuple[int | None, bool, str]]
) -> Iterator[str]:
    """The groups that are paused, or have a number of their own and something in them."""
    for name, (parallel, is_paused, why) in known.items():
        running, waits = counts.get(name, (0, 0))
        if is_paused:
            what, word = ("the queue", "") if name == EVERY else (f"group {name}", f" {name}")
            yield plain(f"{what} is paused{f': {why}' if why else ''}; `neat queue go-on{word}` ends that", 200)
        elif parallel is not None and (running or waits):
            yield plain(f"group {name}: {running} of {parallel} run, {waits} wait", 200)


def plain(text: str, most: int) -> str:
    """Text on one line, without what would tell a terminal what to do."""
    flat = without_controls(" ".join(text.split()))
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def _row(one: dict[str, Any], has_projects: bool) -> tuple[str, ...]:
    name = f"{one['project']}: {one['name']}" if has_projects else one["name"]
    group = "" if one["group"] == "default" else one["group"]
    state = f"queued {one['place']}" if one["place"] else str(one["status"])
    return one["id"][:9], plain(name, 40), plain(group, 20), state, plain(_story(one), 160)


def _story(one: dict[str, Any]) -> str:
    """Why it waits, how it goes, how it ended; and when it is likely to."""
    parts = [one["reason"], one["until"]]
    if one["eta_start"]:
        parts.append(f"begins about {_clock(one['eta_start'])}")
    if one["eta"]:
        parts.append(f"ends about {_clock(one['eta'])}")
    if one["why"]:
        parts.append(f"for: {one['why']}")
    return "; ".join(part for part in parts if part)


def _clock(text: str) -> str:
    moment, now = datetime.fromisoformat(text).astimezone(), datetime.now().astimezone()
    return f"{moment:%H:%M}" if moment.date() == now.date() else f"{moment:%Y-%m-%d %H:%M}"
