"""points.db read for a reader that stays: how far each stream of a run is, and what was appended since.

A cursor tells all streams of a run at one moment. It holds as long as the files behind it go on; when one was replaced or
a run went back, what the reader has is no longer the beginning of what is stored, and it has to read again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterable
from typing import NamedTuple

from neatd.errors import NeatError
from neatd.now import is_system
from neatd.store.connection import in_one_view
from neatd.store.window import current, limits_of, stored

Row = tuple[int, float, float | None]  # step, value, time
EVERY = "*"  # as a name: all series but the machine's, those that are yet to come too
MOST = 5000  # lines behind which a reader reads again at its own resolution


class Head(NamedTuple):
    """The last line of a stream, and of what files."""

    seq: int
    mark: str


Heads = dict[str, Head]  # by stream


def heads(points: sqlite3.Connection, run_ids: Iterable[str]) -> dict[str, Heads]:
    """Run id -> how far its streams are."""
    sql = (
        "SELECT r.run_id, r.stream, r.seq, r.attempt, r.source, r.reading_id, r.generation FROM json_each(?) j"
        " CROSS JOIN reading r ON r.run_id = j.value WHERE r.format != 'predictions' ORDER BY r.run_id, r.stream, r.source"
    )
    found: dict[str, dict[str, tuple[int, list[object]]]] = {}
    for run_id, stream, seq, attempt, *which in points.execute(sql, (json.dumps(list(run_ids)),)):
        streams = found.setdefault(run_id, {})
        before, marks = streams.get(stream, (0, []))
        streams[stream] = max(before, seq), [*marks, attempt, *which]
    told: dict[str, Heads] = {}
    for run_id, streams in found.items():
        shared = _shared_names(points, run_id) if len(streams) > 1 else 0
        told[run_id] = {stream: Head(seq, _mark([*which, shared])) for stream, (seq, which) in streams.items()}
    return told


def _shared_names(points: sqlite3.Connection, run_id: str) -> int:
    """In how many series a name is that another stream has too: with another one a name may mean another series."""
    sql = "SELECT count(*) - count(DISTINCT name) FROM series WHERE run_id = ? AND points > 0"
    return int(points.execute(sql, (run_id,)).fetchone()[0])


def _mark(which: list[object]) -> str:
    return hashlib.sha256(json.dumps(which).encode()).hexdigest()[:10]


def cursor_text(found: Heads) -> str:
    """A cursor as an opaque word that is safe in an address."""
    plain = json.dumps({stream: list(head) for stream, head in sorted(found.items())}, separators=(",", ":"))
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def cursor_of(text: str) -> Heads:
    """The cursor that a word stands for. Raises NeatError for one that stands for none."""
    try:
        plain = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return {str(stream): Head(int(seq), str(mark)) for stream, (seq, mark) in plain.items()}
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise NeatError(f"{text[:40]!r} is no cursor", "take the one that came with the points") from error


def is_continued(before: Heads, now: Heads) -> bool:
    """Whether all that a reader has is still the beginning of what is stored, and little enough was added."""
    is_kept = all(stream in now and now[stream].mark == head.mark for stream, head in before.items())
    return is_kept and all(
        0 <= head.seq - (before[stream].seq if stream in before else 0) <= MOST for stream, head in now.items()
    )


@in_one_view
def appended(
    points: sqlite3.Connection, run_id: str, before: Heads, now: Heads, names: Collection[str] | None = None
) -> dict[str, list[Row]]:
    """Series -> its points after `before` and up to `now`, in file order; of all series but the machine's where none are
    named, or EVERY is among the names. Series of which nothing came are left out."""
    moved = {stream for stream, head in now.items() if head.seq > (before[stream].seq if stream in before else 0)}
    found: dict[str, list[Row]] = {}
    for name, (series_id, stream) in _meant(points, run_id).items():
        if stream not in moved or not _is_named(name, names):
            continue
        first = before[stream].seq if stream in before else 0
        rows = stored(points, series_id, (" AND last_seq > ?", " AND seq > ?", [first]))
        fits = [one for one in rows if first < one.seq <= now[stream].seq]
        kept = current(fits, limits_of(points, run_id, stream)) if fits else []
        if kept:
            found[name] = [(one.step, one.value, one.time) for one in kept]
    return found


def _is_named(name: str, names: Collection[str] | None) -> bool:
    return (not is_system(name) and (names is None or EVERY in names)) or (names is not None and name in names)


def _meant(points: sqlite3.Connection, run_id: str) -> dict[str, tuple[int, str]]:
    """Name -> (id, stream) of the series that it means, as `window.series_named` has it."""
    sql = "SELECT name, id, source FROM series WHERE run_id = ? ORDER BY points = 0, rank, source"
    found: dict[str, tuple[int, str]] = {}
    for name, series_id, stream in points.execute(sql, (run_id,)):
        found.setdefault(name, (series_id, stream))
    return found
