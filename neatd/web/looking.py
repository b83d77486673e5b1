"""What changed in the store since the last look, for those who follow it: once for all of them.

Looking is asking counters of SQLite, unless one moved; then what is followed is asked for, and nothing else. Points come
as they were appended; the rest, for which nobody waits to the tenth of a second, as what differs from what was told.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from neatd.errors import NeatError
from neatd.pipeline.eventlist import event_rows
from neatd.pipeline.runlist import anomalies_of, primary_values
from neatd.pipeline.showing import json_text, run_shapes
from neatd.store import eventlog, events, runs
from neatd.store.marks import MARKS, lately_changed, mark_of
from neatd.store.moments import utc_now
from neatd.store.since import Heads, appended, cursor_text, heads, is_continued
from neatd.web.stores import Pair, Stores

MOST_RUNS = 200  # that are told of at once
MOST_EVENTS = 50
SHARE = 10  # a look at the runs that took t seconds comes again after SHARE * t, and after LEAST_S
LEAST_S = 0.5
WHICH = ("id", "project_id", "name", "status")  # fields that are always told of a run
Names = frozenset[str] | None  # the series that are followed; None: all but the machine's


class Piece(NamedTuple):
    """One event of a stream: its name and what it says, as text."""

    event: str
    data: str


class Told(NamedTuple):
    """What became of the points of one followed run: by the series that are followed, None where nothing of them came."""

    before: Heads
    now: Heads
    pieces: Mapping[Names, Piece | None]


class News(NamedTuple):
    """What a look at the rest of the store found."""

    runs: tuple[dict[str, Any], ...] = ()  # the fields that changed, with `id` and `project_id`
    happened: tuple[dict[str, Any], ...] = ()
    topics: tuple[str, ...] = ()


class PointsLooker:
    """Looks at the points of one home. Not for two threads at once."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._version: tuple[int, int] = (0, -1)

    def positions(self, run_ids: Collection[str]) -> dict[str, Heads]:
        """Where the streams of runs stand now."""
        return heads(self._stores.open().points, run_ids)

    def since(self, run_id: str, before: Heads, now: Heads, names: Names) -> Piece | None:
        """What somebody who stands at `before` has to be told of a run that stands at `now`."""
        if not is_continued(before, now):
            return Piece("rewritten", json_text({"run": run_id}))
        found = appended(self._stores.open().points, run_id, before, now, names)
        if not found:
            return None
        return Piece("points", json_text({"run": run_id, "cursor": cursor_text(now), "series": found}))

    def look(self, followed: Mapping[str, tuple[Heads, Collection[Names]]]) -> dict[str, Told]:
        """What became of the runs followed: of each where it was told up to, and which series are followed."""
        points = self._stores.open().points
        version = (id(points), points.execute("PRAGMA data_version").fetchone()[0])
        if version == self._version:
            return {}
        found, told = heads(points, followed), {}
        for run_id, (before, names) in followed.items():
            now = found.get(run_id, {})
            if now != before:
                told[run_id] = Told(before, now, {one: self.since(run_id, before, now, one) for one in names})
        self._version = version
        return told


class NewsLooker:
    """Looks at what else there is in one home. Not for two threads at once."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._versions: tuple[Any, ...] = ()
        self._shapes: OrderedDict[str, dict[str, str]] = OrderedDict()  # run -> field -> as it was told
        self._open: frozenset[str] = frozenset()  # runs that went on at the last look
        self._since = utc_now()
        self._marks: dict[str, Any] = {}
        self._event: eventlog.Mark | None = None
        self._next = 0.0

    def begin(self) -> None:
        """Nobody was told of anything until now: what changes from here on is news."""
        pair = self._stores.open()
        self._since, self._event = utc_now(), eventlog.newest(pair.records)
        self._marks = {topic: mark_of(pair.records, topic) for topic in MARKS}

    def look(self, followed: Collection[str], topics: Collection[str]) -> News:
        """What changed since the last look: of these runs, of topics. Nothing before it may look again."""
        moment = time.monotonic()
        if moment < self._next:
            return News()
        pair = self._stores.open()
        versions = (id(pair.records), *(one.execute("PRAGMA data_version").fetchone()[0] for one in pair))
        if versions == self._versions:
            return News()
        found = News(self._runs(pair, followed, topics), self._happened(pair, topics), self._topics(pair, topics))
        self._versions = versions
        now = time.monotonic()
        self._next = now + max(LEAST_S, SHARE * (now - moment))
        return found

    def _runs(self, pair: Pair, followed: Collection[str], topics: Collection[str]) -> tuple[dict[str, Any], ...]:
        """Runs that go on, that did at the last look, and that were written since."""
        since, self._since = self._since, utc_now()
        every = {*followed, *self._open}
        ids = lately_changed(pair.records, since, every, MOST_RUNS) if "runs" in topics else [*followed]
        wanted = []
        for one in ids:
            try:
                wanted.append(runs.get_run(pair.records, one))
            except NeatError:
                continue  # followed, and gone
        self._open = frozenset(one.id for one in wanted if one.ended_at is None)
        projects = {one.id: one for one in self._stores.projects()}
        found, grave = [], events.gravest(pair.records, [one.id for one in wanted])
        for project_id in {one.project_id for one in wanted} & set(projects):
            some = [one for one in wanted if one.project_id == project_id]
            first = primary_values(pair.points, ((one.id, project_id) for one in some), self._stores.primary)
            for run, shape in zip(some, run_shapes(pair.points, projects[project_id], some), strict=True):
                more = {"project_id": project_id, "ended_at": run.ended_at, "primary": first[run.id]}
                more |= anomalies_of(grave, run.id)
                if changed := self._changed({**shape, **more}):
                    found.append(changed)
        return tuple(found)

    def _changed(self, shape: dict[str, Any]) -> dict[str, Any]:
        """The fields of a run that are not as they were told, with those that say which it is; {} when all are."""
        now = {name: json_text(value) for name, value in shape.items()}
        before = self._shapes.pop(shape["id"], {})
        self._shapes[shape["id"]] = now
        if len(self._shapes) > 4 * MOST_RUNS:
            self._shapes.popitem(last=False)
        if before == now:
            return {}
        return {name: value for name, value in shape.items() if name in WHICH or before.get(name) != now[name]}

    def _happened(self, pair: Pair, topics: Collection[str]) -> tuple[dict[str, Any], ...]:
        before, self._event = self._event, eventlog.newest(pair.records)
        if before is None or before == self._event or "events" not in topics:
            return ()
        return tuple(event_rows(pair.records, None, since=before, most=MOST_EVENTS))

    def _topics(self, pair: Pair, topics: Collection[str]) -> tuple[str, ...]:
        """All of them are looked at: who comes to follow one is told what changes from then on."""
        before, self._marks = self._marks, {topic: mark_of(pair.records, topic) for topic in MARKS}
        return tuple(topic for topic in sorted(topics) if topic in MARKS and before.get(topic) != self._marks[topic])
