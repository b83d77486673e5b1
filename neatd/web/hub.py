"""Those who follow the store over the page, and what they are told. All of it in the event loop but the looking, which one
thread does.

Whoever follows is told each point once and in order: it says by a cursor what it has, is told what came since, and from
then on what each look finds. One that reads too slowly is told to read again; nothing is kept for it without end.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from neatd import __version__
from neatd.errors import NeatError
from neatd.pipeline.showing import json_text
from neatd.store.since import Heads
from neatd.web.looking import Looker, Names, Piece, Turn
from neatd.web.stores import Stores

LOOK_S = 0.05  # between looks while somebody follows
TROUBLE_S = 1.0  # when the store does not answer
QUIET_S = 15.0  # without news, before a comment says that the line stands
MOST_FOLLOWERS = 400
MOST_WAITING = 500  # pieces that wait for one follower


class BusyError(NeatError):
    """Too many ask at once."""


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
    """All who follow, and the one who looks for them."""

    def __init__(self, stores: Stores, boot: str) -> None:
        self.boot = boot
        self._looker = Looker(stores)
        self._followers: set[Follower] = set()
        self._stands: dict[str, Heads] = {}  # run -> what its followers were told up to
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="look")
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._come = asyncio.Event()
        self._is_closed = False

    def open(self) -> None:
        """Begin to look as soon as somebody follows."""
        self._task = asyncio.get_running_loop().create_task(self._look_on())

    def close(self) -> None:
        """End for everybody."""
        self._is_closed = True
        for one in self._followers:
            one.end()
        if self._task:
            self._task.cancel()
        self._thread.shutdown(wait=False)

    def check_room(self) -> None:
        """Raise BusyError when too many follow."""
        if len(self._followers) >= MOST_FOLLOWERS or self._is_closed:
            raise BusyError(f"{len(self._followers)} pages are open already", "close some")

    @asynccontextmanager
    async def followed(self, one: Follower) -> AsyncIterator[Follower]:
        """Follow for a while."""
        one.tell(Piece("hello", json_text({"boot": self.boot, "version": __version__})))
        await self._join(one)
        self._come.set()
        try:
            yield one
        finally:
            self._followers.discard(one)
            self._forget()

    async def _join(self, one: Follower) -> None:
        """Tell one what came since its cursors, up to where the others stand."""
        async with self._turn:  # no look comes between what it is told here and what it is told from now on
            found = await self._asked(self._looker.positions, list(one.runs))
            for run_id, before in one.runs.items():
                stands = self._stands.setdefault(run_id, found.get(run_id, {}))
                if before != stands and (
                    piece := await self._asked(self._looker.since, run_id, before, stands, one.names)
                ):
                    one.tell(piece)
            self._followers.add(one)

    def _forget(self) -> None:
        wanted = {run_id for one in self._followers for run_id in one.runs}
        for run_id in set(self._stands) - wanted:
            del self._stands[run_id]

    async def _asked(self, ask: Any, *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, ask, *given)

    async def _look_on(self) -> None:
        while True:
            if not self._followers:
                self._come.clear()
                await self._come.wait()
            try:
                async with self._turn:
                    self._pass_on(await self._asked(self._looker.look, self._wanted(), self._topics()))
                await asyncio.sleep(LOOK_S)
            except (NeatError, sqlite3.Error):  # a store that is being restored, or is gone: requests tell it
                await asyncio.sleep(TROUBLE_S)

    def _wanted(self) -> dict[str, tuple[Heads, set[Names]]]:
        found: dict[str, tuple[Heads, set[Names]]] = {}
        for one in self._followers:
            for run_id in one.runs:
                found.setdefault(run_id, (self._stands[run_id], set()))[1].add(one.names)
        return found

    def _topics(self) -> set[str]:
        return {topic for one in self._followers for topic in one.topics}

    def _pass_on(self, turn: Turn) -> None:
        for run_id, told in turn.points.items():
            self._stands[run_id] = told.now
        for one in self._followers:
            for run_id in one.runs.keys() & turn.points.keys():
                if piece := turn.points[run_id].pieces.get(one.names):
                    one.tell(piece)
            for piece in _news(one, turn):
                one.tell(piece)


def _news(one: Follower, turn: Turn) -> list[Piece]:
    """What a follower is told of runs, events and topics: of its project, where it follows one."""

    def is_its(project_id: str | None) -> bool:
        return one.project is None or project_id is None or project_id == one.project

    shapes = [
        shape
        for shape in turn.runs
        if shape["id"] in one.runs or ("runs" in one.topics and is_its(shape["project_id"]))
    ]
    happened = [shape for shape in turn.happened if "events" in one.topics and is_its(shape["project"])]
    topics = [topic for topic in turn.topics if topic in one.topics]
    found = []
    if shapes:
        found.append(Piece("runs", json_text(shapes)))
    if happened:
        found.append(Piece("happened", json_text(happened)))
    if topics:
        found.append(Piece("changed", json_text({"topics": topics})))
    return found
