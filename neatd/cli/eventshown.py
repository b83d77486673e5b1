"""One event for people: its numbers and examples as small tables, what differs as lists, no line wider than the terminal."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from neatd.assist.eventwords import course
from neatd.assist.render import flat, number, one_line, size, when
from neatd.cli.common import Open, print_table
from neatd.models import Event
from neatd.store import events, runs

_LAST = 10  # points before the event that are shown
_TOLD = frozenset(
    {"window", "episode", "also", "against", "examples", "stop", "done", "condition", "goal", "attempt", "source",
     "since_step", "snapshots_per_hour", "keep_beaten"}
)  # fmt: skip


def show_event(opened: Open, event: Event) -> None:
    """All that is known of an event; `--json` has it as it is stored."""
    details = event.details
    names = {run.id: run.name for run in runs.all_runs(opened.records, opened.project.id)}
    _say(f"{event.rule}, {event.severity}: {_where(event, names)}", "  ")
    _say(event.message, "  ")
    _numbers(event)
    _say(course(details), "  episode: " if details.get("episode") else "  ")
    _points(details.get("window") or ())
    _examples(details.get("examples") or ())
    for line, indent in _against(details.get("against")):
        _say(line, indent)
    for name, text in {**dict(details.get("done") or {}), "stop": details.get("stop", "")}.items():
        _say(str(text), f"  {name}: ")
    _say(_snapshot(opened, event), "  snapshot: ")
    _say(_judged(details), "  judged: ")
    for name, value in details.items():
        if name not in _TOLD and value not in (None, "", [], {}):
            _say(_text(value), f"  {name}: ")


def _say(text: str, indent: str) -> None:
    """Text under an indent or behind a name, wrapped to the terminal. Nothing for an empty one."""
    if not text.strip():
        return
    width = max(40, shutil.get_terminal_size((100, 24)).columns)
    below = " " * (len(indent) - len(indent.lstrip()) + 2)
    click.echo(textwrap.fill(flat(text), width, initial_indent=indent, subsequent_indent=below, break_on_hyphens=False))


def _where(event: Event, names: Mapping[str, str]) -> str:
    run = f"{names.get(event.run_id, event.run_id)} " if event.run_id else ""
    step = f"at step {event.step} " if event.step is not None else ""
    return f"{run}{step}of {when(event.started_at)}" if run or step else when(event.started_at)


def _numbers(event: Event) -> None:
    """Value, score and threshold beside what the points before it were like."""
    from statistics import median  # 10 ms, and here alone

    window = [float(value) for _, value in event.details.get("window") or ()]
    finite = [value for value in window if abs(value) < float("inf")]
    values = [("value", event.value), ("score", event.score), ("threshold", event.threshold)]
    told = [(name, number(value)) for name, value in values if value is not None]
    if finite:
        told.append((f"the {len(window)} points before", f"{number(min(finite))} to {number(max(finite))}"))
        told.append(("their median", number(median(finite))))
    if told:
        print_table([name for name, _ in told], [[text for _, text in told]], "")


def _points(window: Sequence[Any]) -> None:
    """The last points before it."""
    last = [f"{number(float(value))} at {step}" for step, value in window[-_LAST:]]
    _say(", ".join(last), "  last points: ")


def _examples(found: Sequence[Mapping[str, Any]]) -> None:
    names = [name for name in ("step", "id", "loss", "expected", "answer") if any(name in one for one in found)]
    if names:
        click.echo("  examples")
        print_table(names, [[_cell(one.get(name)) for name in names] for one in found], "")


def _cell(value: Any) -> str:
    return "" if value is None else number(value) if isinstance(value, float) else one_line(str(value), 60)


def _against(told: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """(line, indent) of the difference to the last good run."""
    if not told:
        return
    yield f"against {told['name']}, the last good run", "  "
    parameters, code, dirty = told["parameters"], told.get("code", ""), told.get("uncommitted", ())
    if parameters:
        yield "parameters", "    "
        yield from ((f"{name} {_text(old)} -> {_text(new)}", "      ") for name, (old, new) in parameters.items())
    if more := told.get("more_parameters", 0):
        yield f"and {more} more", "      "
    if code:
        yield f"code: {code}", "    "
    if dirty:
        yield "uncommitted", "    "
        yield from ((name, "      ") for name in dirty)
    if not (parameters or more or code or dirty):
        yield "no difference is known", "    "


def _snapshot(opened: Open, event: Event) -> str:
    found = events.snapshots(opened.records, run_id=event.run_id) if event.run_id else []
    taken = next((one for one in found if one.event_id == event.id), None)
    if taken is None:
        return ""
    place = f"{taken.path} in the run's folder, {size(taken.size_bytes)}" if taken.path else ""
    return "; ".join(
        filter(None, (f"{taken.mode or taken.status}", place, taken.reason, f"`neat show {taken.id[:9]}`"))
    )


def _judged(details: Mapping[str, Any]) -> str:
    """By which condition, and on which lines."""
    told = [f"{name} {details[name]}" for name in ("condition", "goal", "source") if details.get(name)]
    told += [f"attempt {details['attempt']}"] if (details.get("attempt") or 1) > 1 else []
    told += [f"since step {details['since_step']}"] if details.get("since_step") is not None else []
    return ", ".join(told)


def _text(value: Any) -> str:
    """A value without brackets and quotes."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(one)}" for name, one in value.items() if one not in (None, "", [], {}))
    if isinstance(value, list | tuple):
        return "; ".join(map(_text, value))
    return number(value) if isinstance(value, float) else str(value)
