"""What the page's guard refuses, and what it lets through: requests and answers, without a server."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from neatd.doors import tokens
from neatd.doors.tokens import Token, forget_token, page_token, token_path
from neatd.web import guard as guards
from neatd.web.guard import Guard
from neatd.web.limits import Bucket, Message, TooLargeError

TOKEN = "the-token-of-this-test-0123456789"
HERE = "127.0.0.1:7777"
Headers = list[tuple[str, str]]


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """An application that reads the body and says that it was asked."""
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def made(address: str = "127.0.0.1", hosts: tuple[str, ...] = ()) -> Guard:
    return Guard(nothing, lambda: TOKEN, address, hosts)


def asked(
    guard: Guard, path: str = "/api/runs", method: str = "GET", headers: Mapping[str, str] | Headers = (), own: bool = True,
    body: list[bytes] | None = None, client: str = "127.0.0.1",
) -> tuple[int, dict[str, str]]:  # fmt: skip
    """The status and the headers of the answer. `headers` come after Host, or instead of it where they name it."""
    told: list[Message] = []
    given = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
    if "host" not in {name for name, _ in given}:
        given = [("host", HERE), *given]
    pieces = [*(body or []), b""]

    async def receive() -> Message:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message: Message) -> None:
        told.append(message)

    scope = {
        "type": "http", "path": path, "method": method, "client": (client, 5), "state": {"is_same_user": own},
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in given if value is not None],
    }  # fmt: skip
    asyncio.run(guard(scope, receive, send))
    return told[0]["status"], {name.decode(): value.decode() for name, value in told[0]["headers"]}


SHOWN = {"authorization": f"Bearer {TOKEN}"}
VISIT = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
ALLOWED = [
    ("a read of the same user", "/api/runs", "GET", {}, True),
    ("a shell, by anybody", "/runs/x", "GET", {}, False),
    ("a file of the page, by anybody", "/static/1/js/base/api.js", "GET", {}, False),
    ("a read with the token", "/api/runs", "GET", SHOWN, False),
    ("the scheme in other letters", "/api/runs", "GET", {"authorization": f"bearer {TOKEN}"}, False),
    ("a change with the token", "/api/maintain", "POST", SHOWN, False),
    ("lines of a machine: its token is not ours", "/api/ingest", "POST", {"authorization": "Bearer neat_x"}, False),
    ("our own page", "/api/runs", "GET", {"origin": f"http://{HERE}", "sec-fetch-site": "same-origin"}, True),
    ("typed into the address bar", "/api/runs", "GET", {"sec-fetch-site": "none"}, True),
    ("a link from elsewhere to a shell", "/runs", "GET", VISIT, True),
    ("localhost", "/api/runs", "GET", {"host": "localhost:1234"}, True),
    ("IPv6", "/api/runs", "GET", {"host": "[::1]:7777"}, True),
    ("IPv6 in full", "/api/runs", "GET", {"host": "[0:0:0:0:0:0:0:1]:7777"}, True),
    ("in capitals", "/api/runs", "GET", {"host": "LOCALHOST:7777"}, True),
    ("without a port, through a tunnel to port 80", "/api/runs", "GET", {"host": "localhost"}, True),
]
REFUSED = [
    ("a rebound name", 403, "/api/runs", "GET", {"host": "evil.example:7777"}, True),
    ("a rebound name asks for a shell, with the token in it", 403, "/", "GET", {"host": "evil.example:7777"}, True),
    ("a name that ends as ours", 403, "/api/runs", "GET", {"host": "evil-localhost"}, True),
    ("a name that begins as ours", 403, "/api/runs", "GET", {"host": "127.0.0.1.evil.example"}, True),
    ("a dot at the end", 403, "/api/runs", "GET", {"host": "localhost.:7777"}, True),
    ("a user before the name", 403, "/api/runs", "GET", {"host": "evil.example@127.0.0.1"}, True),
    ("a path behind the name", 403, "/api/runs", "GET", {"host": "127.0.0.1/@evil.example"}, True),
    ("an empty name", 403, "/api/runs", "GET", {"host": ""}, True),
    ("a blank", 403, "/api/runs", "GET", {"host": " 127.0.0.1"}, True),
    ("bytes", 403, "/api/runs", "GET", {"host": "127.0.0.1\xe9"}, True),
    ("an address of this machine that it does not listen at", 403, "/api/runs", "GET", {"host": "10.0.0.1"}, True),
    ("a very long name", 403, "/api/runs", "GET", {"host": "a" * 100_000}, True),
    ("two names", 400, "/api/runs", "GET", [("host", HERE), ("host", "evil.example")], True),
    ("two tokens", 400, "/api/x", "POST", [("authorization", "Bearer x"), ("authorization", f"Bearer {TOKEN}")], True),
    ("two lengths", 400, "/api/x", "POST", [("content-length", "1"), ("content-length", "2")], True),
    ("another user reads", 401, "/api/runs", "GET", {}, False),
    ("another user reads the description", 401, "/openapi.json", "GET", {}, False),
    ("another user reads the figures", 401, "/metrics", "GET", {}, False),
    ("another user reads what is added one day", 401, "/added", "GET", {}, False),
    ("a path that is none of ours", 401, "//api/runs", "GET", {}, False),
    ("a shell is not what lies beside it", 401, "/runsx", "GET", {}, False),
    ("a proxy speaks for somebody", 401, "/api/runs", "GET", {"x-forwarded-for": "10.1.2.3"}, True),
    ("a change without the token", 401, "/api/maintain", "POST", {}, True),
    ("a change with another token", 401, "/api/maintain", "POST", {"authorization": "Bearer " + "x" * 33}, True),
    ("a change with half of it", 401, "/api/maintain", "POST", {"authorization": f"Bearer {TOKEN[:20]}"}, True),
    ("a token of another kind", 401, "/api/maintain", "POST", {"authorization": f"Basic {TOKEN}"}, True),
    ("a token in the address", 401, "/api/maintain?token=" + TOKEN, "POST", {}, True),
    ("a token in a cookie", 401, "/api/maintain", "POST", {"cookie": f"token={TOKEN}"}, True),
    ("another method", 401, "/api/runs", "DELETE", {}, True),
    ("a preflight", 401, "/api/runs", "OPTIONS", {"access-control-request-method": "POST"}, True),
    ("a page of another origin", 403, "/api/runs", "GET", {"origin": "http://evil.example"}, True),
    ("another port of this machine", 403, "/api/runs", "GET", {"origin": "http://127.0.0.1:3000"}, True),
    ("a page without an origin", 403, "/api/runs", "GET", {"origin": "null"}, True),
    ("a file", 403, "/api/runs", "GET", {"origin": "file://"}, True),
    ("another scheme", 403, "/api/runs", "GET", {"origin": f"app://{HERE}"}, True),
    ("an origin that is no address", 403, "/api/runs", "GET", {"origin": "http://[::"}, True),
    ("a page elsewhere that knows the token", 403, "/api/x", "POST", {"origin": "http://evil.example", **SHOWN}, True),
    ("a script element", 403, "/api/runs", "GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, True),
    ("of another port", 403, "/", "GET", {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}, True),
    ("a frame", 403, "/", "GET", {**VISIT, "sec-fetch-dest": "iframe"}, True),
    ("a link to data", 403, "/api/runs", "GET", VISIT, True),
    ("a form", 403, "/runs", "POST", VISIT, True),
    ("a file of the page in another page", 403, "/static/1/js/base/api.js", "GET", VISIT, True),
    ("lines, sent by a page elsewhere", 403, "/api/ingest", "POST", {"origin": "http://evil.example"}, True),
    ("a body too large", 413, "/api/x", "POST", {"content-length": str(2 << 20), **SHOWN}, True),
    ("a body without an end", 413, "/api/x", "POST", {"content-length": "9" * 5000, **SHOWN}, True),
    ("a length that is none", 413, "/api/x", "POST", {"content-length": "-1", **SHOWN}, True),
    ("a length in other digits", 413, "/api/x", "POST", {"content-length": "\xb2", **SHOWN}, True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "method", "headers", "own"), [one[1:] for one in ALLOWED], ids=[one[0] for one in ALLOWED]
)
def test_what_is_let_through(path: str, method: str, headers: dict[str, str], own: bool) -> None:
    """Each with the headers that keep the answer out of other pages."""
    status, told = asked(made(), path, method, headers, own)
    assert status == 200
    assert told["cross-origin-resource-policy"] == "same-origin" and told["x-frame-options"] == "DENY"
    assert "script-src 'self';" in told["content-security-policy"] and told["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("code", "path", "method", "headers", "own"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED]
)
def test_what_is_refused(code: int, path: str, method: str, headers: dict[str, str], own: bool) -> None:
    """By this status, and nothing allows a page elsewhere to read even that."""
    status, told = asked(made(), path, method, headers, own)
    assert status == code
    assert "access-control-allow-origin" not in told and told["cross-origin-resource-policy"] == "same-origin"


def test_who_listens_everywhere_is_called_by_addresses_and_by_no_unknown_name() -> None:
    """And asks everybody else for the token, also to read."""
    guard = made("0.0.0.0", ("Desk.local", ""))
    for host, status in (
        ("192.168.1.5:7777", 401),
        ("[2001:db8::1]", 401),
        ("desk.local:7777", 401),
        ("evil.example", 403),
        ("", 403),
    ):
        assert asked(guard, headers={"host": host}, own=False)[0] == status, host
        if status == 401:
            assert asked(guard, headers={"host": host, **SHOWN}, own=False)[0] == 200
            assert asked(guard, "/", headers={"host": host}, own=False)[0] == 200


def test_a_body_that_grows_beyond_what_it_said_is_not_read() -> None:
    """Also one that said nothing of its size."""
    with pytest.raises(TooLargeError):
        asked(made(), "/api/x", "POST", SHOWN, body=[b"x" * (1 << 20), b"x"])
    assert asked(made(), "/api/x", "POST", SHOWN, body=[b"x" * (1 << 20)])[0] == 200
    assert asked(made(), "/api/ingest", "POST", {}, body=[b"x" * (3 << 20)])[0] == 200


def test_wrong_tokens_wear_out_and_keep_the_right_one_from_nobody() -> None:
    """A neighbour who guesses is answered less and less; whoever shows the right one at the same address is answered."""
    guard = made()
    found = [asked(guard, headers={"authorization": f"Bearer {n}"}, own=False)[0] for n in range(30)]
    assert found[0] == 401 and found[-1] == 429
    assert asked(guard, headers=SHOWN, own=False)[0] == 200
    assert asked(guard, headers={"authorization": "Bearer x"}, own=False, client="10.0.0.9")[0] == 401


def test_strangers_ask_less_often_than_the_user_and_not_on_his_account() -> None:
    """Whoever has no right to read cannot keep those from it who have."""
    guard = made()
    found = [asked(guard, "/", own=False)[0] for _ in range(int(guards.STRANGE_BURST) + 50)]
    assert found[0] == 200 and found[-1] == 429
    assert asked(guard)[0] == 200


def test_a_bucket_fills_again_and_forgets_who_is_long_gone() -> None:
    """So many a second; the memory of callers is bounded."""
    bucket = Bucket(1.0, 2.0)
    assert [bucket.takes("a", now) for now in (0.0, 0.0, 0.0, 1.0, 1.0, 9.0, 9.0, 9.0)] == [
        True,
        True,
        False,
        True,
        False,
        True,
        True,
        False,
    ]
    for number in range(5000):
        bucket.takes(f"{number}", 10.0)
    assert len(bucket._left) <= 1000


def test_the_token_is_for_its_owner_and_can_be_taken_back(tmp_path: Path) -> None:
    """Readable by nobody else; when its file is gone another one holds, and the old one does not."""
    held = Token(tmp_path)
    first = held()
    assert first == page_token(tmp_path) and len(first) >= tokens.BYTES
    assert stat.S_IMODE(token_path(tmp_path).stat().st_mode) == 0o600
    forget_token(tmp_path)
    second = page_token(tmp_path)
    assert held() == second != first
    forget_token(tmp_path)
    assert held() == page_token(tmp_path) not in (first, second)


def test_a_token_that_others_could_read_is_replaced(tmp_path: Path) -> None:
    """As is a torn one, and a link to a file of somebody's choice, which stays as it is."""
    first = page_token(tmp_path)
    token_path(tmp_path).chmod(0o644)
    second = page_token(tmp_path)
    assert second != first and stat.S_IMODE(token_path(tmp_path).stat().st_mode) == 0o600
    token_path(tmp_path).write_text("torn")
    assert len(page_token(tmp_path)) >= tokens.BYTES
    forget_token(tmp_path)
    (tmp_path / "chosen").write_text("x" * 40)
    token_path(tmp_path).symlink_to(tmp_path / "chosen")
    assert page_token(tmp_path) != "x" * 40 and (tmp_path / "chosen").read_text() == "x" * 40
    assert not token_path(tmp_path).is_symlink() and list(tmp_path.glob(".page-token*")) == []
