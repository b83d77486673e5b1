"""How much of a request is taken, and how often one may ask."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_S = 20.0  # between two pieces of a body
MOST_CALLERS = 1000  # that are remembered


class Bucket:
    """So many a second, and so many at once."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def takes(self, who: str, now: float) -> bool:
        """Whether one more is allowed; it counts when it is."""
        left, then = self._left.pop(who, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._rate)
        self._left[who] = (left - 1.0 if left >= 1.0 else left, now)
        if len(self._left) > MOST_CALLERS:
            self._left.popitem(last=False)
        return left >= 1.0


class TooLargeError(HTTPException):
    """A body went on beyond what it said, or beyond what is taken."""

    def __init__(self) -> None:
        super().__init__(413, "the body is too large")


class TooSlowError(HTTPException):
    """A body does not come."""

    def __init__(self) -> None:
        super().__init__(408, f"nothing more of the body came for {BODY_S:.0f} s")


def limited(receive: Receive, most: int) -> Receive:
    """`receive` that raises TooLargeError and TooSlowError. When the body is whole it waits as long as it takes: for the
    caller to go."""
    taken, is_whole = 0, False

    async def piece() -> Message:
        nonlocal taken, is_whole
        if is_whole:
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), BODY_S)
        except TimeoutError as error:
            raise TooSlowError from error
        taken += len(message.get("body", b""))
        if taken > most:
            raise TooLargeError
        is_whole = not message.get("more_body", False)
        return message

    return piece
