"""Who is at the other end of a connection: the same user of this machine, or anybody else; and how long it may take to say
what it wants.

Where it cannot be told who it is, the caller is nobody, and has to show the token. Callers who say nothing, who never end
what they say, and too many of them, are hung up on, so that nobody keeps out the user whose page it is.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from neatd.web.sockets import End, uid_of

HEAD_S = 10.0  # for the lines before a body
LARGEST_HEAD = 64 << 10
LARGEST_REQUEST = (
    32 << 20
)  # bytes on the wire: a body in pieces of one byte is six times as long as what is taken of it
MOST_STRANGERS, MOST_OF_ONE = 400, 100  # connections of others at once, of all and of one address
_TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n"
    b"x-content-type-options: nosniff\r\n\r\n"
)


def is_same_user(peer: socket.socket) -> bool:
    """Whether the process at the other end of a connection on this machine is of the user whom this process belongs to."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        theirs, ours = (End(*one[:2]) for one in (peer.getpeername(), peer.getsockname()))
    except OSError:
        return False
    if theirs.host != ours.host:  # from another machine, or another address of this one: not proved
        return False
    return uid_of(peer.family, theirs, ours) == os.getuid()


class Protocol(HttpToolsProtocol):
    """Uvicorn's, with what is known of the caller in each request's `state`, and an end to all waiting."""

    _late: asyncio.TimerHandle | None = None
    _is_stranger = False
    _is_in_head = True
    _heard = 0  # bytes of this request

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        peer = transport.get_extra_info("socket")
        is_known = peer is not None and is_same_user(peer)
        self.app_state = {**self.app_state, "is_same_user": is_known}
        self._is_stranger = not is_known
        super().connection_made(transport)
        if self._is_stranger and self._are_too_many():
            transport.abort()
            return
        self._wait_for_head()

    def _are_too_many(self) -> bool:
        strangers = [one for one in self.connections if isinstance(one, Protocol) and one._is_stranger]
        own = sum(
            one.client is not None and self.client is not None and one.client[0] == self.client[0] for one in strangers
        )
        return len(strangers) > MOST_STRANGERS or own > MOST_OF_ONE

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._heard += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._heard > (LARGEST_HEAD if self._is_in_head else LARGEST_REQUEST):
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(_TOO_LONG)
            self.transport.close()
        elif self._is_in_head and self._heard and self._late is None:
            self._wait_for_head()

    def on_message_begin(self) -> None:
        self._is_in_head = True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if not self.url.startswith(b"/"):  # `GET http://other/ HTTP/1.1`: it names another host than its headers
            raise ValueError("not a path")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_in_head:  # what comes after a body was not there when it was decided who asks
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._stop_waiting()
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > LARGEST_HEAD:
            raise ValueError("too long")  # uvicorn answers with 400
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_in_head, self._heard = True, 0
        super().on_message_complete()

    def _wait_for_head(self) -> None:
        self._late = self.loop.call_later(HEAD_S, self._hang_up)

    def _stop_waiting(self) -> None:
        if self._late:
            self._late.cancel()
        self._late = None

    def _hang_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()
