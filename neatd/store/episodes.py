"""What became of an event, written into it: when its episode peaked and ended, and which other series say the same."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from typing import Any

from neatd.models import Verdict
from neatd.redact import redact
from neatd.store.rows import dump

MOST_NAMES = 20  # of other series are kept with an event; the rest are counted


def note_episode(connection: sqlite3.Connection, dedupe: str, verdict: Verdict) -> None:
    """Write the end of an episode, or a series that joined it, into its event. One that is not there is left out.

    The caller holds the transaction of the judged position, so that nothing is counted twice.
    """
    row = connection.execute("SELECT id, details FROM event WHERE dedupe = ?", (kept_key(dedupe),)).fetchone()
    if row is None or verdict.episode is None:
        return
    details: dict[str, Any] = json.loads(row[1])
    if verdict.episode.kind == "joined":
        _join(details, verdict)
    else:
        one = verdict.episode
        details["episode"] = {
            "start_step": one.begin[1], "end_step": one.end_step, "peak_step": one.peak_step, "peak": one.peak,
            "points": one.points,
        }  # fmt: skip
    connection.execute("UPDATE event SET details = ? WHERE id = ?", (dump(details), row[0]))


def _join(details: dict[str, Any], verdict: Verdict) -> None:
    also = details.setdefault("also", {"count": 0, "series": []})
    if verdict.episode and verdict.episode.begin[0] == verdict.metric:  # another rule, of the same series
        also["rules"] = sorted({*also.get("rules", ()), redact(verdict.rule)})
        return
    names = also["series"]
    name = redact(verdict.metric)
    if name not in names:
        also["count"] += 1
        if len(names) < MOST_NAMES:
            names.append(name)


def kept_key(dedupe: str) -> str:
    """The key as it is kept: one that holds a secret by its hash, since two keys must not become the same."""
    return dedupe if redact(dedupe) == dedupe else "sha256:" + hashlib.sha256(dedupe.encode()).hexdigest()
