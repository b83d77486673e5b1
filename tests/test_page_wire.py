"""The page's server against callers who write what no browser writes, say nothing, never end, or are somebody else: bytes on
real connections."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
import uvicorn

from neatd.web import peers
from neatd.web.__main__ import configured
from neatd.web.guard import Guard
from neatd.web.sockets import End, _asked, _looked_up, uid_of
from tests.conftest import until

TOKEN = "the-token-of-this-test-0123456789"
NOBODY = 65534


async def told(scope: Any, receive: Any, send: Any) -> None:
    """An application that says what it was asked, and how much came with it."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    size, more = 0, scope["method"] == "POST"
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    body = f"asked {scope['path']} {size}".encode()
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


class Served:
    """A server in a thread of its own."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self._socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        self._socket.bind((address, 0))
        self.port = self._socket.getsockname()[1]
        self._server = uvicorn.Server(configured(Guard(told, lambda: TOKEN, address)))
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve(sockets=[self._socket])))
        self._thread.start()
        until(lambda: self._server.started, "the server")

    @property
    def connections(self) -> int:
        return len(self._server.server_state.connections)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        self._socket.close()

    def call(self, stranger: bool = False, host: str = "127.0.0.1", own: str = "127.0.0.1") -> socket.socket:
        """A connection; a stranger's is of another user where we may make one, else of another address."""
        if stranger and os.getuid():
            own = "127.0.0.2"
        made = socket.socket() if not stranger or os.getuid() else of_another_user()
        made.settimeout(20)
        made.bind((own, 0))
        made.connect((host, self.port))
        return made

    def ask(self, request: bytes, **how: Any) -> bytes:
        """All that comes for these bytes until nothing more does; `connection: close` is up to the request."""
        with closing(self.call(**how)) as made:
            with suppress(OSError):  # hung up on while we write
                made.sendall(request)
            return everything(made)


def of_another_user() -> socket.socket:
    """As one that somebody else's process made: whose a socket is, is decided when it is made."""
    os.seteuid(NOBODY)
    try:
        return socket.socket()
    finally:
        os.seteuid(0)


def everything(made: socket.socket) -> bytes:
    found = b""
    with suppress(ConnectionError):
        while more := made.recv(65536):
            found += more
    return found


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    made = Served()
    yield made
    made.close()


def get(path: str = "/api/x", *headers: str, host: str = "Host: 127.0.0.1\r\n") -> bytes:
    lines = "".join(f"{one}\r\n" for one in headers)
    return f"GET {path} HTTP/1.1\r\n{host}Connection: close\r\n{lines}\r\n".encode("latin-1")


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (get(), 200),
        (get(host=""), 403),
        (get(host="Host: 127.0.0.1\r\nHost: evil.example\r\n"), 400),
        (get(host="Host: evil.example\r\n"), 403),
        (get("http://127.0.0.1/api/x"), 400),
        (get("http://evil.example/api/x"), 400),
        (get("//evil.example/api/x"), 200),  # a path like another: the user may ask, and nothing is there
        (get("/api/../../etc/passwd"), 200),
        (get("/%2e%2e/%2fapi%00"), 200),
        (get("/\xff"), 400),
        (b"GET /api/x HTTP/1.0\r\n\r\n", 403),
        (b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 400),
        (b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400),
        (b"TRACE /api/x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 401),
        (get("/api/x", "Upgrade: websocket", "Connection: upgrade"), 200),
        (get("/api/x", "A: b\r\n folded"), 400),
        (get("/api/x", "Na me: x"), 400),
        (get("/api/x", "A: b\x00"), 400),
        (get("/api/x", "Content-Length: 3", "Transfer-Encoding: chunked"), 400),
        (get("/api/x", "Content-Length: 3", "Content-Length: 4"), 400),
        (get("/api/x", "Transfer-Encoding: xchunked"), 400),
        (get("/api/x", "Content-Length: 99999999999999999999999999"), 400),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (get("/api/" + "x" * 100_000), 400),
        (get("/api/x", "A: " + "b" * 100_000), 400),
    ],
)  # fmt: skip
def test_odd_requests(served: Served, request_: bytes, code: int) -> None:
    """Each is refused, or is what it says and nothing besides."""
    answer = served.ask(request_)
    assert status(answer) == code, answer[:300]
    assert answer.count(b"HTTP/1.1 ") == 1 and b"asked /etc" not in answer


def test_a_second_request_hidden_in_the_first_is_judged_by_itself(served: Served) -> None:
    """Pipelined, with another name and without the token: nothing of the first one's rights is left."""
    hidden = b"POST /api/change HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    first = f"POST /api/x HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 2\r\n\r\nab"
    answer = served.ask(first.encode() + hidden)
    assert answer.count(b"HTTP/1.1 ") == 2 and b"asked /api/x 2" in answer
    assert b"HTTP/1.1 401" in answer and b"/api/change" not in answer


CHUNKED = (f"POST /api/x HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n"
           "Transfer-Encoding: chunked\r\n\r\n").encode()  # fmt: skip


