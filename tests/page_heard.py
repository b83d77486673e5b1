"""A reader of `/api/stream`, as a program would be: events as they come, with a limit to the waiting."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

WAIT_S = 30.0


class Heard:
    """One open stream."""

    def __init__(self, url: str, query: str) -> None:
        place = urlsplit(url)
        assert place.hostname
        self._connection = http.client.HTTPConnection(place.hostname, place.port, timeout=WAIT_S)
        self._connection.request("GET", f"/api/stream?{query}")
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200, self._answer.read()

    def next(self) -> tuple[str, Any]:
        """(event, what it says), comments left out. Raises EOFError when the stream ends."""
        event = ""
        while True:
            line = self._answer.readline().decode()
            if not line:
                raise EOFError
            if line.startswith("event: "):
                event = line[7:].strip()
            elif line.startswith("data: "):
                return event, json.loads(line[6:])

    def until(self, is_it: Callable[[str, Any], bool]) -> Any:
        """What the first event says that is it."""
        while True:
            event, said = self.next()
            if is_it(event, said):
                return said

    def close(self) -> None:
        self._connection.close()


def followed(run: str, cursor: str) -> str:
    """The query that follows a run from a cursor on."""
    return f"run={quote(run)}~{quote(cursor)}"
