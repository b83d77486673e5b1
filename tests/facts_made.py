"""Made-up facts for the tests of the documents: short ways to a record, a run, an event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from neatd.assist.facts import EventFact, Facts, RunFact, SavesFact
from neatd.files import data_path
from neatd.knowledge import RECORD_KINDS, Preference, Record
from neatd.models import Event, GitState

R = TypeVar("R", bound=Record)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SHIPPED = [data_path("templates")]


def facts(**fields: Any) -> Facts:
    """A project without anything, but for `fields`."""
    return Facts.model_validate({"project": "segment", "root": "/p", "now": NOW, "git": GitState(), **fields})


def record(model: type[R], number: int, title: str, **fields: Any) -> R:
    """A record of an hour ago."""
    at = NOW - timedelta(hours=1)
    record_id = f"{model.__name__[0].lower()}-{number:016d}"
    return model.model_validate({"id": record_id, "title": title, "created_at": at, "updated_at": at, **fields})


def run(number: int, **fields: Any) -> RunFact:
    """A finished run without points."""
    base = {"id": f"r-{number:016d}", "short": f"r-{number:04d}", "name": f"runs/exp{number}", "status": "finished"}
    return RunFact.model_validate({**base, "reason": "exit code 0", "started_at": NOW - timedelta(hours=3), **fields})


def event(number: int, severity: str, message: str, **fields: Any) -> EventFact:
    """An event of two hours ago."""
    at = NOW - timedelta(hours=2)
    made = {"id": f"e-{number:016d}", "rule": "spike", "severity": severity, "message": message}
    inner = Event.model_validate({**made, "started_at": at, "created_at": at})
    return EventFact.model_validate({"event": inner, "short": f"e-{number:04d}", "run": "runs/exp1", **fields})


LISTS: dict[str, str] = {
    "notes": "note", "decisions": "decision", "hypotheses": "hypothesis", "bugs": "bug", "tasks": "task",
    "insights": "insight", "machines": "machine", "commands": "command", "styles": "style", "documents": "document",
    "assessments": "assessment", "lessons": "lesson", "challenges": "challenge", "goals": "goal", "tests": "test",
    "data": "data", "experiments": "experiment", "changes": "change", "services": "service", "sessions": "session",
    "phases": "phase",
}  # fmt: skip
"""The fields of Facts that hold records, but for preferences, and their kinds."""


def every_kind(title: str, count: int) -> Facts:
    """Facts with `count` of everything that may fall off a brief, all with the same title; "{kind}" in it is what the
    drop order calls it. Of preferences there is one."""
    numbers = range(count)

    def made(kind: str, called: str, **fields: Any) -> list[Record]:
        first = 0 if called == kind else 5000 * len(called)
        return [record(RECORD_KINDS[kind], first + n, title.replace("{kind}", called), **fields) for n in numbers]

    some = {name: made(kind, CALLED.get(kind, kind)) for name, kind in LISTS.items()}
    some["decisions"] = made("decision", "decision", implication=(title.replace("{kind}", "implication"),))
    doubtful = made("decision", "doubtful decision")
    some["hypotheses"] += made("hypothesis", "dead end", verdict="refuted", status="refuted")
    some["documents"] += made("document", "must-read document", must_read=True)
    some["insights"] += made("insight", "forever insight", forever=True)
    some["bugs"] += made("bug", "fixed bug", status="fixed")
    some["tasks"] += [one.model_copy(update={"parent": some["tasks"][0].id}) for one in made("task", "subtask")]
    some["tests"] = made("test", "test", failing=(title.replace("{kind}", "failing test"),) * count)
    lists = {name: tuple(records) for name, records in (some | {"decisions": some["decisions"] + doubtful}).items()}
    return facts(
        **lists,
        stale={one.id: "on unmerged branch wide" for one in doubtful},
        preferences=(record(Preference, 1, "how it is wanted"),),
        git=GitState(is_repo=True, branch="main", dirty=(title.replace("{kind}", "file"),) * count),
        runs=tuple(
            run(1000 * (status == "running") + n, name=title.replace("{kind}", kind), status=status)
            for kind, status in (("run", "finished"), ("running run", "running"))
            for n in numbers
        ),
        events=tuple(event(n, "warning", title.replace("{kind}", "event")) for n in numbers),
        saves=tuple(
            SavesFact(run=title.replace("{kind}", "checkpoint"), present=n, present_bytes=n, trashed=n, trashed_bytes=n)
            for n in numbers
        ),
    )


CALLED = {"data": "data version", "session": "state line", "phase": "state line"}
