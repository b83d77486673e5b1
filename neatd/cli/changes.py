"""Changes shown before they are made: what is added and taken out of each file, secrets hidden, and what is left alone."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

import click

from neatd.actions.changes import Change, LeftAlone
from neatd.redact import redact

LONG = 300  # characters of a line: of a longer one, as in minified JSON, only what changes is shown
AROUND = 40
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def show_changes(changes: Sequence[Change], more: Iterable[str] = (), is_short: bool = False) -> None:
    """On stderr, coloured where that is a terminal. Where nobody is asked, a new file is told by its length."""
    for change in changes:
        click.secho(f"{_verb(change)} {change.path}", bold=True, nl=False, err=True)
        if is_short and change.old is None and change.new is not None:
            click.echo(f" ({len(change.new.splitlines())} lines)", err=True)
            continue
        click.echo(err=True)
        for line in redact("\n".join(_lines(change))).splitlines():
            click.secho(f"  {line}", fg=_COLOURS.get(line[:1]), err=True)
    for line in more:
        click.secho(f"  + {line}", fg="green", err=True)


def _verb(change: Change) -> str:
    return "new:" if change.old is None else "remove:" if change.new is None else "change:"


def _lines(change: Change) -> Iterator[str]:
    if change.new is None:
        return
    old, new = ((data or b"").decode(errors="replace").splitlines() for data in (change.old, change.new))
    if change.old is None:
        yield from (f"+{line}" for line in new)
    elif any(len(line) > LONG for line in (*old, *new)):
        yield from _inside("\n".join(old), "\n".join(new))
    else:
        found = difflib.unified_diff(old, new, n=2, lineterm="")
        yield from (line for line in found if not line.startswith(("---", "+++")))


def _inside(old: str, new: str) -> Iterator[str]:
    """What changes in a long line, with a little of what is around it."""
    before = _same(old, new)
    after = _same(old[before:][::-1], new[before:][::-1])
    for sign, text in (("-", old), ("+", new)):
        part = text[max(0, before - AROUND) : len(text) - after + AROUND]
        yield from (f"{sign}… {line[: 10 * LONG]}" for line in part.splitlines())


def _same(one: str, other: str) -> int:
    """How many letters are the same from the beginning on."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(one), len(other)))


def say_left_alone(left: Iterable[LeftAlone], as_json: bool) -> None:
    """One line for each, on stderr; with --json they stand in the answer."""
    if not as_json:
        for path, reason in left:
            click.echo(f"left alone: {path}: {' '.join(redact(reason).split())}", err=True)


def left_alone_json(left: Iterable[LeftAlone]) -> list[dict[str, str]]:
    return [{"path": path, "reason": " ".join(redact(reason).split())} for path, reason in left]