def test_a_body_without_a_length_ends_at_the_limit(served: Served) -> None:
    """A small one is taken; one that goes on is not kept."""
    assert b"asked /api/x 3" in served.ask(CHUNKED + b"3\r\nabc\r\n0\r\n\r\n")
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    assert b"asked" not in served.ask(CHUNKED + 17 * piece + b"0\r\n\r\n")


def test_headers_behind_a_body_are_none(served: Served) -> None:
    """They were not there when it was decided who asks."""
    late = CHUNKED.replace(f"Authorization: Bearer {TOKEN}\r\n".encode(), b"")
    answer = served.ask(late + f"0\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
    assert status(answer) == 401


def test_a_head_without_an_end_is_not_kept(served: Served) -> None:
    """Headers go on and on: hung up on, before they fill the memory."""
    with closing(served.call()) as made:
        made.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        with pytest.raises(OSError):
            for _ in range(5000):
                made.sendall(b"a: " + b"b" * 4000 + b"\r\n")
                time.sleep(0)


def test_who_says_nothing_or_half_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection without a word, one with half a head, and one that stops in its second request."""
    monkeypatch.setattr(peers, "HEAD_S", 0.3)
    served = Served()
    try:
        with closing(served.call()) as silent, closing(served.call()) as half, closing(served.call()) as second:
            half.sendall(b"GET / HTTP/1.1\r\nHost: 127")
            second.sendall(get().replace(b"Connection: close\r\n", b""))
            answer = b""
            while b"asked" not in answer:
                answer += second.recv(65536)
            second.sendall(b"GET /")
            assert [everything(one) for one in (silent, half, second)] == [b"", b"", b""]
        until(lambda: served.connections == 0, "that nothing is left of them")
    finally:
        served.close()


@pytest.mark.parametrize("limit", ["MOST_STRANGERS", "MOST_OF_ONE"])
def test_strangers_take_no_more_than_their_places(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many connections another user holds, this one's are answered."""
    monkeypatch.setattr(peers, limit, 5)
    served = Served()
    held = [served.call(stranger=True) for _ in range(20)]
    try:
        until(lambda: served.connections <= 5, "that those too many are hung up on")
        assert status(served.ask(get())) == 200
    finally:
        for one in held:
            one.close()
        served.close()


def test_another_user_needs_the_token(served: Served) -> None:
    """To read and to change; the shells are for all. With the token it may what the user may."""
    shown = f"Authorization: Bearer {TOKEN}"
    assert status(served.ask(get(), stranger=True)) == 401
    assert status(served.ask(get("/"), stranger=True)) == 200
    assert status(served.ask(get("/api/x", shown), stranger=True)) == 200
    assert status(served.ask(get())) == 200


def test_who_listens_everywhere_knows_the_user_and_nobody_from_another_address() -> None:
    """Reads from elsewhere need the token as changes do."""
    served = Served("0.0.0.0")
    try:
        shown = f"Authorization: Bearer {TOKEN}"
        assert status(served.ask(get())) == 200
        assert status(served.ask(get(), own="127.0.0.2")) == 401
        assert status(served.ask(get("/api/x", shown), own="127.0.0.2")) == 200
        assert status(served.ask(get("/"), own="127.0.0.2")) == 200
    finally:
        served.close()


def test_the_log_is_not_filled_by_strangers(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    """Neither what they send nor that they send it is written down."""
    with caplog.at_level(logging.WARNING):
        served.ask(b"\x00\x01 evil\n2026-01-01 ERROR forged: line\r\n\r\n")
        served.ask(get("/x%0aERROR%20forged", "X: forged"), stranger=True)
    assert "forged" not in caplog.text


def pair(listening: socket.socket, calling: socket.socket, to: tuple[str, int]) -> tuple[End, End, socket.socket]:
    calling.connect(to)
    ours, _ = listening.accept()
    return End(*ours.getpeername()[:2]), End(*ours.getsockname()[:2]), ours


@pytest.mark.parametrize("own", ["127.0.0.1", "::1", "::"])
def test_whose_a_connection_is(own: str) -> None:
    """As both of the kernel's words have it: also of IPv4 to who listens by IPv6. A connection that ended is nobody's."""
    assert sys.platform.startswith("linux")
    family = socket.AF_INET6 if ":" in own else socket.AF_INET
    with socket.socket(family) as listening, socket.socket(socket.AF_INET if own == "::" else family) as calling:
        if own == "::":
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listening.bind((own, 0))
        listening.listen()
        there = "127.0.0.1" if own == "::" else own
        theirs, here, ours = pair(listening, calling, (there, listening.getsockname()[1]))
        with ours:
            assert uid_of(family, theirs, here) == os.getuid() and peers.is_same_user(ours)
            if own != "::":
                assert _looked_up(family, theirs, here) == os.getuid()
                assert _asked(family, theirs, here) in (os.getuid(), None)
            assert uid_of(family, theirs._replace(port=1), here) is None
            calling.close()
            assert not peers.is_same_user(ours)
