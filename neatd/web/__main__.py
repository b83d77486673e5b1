"""`python -m neatd.web`: the page's process. The daemon starts it with a listening socket; it ends with the daemon, or
when nobody has asked for a while."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from typing import Any

import uvicorn

from neatd.doors.page import page_log_path
from neatd.place import neat_home
from neatd.redact import redact
from neatd.web.app import make_app
from neatd.web.limits import App
from neatd.web.page import Page
from neatd.web.peers import Protocol

IDLE_S = 900.0  # without a caller, before it ends
LOOK_S = 5.0
MOST_CONNECTIONS = 1000  # beyond these it is answered that there are too many
MOST_FILES = 4096  # that are open at once: each connection is one
LEAVE_S = 1  # that streams have to end in


class _Formatter(logging.Formatter):
    """Lines of the log without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def main() -> None:
    """Serve until the daemon ends, or nobody asks."""
    parser = argparse.ArgumentParser(prog="python -m neatd.web", description=__doc__)
    parser.add_argument("--fd", type=int, help="the listening socket, as a descriptor")
    parser.add_argument("--host", action="append", default=[], help="a name by which the page may be called")
    given = parser.parse_args()
    home = neat_home()
    _set_up_log(page_log_path(home))
    _let_open_files()
    listening = _socket(given.fd)
    page = Page(home, listening.getsockname()[0], given.host)
    server = uvicorn.Server(configured(make_app(page)))
    asyncio.run(_serve(server, page, listening))


def configured(app: App) -> uvicorn.Config:
    """How the page is served: to whom it is known who calls, and with a bound on all that a caller can hold."""
    return uvicorn.Config(
        app, http=Protocol, ws="none", log_config=None, access_log=False, server_header=False, proxy_headers=False,
        timeout_graceful_shutdown=LEAVE_S, lifespan="on", backlog=512, timeout_keep_alive=30, loop="asyncio",
        limit_concurrency=MOST_CONNECTIONS,
    )  # fmt: skip


async def _serve(server: uvicorn.Server, page: Page, listening: socket.socket) -> None:
    loop = asyncio.get_running_loop()

    def end() -> None:
        page.close()
        server.should_exit = True

    _on_end_of_stdin(lambda: loop.call_soon_threadsafe(end))
    idle = loop.create_task(_end_when_idle(server, page, end))
    await server.serve(sockets=[listening])
    idle.cancel()


async def _end_when_idle(server: uvicorn.Server, page: Page, end: Callable[[], None]) -> None:
    while not server.should_exit:
        await asyncio.sleep(LOOK_S)
        if not server.server_state.connections and page.idle_s() > IDLE_S:
            end()


def _on_end_of_stdin(tell: Callable[[], object]) -> None:
    """The daemon holds the other end of standard input for its life, whatever ends it."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        tell()

    threading.Thread(target=wait, daemon=True).start()


def _socket(descriptor: int | None) -> socket.socket:
    if descriptor is not None:
        return socket.socket(fileno=descriptor)
    size = int.from_bytes(sys.stdin.buffer.read(4), "big")  # Windows: handed over by its name
    shared: Any = sys.stdin.buffer.read(size)
    return socket.fromshare(shared)  # type: ignore[attr-defined,no-any-return,unused-ignore]


def _let_open_files() -> None:
    """A shell often allows a thousand, which connections alone would use up."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < MOST_FILES:
        most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _set_up_log(path: Any) -> None:
    handler = RotatingFileHandler(path, maxBytes=2 << 20, backupCount=2, delay=True)
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # what strangers send us fills no log


if __name__ == "__main__":
    main()
    logging.shutdown()
    os._exit(0)  # nothing is left to do: taking all modules down would take the daemon's end a second or two longer
