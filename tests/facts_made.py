"""Made-up facts for the tests of the documents: short ways to a record, a run, an event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from neatd.assist.facts import EventFact, Facts, RunFact
from neatd.files import data_path
from neatd.knowledge import Record
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
