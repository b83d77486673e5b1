"""The words of an alert: facts in, text out. Pure; who calls takes secrets out."""

from __future__ import annotations

from neatd.assist.render import flat, when
from neatd.models import Event

LONGEST = 600  # characters of an event's message; `neat show` has all of it
SHOWN_ID = 12  # characters: unique in any store that a person has


def title_of(event: Event, run: str, project: str) -> str:
    """One line: how grave, what, where."""
    where = f" in {run}" if run else ""
    return flat(f"{event.severity} {event.rule}{where}" + (f" ({project})" if project else ""))


def body_of(event: Event, others: int, last: Event, run: str, project: str, is_again: bool) -> str:
    """What happened, how often, and the command to look closer. `last` is the last of the others."""
    message = flat(event.message)
    lines = [message if len(message) <= LONGEST else message[: LONGEST - 1] + "…"]
    if others:
        at = f"at step {last.step}" if last.step is not None else f"at {when(last.started_at)}"
        lines.append(f"and {others} more, the last {at}")
    facts = [("project", project), ("run", run), ("rule", event.rule), ("metric", event.metric), ("step", event.step)]
    if event.value is not None:
        facts.append(("value", "NaN" if event.value != event.value else f"{event.value:.6g}"))
    lines.append(", ".join(flat(f"{name} {value}") for name, value in facts if value not in ("", None)))
    lines.append(f"at {when(event.started_at)}; look closer: neat show {event.id[:SHOWN_ID]}")
    if is_again:
        lines.append("(neatd ended while this was being sent: you may have it already)")
    return "\n".join(lines)


def log_line(event: Event, run: str, project: str) -> str:
    """The line of the log."""
    at = event.created_at.astimezone().isoformat(timespec="seconds")
    return f"{at} {title_of(event, run, project)}: {flat(event.message)} (neat show {event.id[:SHOWN_ID]})"
