"""The way back from the trash: what is meant of what lies there, and in which order it comes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from neatd.errors import NeatError
from neatd.models import Deletion
from neatd.pipeline.retaining import bring_back, settle_after_crash
from neatd.store import checkpoints, requests, runs

KIND = "retention-undo"


class Wanted(NamedTuple):
    """What is to come back. Nothing named: the newest batch."""

    batch: str = ""  # or its beginning
    run_id: str = ""
    since: str = ""  # what went at this time or later
    checkpoint_id: str = ""
    is_all: bool = False

    @property
    def is_newest(self) -> bool:
        """Whether only the newest batch is meant."""
        return not (self.batch or self.run_id or self.since or self.checkpoint_id or self.is_all)

    def holds(self, one: Deletion) -> bool:
        """Whether something in the trash is meant, whichever project it is of."""
        return (
            (not self.run_id or one.run_id == self.run_id)
            and (not self.since or one.created_at >= datetime.fromisoformat(self.since))
            and (not self.checkpoint_id or one.checkpoint_id == self.checkpoint_id)
        )


def ask(records: sqlite3.Connection, project_id: str | None, wanted: Wanted) -> str:
    """Put down the request to bring something back; returns its id."""
    payload = {
        "batch": wanted.batch, "run": wanted.run_id, "since": wanted.since, "checkpoint": wanted.checkpoint_id,
        "all": wanted.is_all,
    }  # fmt: skip
    return requests.ask(records, KIND, project_id, payload)


def undo_asked(records: sqlite3.Connection, project_id: str | None, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Bring back what a request asks for; its result. Raises NeatError where nothing of it lies in the trash."""
    wanted = Wanted(
        str(payload.get("batch") or ""), str(payload.get("run") or ""), str(payload.get("since") or ""),
        str(payload.get("checkpoint") or ""), bool(payload.get("all")),
    )  # fmt: skip
    settle_after_crash(records)
    outcomes = bring_back(records, chosen(in_trash(records, project_id), wanted))
    back = [one for one in outcomes if one.status == "restored"]
    return {
        "batch": ", ".join(dict.fromkeys(one.batch for one in outcomes)),
        "restored": len(back),
        "bytes": sum(one.size_bytes for one in back),
        "refused": [{"path": one.from_path, "note": one.note} for one in outcomes if one.status != "restored"],
    }


def in_trash(records: sqlite3.Connection, project_id: str | None) -> list[Deletion]:
    """What lies in a project's trash, newest first."""
    ours = {run.id for run in runs.all_runs(records, project_id)}
    return [one for one in checkpoints.trashed(records) if one.run_id in ours]


def listed(records: sqlite3.Connection, project_id: str | None, wanted: Wanted) -> list[Deletion]:
    """What `neat retention undo --list` shows: of what lies in the trash what is meant, all of it where nothing is named."""
    found = in_trash(records, project_id)
    return chosen(found, wanted._replace(is_all=wanted.is_newest or wanted.is_all)) if found else []


def chosen(found: Sequence[Deletion], wanted: Wanted) -> list[Deletion]:
    """What is meant of what lies in the trash, in the order in which it comes back: the newest first."""
    if not found:
        raise NeatError("nothing of this project lies in the trash", "`neat retention apply` is what fills it")
    batch = found[0].batch if wanted.is_newest else _batch(found, wanted.batch) if wanted.batch else ""
    meant = [one for one in found if wanted.holds(one) and batch in ("", one.batch)]
    if not meant:
        raise NeatError("nothing of that lies in the trash", "`neat retention undo --list` shows what can come back")
    return meant[:1] if wanted.checkpoint_id else meant  # one place, one checkpoint: the newest that was there


def _batch(found: Sequence[Deletion], word: str) -> str:
    """The batch that a word is, or begins."""
    batches = list(dict.fromkeys(one.batch for one in found))
    fitting = [word] if word in batches else [one for one in batches if one.startswith(word)]
    if len(fitting) == 1:
        return fitting[0]
    hint = "`neat retention undo --list` shows what can come back"
    if not fitting:
        raise NeatError(f"nothing of {word} lies in the trash", hint)
    raise NeatError(f"{word!r} may be {', '.join(fitting[:4])}{' …' if len(fitting) > 4 else ''}", hint)
