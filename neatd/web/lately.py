"""One answer for many who ask the same at once: what was answered within the last moment is not worked out again.

Behind the guard, so that it answers only those who may read; all of them read the same. Nobody who was told of a change
is answered from before it: each change that is made here, and all news that those who follow are told, forget the answers.
Points are always read anew: who asks for them was perhaps told a moment ago that they are others now. Whoever has the
same answer already, and says so by its ETag, is told that it still is.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from typing import Any, NamedTuple

from neatd.web.limits import App, Receive, Scope, Send

FRESH_S = 0.1  # what a person cannot see, and five hundred requests a second share
SHARE, LONGEST_S = (
    10,
    2.0,
)  # an answer that took t seconds is good for SHARE * t: a tenth of a core, whoever asks how often
MOST = 128  # answers that are kept
LARGEST = 1 << 20  # bytes of one that is
_OWN = (
    "/api/stream",
    "/api/series",
    "/api/requests/",
    "/api/ingest",
)  # streams, points, what is asked for until it changes

Message = MutableMapping[str, Any]


class _Answer(NamedTuple):
    start: Message
    body: bytes
    good_until: float


class Lately:
    """An ASGI application before another one."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._kept: OrderedDict[tuple[str, bytes], _Answer] = OrderedDict()
        self._asked: dict[tuple[str, bytes], asyncio.Future[None]] = {}
        self.changes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/") or scope["path"].startswith(_OWN):
            await self._app(scope, receive, send)
        elif scope["method"] != "GET":
            await self._app(scope, receive, send)
            self.forget()
        else:
            await self._shared((scope["path"], scope["query_string"]), scope, receive, send)

    def forget(self) -> None:
        """What was answered, and what is being answered, is of before a change."""
        self._kept.clear()
        self.changes += 1

    async def _shared(self, key: tuple[str, bytes], scope: Scope, receive: Receive, send: Send) -> None:
        while (asked := self._asked.get(key)) is not None:
            await asyncio.wait([asked])
        kept = self._kept.get(key)
        if kept and time.monotonic() < kept.good_until:
            await _told(send, kept.start, kept.body, _known(scope))
            return
        mine = self._asked[key] = asyncio.get_running_loop().create_future()

        def answered() -> None:
            """The others need not wait until this caller, who may be slow, has read it."""
            if not mine.done():
                del self._asked[key]
                mine.set_result(None)

        try:
            await self._app(scope, receive, _Listening(send, self, key, _known(scope), answered).send)
        finally:
            answered()

    def keep(self, key: tuple[str, bytes], start: Message, body: bytes, took_s: float, changes: int) -> None:
        """Keep an answer for those who ask next, unless something changed since it was begun."""
        if changes != self.changes:
            return
        good_s = min(LONGEST_S, max(FRESH_S, SHARE * took_s))
        self._kept[key] = _Answer(start, body, time.monotonic() + good_s)
        self._kept.move_to_end(key)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)


class _Listening:
    """Passes an answer on, and keeps it when it is whole and good."""

    def __init__(
        self, send: Send, kept: Lately, key: tuple[str, bytes], known: bytes, answered: Callable[[], None]
    ) -> None:
        self._send, self._kept, self._key, self._known, self._answered = send, kept, key, known, answered
        self._begun, self._changes = time.monotonic(), kept.changes
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message  # whether it is told at all is known when its body is there
            return
        if (start := self._start) is not None:
            self._start = None
            body = message.get("body", b"")
            if start["status"] == 200 and not message.get("more_body", False) and len(body) <= LARGEST:
                start = {**start, "headers": [*start.get("headers", ()), (b"etag", _etag(body))]}
                self._kept.keep(self._key, start, body, time.monotonic() - self._begun, self._changes)
                self._answered()
                await _told(self._send, start, body, self._known)
                return
            self._answered()
            await self._send(start)
        await self._send(message)


async def _told(send: Send, start: Message, body: bytes, known: bytes) -> None:
    """An answer, or that it is still the one that the caller has."""
    headers = start["headers"]
    if known and (b"etag", known) in headers:
        start = {**start, "status": 304, "headers": [one for one in headers if not one[0].startswith(b"content-")]}
        body = b""
    await send(dict(start))
    await send({"type": "http.response.body", "body": body})


def _etag(body: bytes) -> bytes:
    return b'"' + hashlib.blake2b(body, digest_size=12).hexdigest().encode() + b'"'


def _known(scope: Scope) -> bytes:
    """The ETag of the answer that the caller has, b"" without one."""
    return next((value for name, value in scope["headers"] if name == b"if-none-match"), b"")
