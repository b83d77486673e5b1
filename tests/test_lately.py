"""Answers that many share: one is worked out, those that did not change are not sent again, none is of before a change."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from neatd.web import lately
from neatd.web.lately import Lately


class Place:
    """An application that says the same until its word is another one."""

    def __init__(self) -> None:
        self.word, self.times, self.status = b"same", 0, 200
        self.pieces = 1
        self.lately = Lately(self.answer)

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        self.times += 1
        length = (b"content-length", str(self.pieces * len(self.word)).encode())
        await send({"type": "http.response.start", "status": self.status, "headers": [length]})
        await asyncio.sleep(0)
        for number in range(self.pieces):
            more = number + 1 < self.pieces
            await send({"type": "http.response.body", "body": self.word, "more_body": more})

    async def asked(self, path: str = "/api/runs", method: str = "GET", known: bytes = b"") -> tuple[int, bytes, bytes]:
        """Status, body, ETag of an answer."""
        told: list[Any] = []

        async def send(message: Any) -> None:
            told.append(message)

        headers = [(b"if-none-match", known)] if known else []
        scope = {"type": "http", "path": path, "query_string": b"", "method": method, "headers": headers}
        await self.lately(scope, None, send)  # type: ignore[arg-type]
        given = dict(told[0]["headers"])
        body = b"".join(one["body"] for one in told[1:])
        assert told[0]["status"] == 304 or given[b"content-length"] == str(len(body)).encode()
        return told[0]["status"], body, given.get(b"etag", b"")


def test_who_has_the_answer_is_told_that_it_still_is() -> None:
    """Also when it is worked out anew, and not when it is another one."""

    async def asking() -> None:
        place = Place()
        _, body, etag = await place.asked()
        assert body == b"same" and etag
        assert await place.asked(known=etag) == (304, b"", etag)
        place.lately.forget()
        assert await place.asked(known=etag) == (304, b"", etag)
        assert place.times == 2
        place.lately.forget()
        place.word = b"other"
        status, body, other = await place.asked(known=etag)
        assert (status, body) == (200, b"other") and other not in (b"", etag)

    asyncio.run(asking())


def test_many_who_ask_at_once_get_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worked out once; a change makes the next one new."""
    monkeypatch.setattr(lately, "FRESH_S", 60.0)
    monkeypatch.setattr(lately, "LONGEST_S", 60.0)

    async def asking() -> None:
        place = Place()
        found = await asyncio.gather(*(place.asked() for _ in range(20)))
        assert {one[1] for one in found} == {b"same"} and place.times == 1
        await place.asked("/api/queue", "POST")
        place.word = b"new"
        assert (await place.asked())[1] == b"new"

    asyncio.run(asking())


@pytest.mark.parametrize("path", ["/api/series", "/api/stream", "/api/requests/q1"])
def test_what_must_be_new_is_always_asked_for(path: str) -> None:
    """Points, streams, and what somebody waits for."""

    async def asking() -> int:
        place = Place()
        assert [(await place.asked(path))[2] for _ in range(3)] == [b""] * 3
        return place.times

    assert asyncio.run(asking()) == 3


def test_who_does_not_read_holds_up_nobody() -> None:
    """An answer is there for the others before the first one has taken it."""

    async def asking() -> int:
        place, is_read = Place(), asyncio.Event()

        async def slow(_: Any) -> None:
            await is_read.wait()

        scope = {"type": "http", "path": "/api/runs", "query_string": b"", "method": "GET", "headers": []}
        first = asyncio.ensure_future(place.lately(scope, None, slow))  # type: ignore[arg-type]
        async with asyncio.timeout(20):
            status, _, _ = await place.asked()
        is_read.set()
        await first
        return status

    assert asyncio.run(asking()) == 200


def test_failures_and_answers_in_pieces_are_passed_on() -> None:
    """As they are, each time."""

    async def asking() -> None:
        place = Place()
        place.status = 503
        assert [await place.asked() for _ in range(2)] == [(503, b"same", b"")] * 2
        place.status, place.pieces = 200, 3
        assert [await place.asked() for _ in range(2)] == [(200, b"samesamesame", b"")] * 2
        assert place.times == 4

    asyncio.run(asking())
