"""Those who follow: whoever comes and goes at the same moment, nobody is left without news."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from neatd.store import requests
from neatd.store.events import add_mishap
from neatd.store.opening import connect
from neatd.store.since import heads
from neatd.web import hub as hubs
from neatd.web.hub import Follower, Hub
from neatd.web.refusals import BusyError
from neatd.web.stores import Stores
from tests.test_since import Training

TOPICS = ("events", "maintenance", "events")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("neat", "points"):
        connect(tmp_path, name).close()
    return tmp_path


@pytest.fixture
def training(home: Path) -> Iterator[Training]:
    with closing(connect(home, "points")) as points:
        made = Training(points)
        made.write("a", 3, 0)
        yield made


def follower(training: Training) -> Follower:
    return Follower({training.run: {}}, None, (), None)


async def points_of(one: Follower, most: int) -> list[int]:
    """The steps that it is told, until there are so many."""
    steps: list[int] = []
    async for piece in one.pieces():
        if piece is not None and piece.event == "points":
            steps += [row[0] for row in json.loads(piece.data)["series"]["a/loss"]]
        if len(steps) >= most:
            break
    return steps


def test_who_comes_while_another_leaves_is_told_all(home: Path, training: Training) -> None:
    """At whatever moment of its coming the other one is forgotten."""

    async def coming_and_going() -> list[int]:
        hub = Hub(Stores(home), "boot")
        hub.open()
        one = follower(training)
        coming = hub.followed(one)
        joining = asyncio.ensure_future(coming.__aenter__())
        while not joining.done():
            hub._forget()  # as each one that leaves does
            await asyncio.sleep(0)
        training.write("a", 2, 0)
        found = await asyncio.wait_for(points_of(one, 5), 20)
        await coming.__aexit__(None, None, None)
        hub.close()
        return found

    assert asyncio.run(coming_and_going()) == [1, 2, 3, 4, 5]


def test_a_look_that_fails_is_not_the_last_one(
    home: Path, training: Training, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever was wrong with it: it is in the log, those who follow are let go to come again, and then told what came."""
    monkeypatch.setattr(hubs, "TROUBLE_S", 0.05)

    async def going_on() -> list[int]:
        hub = Hub(Stores(home), "boot")
        hub.open()
        async with hub.followed(follower(training)) as one:
            del hub._stands[training.run]  # a look cannot do without it
            async with asyncio.timeout(20):
                assert "hello" in [piece.event async for piece in one.pieces() if piece]  # and it ends
        training.write("a", 2, 0)
        async with hub.followed(follower(training)) as one:
            found = await asyncio.wait_for(points_of(one, 5), 20)
            training.write("a", 1, 0)
            found += await asyncio.wait_for(points_of(one, 1), 20)
        hub.close()
        return found

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(going_on()) == [1, 2, 3, 4, 5, 6]
    assert "looking at points failed" in caplog.text and "KeyError" in caplog.text


def test_those_who_are_coming_have_a_place(home: Path, training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    """A burst does not get more of them in than there are."""
    monkeypatch.setattr(hubs, "MOST_FOLLOWERS", 2)

    async def burst() -> tuple[int, int]:
        hub = Hub(Stores(home), "boot")
        come: list[Any] = []
        joining = []
        refused = 0
        for _ in range(5):
            try:
                hub.check_room()
            except BusyError:
                refused += 1
                continue
            come.append(hub.followed(follower(training)))
            joining.append(asyncio.ensure_future(come[-1].__aenter__()))
            await asyncio.sleep(0)  # its turn begins, its looking does not end
        await asyncio.gather(*joining)
        for one in come:
            await one.__aexit__(None, None, None)
        hub.close()
        return len(come), refused

    assert asyncio.run(burst()) == (2, 3)


def test_the_first_change_after_one_has_come_is_told(home: Path) -> None:
    """To the first who follows, and to one who follows something else after a while without anybody."""

    async def told(hub: Hub, topic: str, records: sqlite3.Connection, number: int) -> str:
        async with hub.followed(Follower({}, None, {topic}, None)) as one:
            requests.ask(records, "run-maintenance", None, {"n": number})
            add_mishap(records, "test", f"mishap {number}", str(number))
            async for piece in one.pieces():
                if piece is not None and piece.event != "hello":
                    return f"{piece.event} {piece.data}"
        raise AssertionError

    async def following() -> list[str]:
        hub = Hub(Stores(home), "boot")
        hub.open()
        with closing(connect(home, "neat")) as records:
            found = [await asyncio.wait_for(told(hub, topic, records, n), 20) for n, topic in enumerate(TOPICS)]
        hub.close()
        return found

    first, second, third = asyncio.run(following())
    assert first.startswith("happened") and "mishap 0" in first
    assert second == 'changed {"topics": ["maintenance"]}'
    assert third.startswith("happened") and "mishap 2" in third and "mishap 1" not in third


def test_who_has_read_more_than_the_others_were_told_is_told_nothing_twice(home: Path, training: Training) -> None:
    """What it read a moment ago is not the next look's news for it, and no reason to read again."""

    async def ahead() -> list[str]:
        hub = Hub(Stores(home), "boot")  # no look comes by itself
        async with hub.followed(follower(training)) as first:
            assert await points_of(first, 3) == [1, 2, 3]
            training.write("a", 2, 0)
            now = heads(training.db, [training.run])[training.run]
            async with hub.followed(Follower({training.run: now}, None, (), None)) as second:
                second.end()
                told = [second._waiting.get_nowait() for _ in range(second._waiting.qsize())]
            assert await asyncio.wait_for(points_of(first, 2), 20) == [4, 5]
        hub.close()
        return [one.event for one in told if one]

    assert asyncio.run(ahead()) == ["hello"]
