"""The daemon's own word on loopback: `/KEY/status.json` says that it watches, what, and what troubles it.

For `neatd status`, and for the page, which is a process of its own. Read-only and without state of its own: it shows
the values it is handed, without the secrets in them. The key is made anew for each daemon and stands in its state file,
which its owner alone reads: neither another user of the machine nor a web page knows what to ask for. Who asks nothing
holds one of a few places, and loses it to the next.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from neatd.redact import redact_value

Status = Callable[[], dict[str, Any]]
PLACES = 32  # callers at once
_HOSTS = {"127.0.0.1", "localhost", "[::1]"}


class StatusDoor:
    """An HTTP server on a free port of 127.0.0.1, in a thread of its own."""

    def __init__(self, status: Status) -> None:
        key = secrets.token_urlsafe(24)
        self._server = _Server(("127.0.0.1", 0), _handler(status, f"/{key}/status.json"))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 60.0}, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/{key}"

    def open(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering and free the port. Does not wait for the thread: it ends with the process."""
        self._server.socket.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._callers: deque[socket.socket] = deque()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._callers.append(request)
        if len(self._callers) > PLACES:
            with suppress(OSError, IndexError):  # it has gone by itself
                self._callers.popleft().shutdown(socket.SHUT_RDWR)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with suppress(ValueError, IndexError):  # it gave its place away
            self._callers.remove(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers go when they like, and fill no log."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def _handler(status: Status, path: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # seconds: a caller that says nothing holds no thread
        server_version, sys_version = "neat", ""

        def do_GET(self) -> None:
            host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
            if host not in _HOSTS:
                self._answer(403, "text/plain", "this is for this machine only\n")
            elif hmac.compare_digest(self.path.encode("utf-8", "replace"), path.encode()):
                self._answer(200, "application/json", json.dumps(redact_value(status())) + "\n")
            else:
                self._answer(404, "text/plain", "nothing here\n")

        def _answer(self, code: int, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(code)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Content-Security-Policy", "default-src 'none'")
            self.send_header("Cross-Origin-Resource-Policy", "same-origin")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: one who asks every second is not news."""

    return Handler
