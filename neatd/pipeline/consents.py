"""What neat is allowed in a folder, as the page shows it: each consent, since when, and what to type. `neat allow` gives them,
and nothing else does: no file of a repository, and no button."""

from __future__ import annotations

import shlex
import sqlite3
from pathlib import Path
from typing import Any

from neatd.store import projects

MEANINGS = {  # of `projects.CONSENTS`
    "retention": "thin checkpoints by itself, into a trash",
    "cleaning": "archive old logs, take unfinished checkpoints away",
    "addresses": "write hosts, ports and paths of keys into documents",
    "stop": "let rules whose `then` has `stop` end runs",
}
_JOBS = "jobs:"


def consent_shapes(records: sqlite3.Connection, root: Path) -> list[dict[str, Any]]:
    """Each {what, meaning, since (None: not allowed), type}; `type` is the command that gives it, or takes it back."""
    given = projects.consents(records, root)
    found = [_shape(name, MEANINGS[name], given.get(name), name) for name in projects.CONSENTS]
    for name, since in given.items():
        if name.startswith(_JOBS):
            folder = name.removeprefix(_JOBS)
            words = f"jobs --folder {shlex.quote(folder)}"
            found.append(_shape("jobs", f"queue the jobs whose files are dropped into {folder}", since, words))
    if not any(name.startswith(_JOBS) for name in given):
        found.append(_shape("jobs", "queue the jobs whose files are dropped into a folder", None, "jobs --folder DIR"))
    return found


def _shape(what: str, meaning: str, since: Any, words: str) -> dict[str, Any]:
    return {
        "what": what,
        "meaning": meaning,
        "since": since,
        "type": f"neat allow {words}{' --revoke' if since else ''}",
    }
