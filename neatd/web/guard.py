"""What stands before every answer of the page: whose request it is, what it may, how much of it, and what a browser may do
with the answer.

- Host names this machine, and Origin names what Host names: a page elsewhere can neither rebind a name to us nor send
  anything from where it is. A browser that says a request comes from another site is refused before anything is read.
- There are no cookies: nothing that a browser adds by itself proves anything.
- To read, the caller is the same user of this machine, or shows the token. To change something, it shows the token.
- The shells of the page and its files hold no data: they are for everybody who may connect. Whatever else there is, also
  what is added one day, is data.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from neatd.doors.tokens import is_token
from neatd.web.limits import App, Bucket, Message, Receive, Scope, Send, limited
from neatd.web.origins import Names, is_foreign

LARGEST_BODY = 1 << 20
LARGEST_INGEST = 4 << 20
RATE, BURST = 2000.0, 4000.0  # requests a second of those who may read
STRANGE_RATE, STRANGE_BURST = 50.0, 300.0  # of one address that shows nothing: a login and the files of a page
WRONG_RATE, WRONG_BURST = 0.2, 10.0  # wrong tokens a second of one address
INGEST = "/api/ingest"  # has tokens of its own
SHELLS = re.compile(r"/|/(runs|compare|studies|knowledge|maintenance)|/(runs|studies)/.*", re.S)
FILES = re.compile(r"/(static|vendor)/.*|/favicon\.ico", re.S)
_READ = {"GET", "HEAD"}
_ONCE = {"host", "origin", "authorization", "content-length", "transfer-encoding", "sec-fetch-site", "sec-fetch-mode",
         "sec-fetch-dest"}  # fmt: skip
_PASSED_ON = {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"}
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


_SLOWER = Refused(429, "too many requests", "ask less often")


class Guard:
    """An ASGI application before another one. `token` tells the token that holds at the moment."""

    def __init__(
        self,
        app: App,
        token: Callable[[], str],
        address: str,
        hosts: Iterable[str] = (),
        heard: Callable[[], None] = lambda: None,
    ) -> None:
        self._app, self._token, self._heard = app, token, heard
        self._names = Names(address, hosts)
        self._rate, self._strange = Bucket(RATE, BURST), Bucket(STRANGE_RATE, STRANGE_BURST)
        self._wrong = Bucket(WRONG_RATE, WRONG_BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = self.refuses(scope)
        if refused:
            await _answer(send, refused)
            return
        self._heard()
        await self._app(scope, limited(receive, _largest(scope["path"])), with_headers(send))

    def refuses(self, scope: Scope) -> Refused | None:
        """Why this request is not answered; None for one that is. Leaves who it is in the request's `state`."""
        headers, doubled = _headers(scope)
        if doubled:
            return Refused(400, f"two headers {doubled}", "send it once")
        if "host" not in headers or not self._names.has(headers["host"]):
            host = headers.get("host", "")
            return Refused(403, f"{host[:80]!r} is not this page's name", "call it by 127.0.0.1 or localhost")
        is_read, path = scope["method"] in _READ, scope["path"]
        if is_foreign(headers, is_read and SHELLS.fullmatch(path) is not None):
            return Refused(403, "another page may not ask here", "open the page itself")
        if not _is_small(headers.get("content-length", "0"), _largest(path)):
            return Refused(413, "the body is too large", f"at most {_largest(path)} bytes at once")
        refused = self._recognised(scope, headers)
        return refused or _beyond_rights(scope, is_read)

    def _recognised(self, scope: Scope, headers: Mapping[str, str]) -> Refused | None:
        """Keep in `state` who it is; Refused for a wrong token, and for who asks too often."""
        state, who, now = scope.setdefault("state", {}), (scope.get("client") or ("",))[0], time.monotonic()
        # Who speaks for others is not known to speak for this user.
        state["is_same_user"] = bool(state.get("is_same_user")) and not headers.keys() & _PASSED_ON
        shown = "" if scope["path"] == INGEST else headers.get("authorization", "")
        state["has_token"] = _is_shown(shown, self._token()) if shown else False
        if shown and not state["has_token"]:  # one that is right is taken at any time: no neighbour can keep us out
            is_few = self._wrong.takes(who, now)
            return Refused(401, "this is not the token", "`neat ui --token` shows it") if is_few else _SLOWER
        is_known = state["is_same_user"] or state["has_token"]
        return None if (self._rate.takes("", now) if is_known else self._strange.takes(who, now)) else _SLOWER


def _beyond_rights(scope: Scope, is_read: bool) -> Refused | None:
    """Why whoever it is may not ask this."""
    state, path = scope["state"], scope["path"]
    if path == INGEST or state["has_token"]:
        return None
    if not is_read:
        hint = "send the header Authorization: Bearer TOKEN; `neat ui --token` shows it"
        return Refused(401, "a change needs the token", hint)
    if not (state["is_same_user"] or SHELLS.fullmatch(path) or FILES.fullmatch(path)):
        return Refused(401, "log in first", "`neat ui --token` shows the token; the page asks for it")
    return None


def _headers(scope: Scope) -> tuple[dict[str, str], str]:
    """Headers by name, and the name of one that came twice and must not: two readers could read two things."""
    found: dict[str, str] = {}
    for raw_name, raw in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        if name in found and name in _ONCE:
            return found, name
        found[name] = raw.decode("latin-1")
    return found, ""


def _is_shown(shown: str, token: str) -> bool:
    scheme, _, text = shown.partition(" ")
    return scheme.lower() == "bearer" and is_token(text.strip(), token)


def _largest(path: str) -> int:
    return LARGEST_INGEST if path == INGEST else LARGEST_BODY


def _is_small(length: str, most: int) -> bool:
    return length.isascii() and length.isdigit() and len(length) <= 20 and int(length) <= most


def with_headers(send: Send) -> Send:
    """`send` that says with each answer what a browser may do with it."""
    more = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", []))
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            message = {**message, "headers": [*headers, *more]}
        await send(message)

    return sent


async def _answer(send: Send, refused: Refused) -> None:
    body = json.dumps({"error": refused.error, "hint": refused.hint}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *([(b"www-authenticate", b"Bearer")] if refused.code == 401 else []),
        *([(b"retry-after", b"5")] if refused.code == 429 else []),
        *([(b"connection", b"close")] if refused.code == 413 else []),  # what is still to come is not waited for
    ]
    sent = with_headers(send)
    await sent({"type": "http.response.start", "status": refused.code, "headers": headers})
    await sent({"type": "http.response.body", "body": body})
