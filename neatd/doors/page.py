"""The page's port: the daemon holds it, a process of its own answers there, started by the first caller.

The daemon only listens. While nobody asks, the page costs nothing; while many do, they take no time from watching. The
process is also started soon after the daemon, for who looks at once; it ends after a while without callers, and with the
daemon: its standard input is a pipe that closes then. Callers
that come between two of them wait in the socket's row. The port is remembered, so that a page that is open finds the
next daemon at the same address.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neatd.doors.tokens import forget_token
from neatd.files import write_atomic

log = logging.getLogger(__name__)
LOOPBACK = "127.0.0.1"
_HERE = {"0.0.0.0": LOOPBACK, "::": "::1"}  # how who listens everywhere is called from here
BACKLOG = 512
READY_S = 4.0  # after the daemon's start: its first reading comes first
BIND_S = 3.0  # the page of a daemon that was killed holds the port for a moment longer
END_S = 3.0  # that it has to end in before it is killed
CRASH_WAIT_S = 2.0  # before one that failed is started again: whoever asks is let wait, and the log is not filled


def port_path(home: Path) -> Path:
    """Where the page's port is remembered."""
    return home / "page.json"


def remembered_port(home: Path) -> int:
    """The port of the last daemon; 0 when there was none."""
    try:
        port = json.loads(port_path(home).read_text(encoding="utf-8"))["port"]
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    return port if isinstance(port, int) and 0 < port < 65536 else 0


class PageDoor:
    """The listening socket, and the process that answers at it."""

    def __init__(
        self, home: Path, address: str, port: int, hosts: Sequence[str] = (), *, is_ready: bool = False
    ) -> None:
        """`is_ready`: the process is started before anybody asks."""
        self.home, self._hosts, self._is_ready = home, hosts, is_ready
        self.mistake = ""  # why it does not listen where it was told to
        try:
            self._socket = _bound(address, port or remembered_port(home))
        except OSError as error:
            if port or address != LOOPBACK:
                self.mistake = f"the page cannot listen at {address}, port {port or 'any'}: {error}"
            if error.errno == errno.EADDRINUSE:  # pages that are open may have shown their token to whoever is there
                forget_token(home)
            self._socket = _bound(LOOPBACK, 0)
        host, number = self._socket.getsockname()[:2]
        host = _HERE.get(host, host)
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{number}"
        self._process: subprocess.Popen[bytes] | None = None
        self._wake, self._wakes = socket.socketpair()
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._attend, daemon=True, name="page")

    def open(self) -> None:
        """Begin to listen. Callers are answered from now on."""
        self._socket.listen(BACKLOG)
        number = self._socket.getsockname()[1]
        if number != remembered_port(self.home):
            write_atomic(port_path(self.home), json.dumps({"port": number}).encode())
        self._thread.start()

    def close(self) -> None:
        """End the process and free the port."""
        self._is_ending.set()
        self._wakes.close()
        self._end(self._process)
        if self._thread.is_alive():
            self._thread.join(END_S)
        self._wake.close()
        self._socket.close()

    def _attend(self) -> None:
        """Start a process for the first caller, again and again: each ends when nobody has asked for a while."""
        wait_s = READY_S if self._is_ready else None
        while not self._is_ending.is_set():
            ready, _, _ = select.select([self._socket, self._wake], [], [], wait_s)
            wait_s = None
            if self._wake in ready:
                return
            try:
                process = self._process = _started(self.home, self._socket, self._hosts)
            except OSError as error:  # no memory, no room, no descriptor: the next caller may have better luck
                log.error("the page's process cannot be started: %s", error)
                self._is_ending.wait(CRASH_WAIT_S)
                continue
            if self._is_ending.is_set():
                self._end(process)
                return
            code = process.wait()
            if process.stdin:
                process.stdin.close()
            if code and not self._is_ending.is_set():
                log.error("the page's process ended with code %s: %s tells why", code, page_log_path(self.home))
                self._is_ending.wait(CRASH_WAIT_S)

    def _end(self, process: subprocess.Popen[bytes] | None) -> None:
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()


def page_log_path(home: Path) -> Path:
    """The log of the page's process."""
    return home / "logs" / "page.log"


def _bound(address: str, port: int) -> socket.socket:
    """A socket at this address; of a port that is taken it is waited for a moment. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    deadline = time.monotonic() + (BIND_S if port else 0.0)
    while True:
        found = socket.socket(family, socket.SOCK_STREAM)
        if os.name == "posix":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((address, port))
            return found
        except OSError as error:
            found.close()
            if error.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
                raise
            time.sleep(0.05)


def _started(home: Path, listening: socket.socket, hosts: Sequence[str]) -> subprocess.Popen[bytes]:
    """The page's process with the socket in its hands, and nothing else of the daemon's."""
    words = [sys.executable, "-m", "neatd.web", *(f"--host={name}" for name in hosts)]
    environment = {**os.environ, "NEAT_HOME": str(home)}
    more: dict[str, Any] = {"start_new_session": True, "pass_fds": [listening.fileno()]}
    page_log_path(home).parent.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        more = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    else:
        words += ["--fd", str(listening.fileno())]
    with page_log_path(home).open("ab") as said:
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=said, stderr=said, cwd=home, env=environment, **more
        )
    if sys.platform == "win32":
        assert process.stdin is not None
        shared = listening.share(process.pid)
        process.stdin.write(len(shared).to_bytes(4, "big") + shared)
        process.stdin.flush()
    return process
