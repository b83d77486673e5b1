"""The daemon's own word on loopback: `/status.json` says that it watches, what, and what troubles it.

For `neatd status`, and for the page, which is a process of its own. Read-only and without state of its own: it shows
the values it is handed, without the secrets in them. Requests that name another host are refused, so that a web page
elsewhere cannot read it through a rebound name.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from neatd.redact import redact_value

Status = Callable[[], dict[str, Any]]
_HOSTS = {"127.0.0.1", "localhost", "[::1]"}


class StatusDoor:
    """An HTTP server on a free port of 127.0.0.1, in a thread of its own."""

    def __init__(self, status: Status) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(status))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 60.0}, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def open(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering and free the port. Does not wait for the thread: it ends with the process."""
        self._server.socket.close()


def _handler(status: Status) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # seconds: a caller that says nothing holds no thread

        def do_GET(self) -> None:
            host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
            if host not in _HOSTS:
                self._answer(403, "text/plain", "this is for this machine only\n")
            elif self.path == "/status.json":
                self._answer(200, "application/json", json.dumps(redact_value(status())) + "\n")
            else:
                self._answer(404, "text/plain", "nothing here: /status.json\n")

        def _answer(self, code: int, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(code)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Content-Security-Policy", "default-src 'none'")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: one who asks every second is not news."""

    return Handler
