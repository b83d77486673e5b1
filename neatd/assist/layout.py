"""How a document lays out what it is given: records in groups, tasks in trees, the days of a project, the files of a
session; and the filters by which templates ask for it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from neatd.assist.facts import Facts, RunFact
from neatd.assist.markdown import block, cell, fence, hang
from neatd.assist.outline import outline
from neatd.assist.tables import delta, planned, run_notes, tables, watched
from neatd.assist.tested import last_test, last_tests
from neatd.knowledge import Document, Experiment, Record, Session, Task

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Placed(NamedTuple):
    """A task in its tree, with what its whole tree is: in progress or not, and when it is due."""

    task: Task
    depth: int  # 0 for one that is part of no other
    horizon: str
    is_active: bool


class Group(NamedTuple):
    """Items under one heading, in the order they were given."""

    name: str
    items: list[Any]


class Day(NamedTuple):
    """What was done on a day of the project, as its records and runs tell."""

    date: str
    sessions: list[Session]
    completed: list[Record]
    decisions: list[Record]
    results: list[RunFact | Experiment]
    observations: list[Record]


def layout_filters(facts: Facts, hide: Callable[[str], str]) -> dict[str, Callable[..., Any]]:
    """The filters of documents; those that write text hide addresses in it by `hide`."""
    return {
        "text": lambda value: hide(" ".join(str(value).split())), "cell": lambda value: cell(value, hide),
        "hang": lambda text, width: hang(hide(str(text)), width),
        "block": lambda text, width=0: block(hide(str(text)), width), "fence": fence, "rest": rest,
        "steps": steps, "as_done": as_done, "named_groups": named_groups, "newest_of": newest_of, "days": days,
        "planned": planned, "tables": lambda items: tables(items, facts), "watched": watched, "delta": delta,
        "run_notes": run_notes, "tagged": tagged, "untagged": untagged, "session_files": session_files,
        "of_session": lambda items: of_session(items, facts), "last_test": last_test, "last_tests": last_tests,
    }  # fmt: skip


def rest(record: Record) -> str:
    """A record's body without the title, which begins it where more than one line was typed."""
    first, _, others = record.body.partition("\n")
    return others.strip("\n") if record.title and " ".join(first.split()) == record.title else record.body.strip("\n")


def steps(tasks: Iterable[Task]) -> list[Placed]:
    """Every task once: those in progress first, then by horizon, each followed by its parts."""
    found = outline(tasks)
    trees = [(tree, True) for tree in found.active]
    trees += [(tree, False) for waiting in found.waiting.values() for tree in waiting]
    return [
        Placed(step.task, step.number.count("."), tree.horizon, is_active)
        for tree, is_active in trees
        for step in (tree, *tree.parts)
    ]


def as_done(tasks: Iterable[Task]) -> list[Task]:
    """Tasks in the order in which they were done; those of one moment in that of the list."""
    return sorted(tasks, key=lambda one: (one.updated_at, one.position))


def named_groups(items: Iterable[Any], *fields: str) -> list[Group]:
    """Items by the words of their `fields`, those without any first."""
    found: dict[str, list[Any]] = {}
    for one in items:
        words = [str(getattr(one, field)).strip() for field in fields]
        found.setdefault(" / ".join(filter(None, words)), []).append(one)
    return [Group(name, found[name]) for name in sorted(found, key=bool)]


def newest_of(items: Iterable[Any], field: str) -> list[Any]:
    """The first item of each value of a field: of items that come newest first, the one that stands."""
    found: dict[str, Any] = {}
    for one in items:
        found.setdefault(getattr(one, field), one)
    return list(found.values())


def tagged(items: Iterable[Record], *tags: str) -> list[Record]:
    """The records with one of these tags."""
    return [one for one in items if any(tag.lower() in tags for tag in one.tags)]


def untagged(items: Iterable[Record], *tags: str) -> list[Record]:
    """The records with none of these tags."""
    return [one for one in items if not any(tag.lower() in tags for tag in one.tags)]


def of_session(items: Iterable[Record], facts: Facts) -> list[Record]:
    """The records made or changed since the handoff before; all of them where none is told of. What an assistant's session
    did is no line of history: such a one belongs here while it goes on."""
    ids = {one.id for one in facts.touched}
    since = facts.since
    ids |= {one.id for one in facts.sessions if since and one.updated_at > since}
    return [one for one in items if one.id in ids or not facts.previous]


def days(facts: Facts) -> list[Day]:
    """What was done, by day, the newest first."""
    found: dict[str, Day] = {}

    def day(at: datetime | str) -> Day:
        date = at if isinstance(at, str) else f"{at.astimezone():%Y-%m-%d}"
        return found.setdefault(date, Day(date, [], [], [], [], []))

    for session in reversed(facts.sessions):
        said = _DATE.search(session.started) or _DATE.match(session.title)
        day(said[0] if said else session.created_at).sessions.append(session)
    finished = [*as_done(facts.done), *reversed(facts.changes), *(one for one in facts.bugs if one.is_closed)]
    for one in sorted(finished, key=lambda one: one.updated_at):
        day(one.created_at if one.status == "open" else one.updated_at).completed.append(one)
    for decision in reversed(facts.decisions):
        day(decision.created_at).decisions.append(decision)
    for run in sorted(watched(facts.runs), key=lambda run: run.started_at):
        day(run.started_at).results.append(run)
    for experiment in planned(facts.experiments, False):
        day(experiment.updated_at).results.append(experiment)
    observed: list[Record] = [*reversed(facts.insights), *reversed(facts.notes)]
    for seen in sorted(observed, key=lambda one: one.created_at):
        day(seen.created_at).observations.append(seen)
    return [found[date] for date in sorted(found, reverse=True)]


def session_files(facts: Facts) -> list[tuple[str, str]]:
    """(path, what became of it) of the files of the session: those that git has seen change since the last handoff, and
    those that the session's records name."""
    found: dict[str, str] = dict(facts.session_files)
    for one in of_session((*facts.changes, *facts.bugs, *facts.sessions), facts):
        is_seen = isinstance(one, Session) and (one.commits or one.records or one.runs or one.tests)
        words = "" if is_seen else one.title  # which counts what was done
        for path in getattr(one, "file", ()):
            found[path] = found.get(path) or words
    for document in of_session(facts.documents, facts):
        if isinstance(document, Document) and document.path:
            mark = found.get(document.path)
            words = document.title if document.title != document.path else ""
            found[document.path] = "; ".join(filter(None, [mark, words, document.status]))
    return list(found.items())
