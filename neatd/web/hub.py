"""Those who follow the store over the page, and what they are told. All of it in the event loop but the looking, which
threads do.

Whoever follows is told each point once and in order: it says by a cursor what it has, is told what came since, and from
then on what each look finds. One that reads too slowly is told to read again; nothing is kept for it without end.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from neatd import __version__
from neatd.errors import NeatError
from neatd.pipeline.showing import json_text
from neatd.store.since import Heads
from neatd.web.looking import Names, News, NewsLooker, Piece, PointsLooker, Told
from neatd.web.refusals import BusyError
from neatd.web.stores import Stores

log = logging.getLogger(__name__)
LOOK_S = 0.05  # between looks at points while somebody follows
NEWS_S = 0.25  # and at the rest
TROUBLE_S = 1.0  # when the store does not answer
QUIET_S = 15.0  # without news, before a comment says that the line stands
MOST_FOLLOWERS = 400
MOST_WAITING = 500  # pieces that wait for one follower


class Follower:
    """One who follows."""

    def __init__(self, runs: Mapping[str, Heads], names: Names, topics: Collection[str], project: str | None) -> None:
        self.runs, self.names, self.topics, self.project = dict(runs), names, frozenset(topics), project
        self._waiting: asyncio.Queue[Piece | None] = asyncio.Queue(MOST_WAITING)
        self.is_ended = False

    def tell(self, piece: Piece) -> None:
        """Put a piece in its row; where that is full, all of it gives way to the one word that says so."""
        if self._waiting.full():
            while not self._waiting.empty():
                self._waiting.get_nowait()
            self._waiting.put_nowait(Piece("behind", "{}"))
            return
        self._waiting.put_nowait(piece)

    def end(self) -> None:
        """Nothing more comes."""
        self.is_ended = True
        if not self._waiting.full():
            self._waiting.put_nowait(None)

    async def pieces(self) -> AsyncIterator[Piece | None]:
        """What it is told, as it comes; None when nothing came for a while."""
        while not self.is_ended:
            try:
                piece = await asyncio.wait_for(self._waiting.get(), QUIET_S)
            except TimeoutError:
                yield None
                continue
            if piece is None:
                return
            yield piece


class Hub:
    """All who follow, and those who look for them: one for points, which never waits for the other."""

    def __init__(self, stores: Stores, boot: str) -> None:
        self.boot = boot
        self._points, self._news = PointsLooker(stores), NewsLooker(stores)
        self._threads = (ThreadPoolExecutor(1, "points"), ThreadPoolExecutor(1, "news"))
        self._followers: set[Follower] = set()
        self._coming = 0  # who asked to follow, and has no place among them yet
        self._stands: dict[str, Heads] = {}  # run -> what its followers were told up to
        self._turn = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._come = asyncio.Event()
        self._is_closed = False
        self.on_news: Callable[[], None] = lambda: None  # called before anybody is told

    def open(self) -> None:
        """Begin to look as soon as somebody follows."""
        self._begin("points", self._look_at_points, LOOK_S)
        self._begin("news", self._look_at_news, NEWS_S)

    def _begin(self, name: str, look: Callable[[], Awaitable[None]], every_s: float) -> None:
        loop = asyncio.get_running_loop()
        task = self._tasks[name] = loop.create_task(self._again(look, every_s))

        def ended(task: asyncio.Task[None]) -> None:
            """Of itself it does not end: it failed. Who follows is not left without news: it reads again, and so do we."""
            if self._is_closed or task.cancelled():
                return
            log.error("looking at %s failed", name, exc_info=task.exception())
            for one in self._followers:
                one.end()
            loop.call_later(TROUBLE_S, self._begin, name, look, every_s)

        task.add_done_callback(ended)

    def close(self) -> None:
        """End for everybody."""
        self._is_closed = True
        for one in self._followers:
            one.end()
        for task in self._tasks.values():
            task.cancel()
        for thread in self._threads:
            thread.shutdown(wait=False)

    def check_room(self) -> None:
        """Raise BusyError when too many follow."""
        if len(self._followers) + self._coming >= MOST_FOLLOWERS or self._is_closed:
            raise BusyError(f"{len(self._followers)} pages are open already", "close some")

    @asynccontextmanager
    async def followed(self, one: Follower) -> AsyncIterator[Follower]:
        """Follow for a while."""
        one.tell(Piece("hello", json_text({"boot": self.boot, "version": __version__})))
        self._coming += 1
        try:
            await self._join(one)
        finally:
            self._coming -= 1
        if self._is_closed:
            one.end()
        self._come.set()
        try:
            yield one
        finally:
            self._followers.discard(one)
            self._forget()

    async def _join(self, one: Follower) -> None:
        """Tell one what came since its cursors, up to where the others stand."""
        async with self._turn:  # no look comes between what it is told here and what it is told from now on
            if not self._followers:
                await self._asked(1, self._news.begin)
            if self._stands.keys() & one.runs.keys():
                await self._tell_points()  # it may have read what the others are yet to be told
            found = await self._asked(0, self._points.positions, list(one.runs))
            stands = {run_id: self._stands.get(run_id, found.get(run_id, {})) for run_id in one.runs}
            for run_id, before in one.runs.items():
                if before != stands[run_id] and (
                    piece := await self._asked(0, self._points.since, run_id, before, stands[run_id], one.names)
                ):
                    one.tell(piece)
            # Only now: who left meanwhile took with it what nobody but this one stands at.
            self._stands |= stands
            self._followers.add(one)

    def _forget(self) -> None:
        wanted = {run_id for one in self._followers for run_id in one.runs}
        for run_id in set(self._stands) - wanted:
            del self._stands[run_id]

    async def _asked(self, thread: int, ask: Any, *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads[thread], ask, *given)

    async def _again(self, look: Callable[[], Awaitable[None]], every_s: float) -> None:
        """Look, as long as somebody follows."""
        while True:
            if not self._followers:
                self._come.clear()
                await self._come.wait()
            try:
                await look()
                await asyncio.sleep(every_s)
            except (NeatError, sqlite3.Error):  # a store that is being restored, or is gone: requests tell it
                await asyncio.sleep(TROUBLE_S)

    async def _look_at_points(self) -> None:
        async with self._turn:
            await self._tell_points()

    async def _tell_points(self) -> None:
        """With the turn in hand."""
        followed: dict[str, tuple[Heads, set[Names]]] = {}
        for one in self._followers:
            for run_id in one.runs:
                followed.setdefault(run_id, (self._stands[run_id], set()))[1].add(one.names)
        found: dict[str, Told] = await self._asked(0, self._points.look, followed)
        for run_id in self._stands.keys() & found.keys():  # nobody may follow one any more
            self._stands[run_id] = found[run_id].now
        for one in self._followers:
            for run_id in one.runs.keys() & found.keys():
                if piece := found[run_id].pieces.get(one.names):
                    one.tell(piece)

    async def _look_at_news(self) -> None:
        runs = {run_id for one in self._followers for run_id in one.runs}
        topics = {topic for one in self._followers for topic in one.topics}
        news: News = await self._asked(1, self._news.look, runs, topics)
        if any(news):
            self.on_news()
        told: dict[Any, list[Piece]] = {}  # many follow the same: what they are told is written once
        for one in self._followers if any(news) else ():
            same = (one.project, one.topics, None if "runs" in one.topics else frozenset(one.runs))
            if same not in told:
                told[same] = _pieces(one, news)
            for piece in told[same]:
                one.tell(piece)


def _pieces(one: Follower, news: News) -> list[Piece]:
    """What a follower is told of runs, events and topics: of its project, where it follows one."""

    def is_its(project_id: str | None) -> bool:
        return one.project is None or project_id is None or project_id == one.project

    follows_all = "runs" in one.topics
    found = {
        "runs": [run for run in news.runs if run["id"] in one.runs or (follows_all and is_its(run["project_id"]))],
        "happened": [event for event in news.happened if "events" in one.topics and is_its(event["project"])],
        "changed": [topic for topic in news.topics if topic in one.topics],
    }
    return [
        Piece(name, json_text(what if name != "changed" else {"topics": what})) for name, what in found.items() if what
    ]
