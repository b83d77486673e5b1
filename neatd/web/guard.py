"""What stands before every answer of the page: whose request it is, what it may, how much of it, and what a browser may do
with the answer.

- Host names this machine, and Origin names what Host names: a page elsewhere can neither rebind a name to us nor send
  anything from where it is. A browser that says a request comes from another site is refused before anything is read.
- There are no cookies: nothing that a browser adds by itself proves anything.
- To read, the caller is the same user of this machine, or shows the token. To change something, it shows the token.
- The shells of the page hold no data: they are for everybody who may connect.
"""

from __future__ import annotations

import ipaddress
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from neatd.web.tokens import is_token

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 1 << 20
LARGEST_INGEST = 4 << 20
RATE, BURST = 2000.0, 4000.0  # requests a second of one caller
WRONG_RATE, WRONG_BURST = 0.2, 10.0  # wrong tokens a second of one address
MOST_CALLERS = 1000  # that are remembered
INGEST = "/api/ingest"  # has tokens of its own
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_READ = {"GET", "HEAD"}
_SITES = {"same-origin", "none"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:;"
    " connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin", "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}  # fmt: skip


class Refused(NamedTuple):
    """Why a request is not answered."""

    code: int
    error: str
    hint: str


class Bucket:
    """So many a second, and so many at once."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def takes(self, who: str, now: float, cost: float = 1.0) -> bool:
        """Whether one more is allowed; it counts when it is."""
        left, then = self._left.pop(who, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._rate)
        self._left[who] = (left - cost if left >= cost else left, now)
        if len(self._left) > MOST_CALLERS:
            self._left.popitem(last=False)
        return left >= cost


class Guard:
    """An ASGI application before another one."""

    def __init__(
        self, app: App, token: str, address: str, hosts: Iterable[str] = (), heard: Callable[[], None] = lambda: None
    ) -> None:
        self._app, self._token, self._heard = app, token, heard
        self._names = _LOOPBACK | {name.lower() for name in hosts} | ({address} if not _is_any(address) else set())
        self._takes_addresses = _is_any(address)  # listening everywhere: called by any address, but by no unknown name
        self._rate, self._wrong = Bucket(RATE, BURST), Bucket(WRONG_RATE, WRONG_BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._heard()
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refused = self.refuses(scope, headers)
        if refused:
            await _answer(send, refused)
            return
        limit = LARGEST_INGEST if scope["path"] == INGEST else LARGEST_BODY
        await self._app(scope, _limited(receive, limit), _with_headers(send, scope["path"]))

    def refuses(self, scope: Scope, headers: dict[str, str]) -> Refused | None:
        """Why this request is not answered; None for one that is. Leaves who it is in the request's `state`."""
        path, method = scope["path"], scope["method"]
        is_data = path.startswith("/api/") or path in ("/metrics", "/openapi.json", "/status.json")
        who = scope["client"][0] if scope.get("client") else ""
        now = time.monotonic()
        found = self._foreign(headers, is_data or method not in _READ)
        if found:
            return found
        if not self._rate.takes(who, now):
            return Refused(429, "too many requests", f"at most {RATE:.0f} a second")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > (LARGEST_INGEST if path == INGEST else LARGEST_BODY):
            return Refused(
                413, "the body is too large", f"at most {LARGEST_BODY} bytes; {LARGEST_INGEST} of lines to ingest"
            )
        state = scope.setdefault("state", {})
        state["is_same_user"] = bool(state.get("is_same_user"))
        state["has_token"] = False
        if path == INGEST:
            return None
        shown = headers.get("authorization", "")
        if shown:
            if not self._wrong.takes(who, now, cost=0.0):
                return Refused(429, "too many wrong tokens", "wait a minute")
            state["has_token"] = shown.startswith("Bearer ") and is_token(shown[7:].strip(), self._token)
            if not state["has_token"]:
                if not self._wrong.takes(who, now):
                    return Refused(429, "too many wrong tokens", "wait a minute")
                return Refused(401, "this is not the token", "`neat ui --token` shows it")
        if method not in _READ and not state["has_token"]:
            return Refused(
                401,
                "a change needs the token",
                "send the header Authorization: Bearer TOKEN; `neat ui --token` shows it",
            )
        if is_data and not (state["is_same_user"] or state["has_token"]):
            return Refused(401, "log in first", "`neat ui --token` shows the token; the page asks for it")
        return None

    def _foreign(self, headers: dict[str, str], is_guarded: bool) -> Refused | None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            return Refused(403, f"{host[:80]!r} is not this page's name", "call it by 127.0.0.1 or localhost")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return Refused(403, "another page may not ask here", "open the page itself")
        site = headers.get("sec-fetch-site")
        is_visit = headers.get("sec-fetch-mode") == "navigate" and not is_guarded
        if site is not None and site not in _SITES and not (is_visit and headers.get("sec-fetch-dest") == "document"):
            return Refused(403, "another page may not ask here", "open the page itself")
        return None

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._names or (self._takes_addresses and _is_address(name))


def _is_any(address: str) -> bool:
    return address in ("0.0.0.0", "::", "")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class TooLargeError(Exception):
    """A body went on beyond what it said, or beyond what is taken."""


def _limited(receive: Receive, most: int) -> Receive:
    taken = 0

    async def limited() -> MutableMapping[str, Any]:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise TooLargeError
        return message

    return limited


def _with_headers(send: Send, path: str) -> Send:
    more = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]

    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", []))
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            message["headers"] = [*headers, *more]
        await send(message)

    return sent


async def _answer(send: Send, refused: Refused) -> None:
    body = json.dumps({"error": refused.error, "hint": refused.hint}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *([(b"www-authenticate", b"Bearer")] if refused.code == 401 else []),
    ]
    start = {"type": "http.response.start", "status": refused.code, "headers": headers}
    await _with_headers(send, "")(start)
    await send({"type": "http.response.body", "body": body})
