"""`neat ui`: where the page is, how to get there, and what it hands to a browser."""

from __future__ import annotations

import json
import socket
import stat
import threading
import webbrowser
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from neatd.doors.tokens import page_token
from neatd.lifesign import lock_path, state_path
from neatd.locks import FileLock
from tests.cli_place import Cli

SSH = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Before a display, without a daemon."""
    place = Cli(tmp_path, monkeypatch, capsys)
    for name in SSH:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    return place


class Opened(webbrowser.BaseBrowser):
    """A browser that is opened by nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        self.urls.append(url)
        return True


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    made = Opened()
    monkeypatch.setattr(webbrowser, "_tryorder", ["made"])
    monkeypatch.setattr(webbrowser, "_browsers", {"made": [None, made]})
    return made


class _Page(BaseHTTPRequestHandler):
    knows_us = True

    def do_GET(self) -> None:
        self.send_response(200 if self.knows_us else 401)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def running(cli: Cli) -> Iterator[str]:
    """The address of a page whose daemon holds the lock."""
    server = HTTPServer(("127.0.0.1", 0), _Page)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    cli.home.mkdir(exist_ok=True)
    lock = FileLock(lock_path(cli.home))
    assert lock.try_acquire()
    state_path(cli.home).write_text(json.dumps({"pid": 1, "url": url}))
    yield url
    lock.release()
    server.shutdown()
    server.server_close()


def test_without_a_daemon_it_says_what_to_type(cli: Cli) -> None:
    """The daemon serves the page; the token is there without it."""
    assert "`neatd start`" in cli.refused("ui") and "`neatd start`" in cli.refused("ui", "--json")
    assert cli.ok("ui", "--token").strip() == page_token(cli.home)


def test_it_opens_the_address(cli: Cli, running: str, opened: Opened) -> None:
    """Whom the page knows needs no token in it; `--no-browser` and `--json` only print."""
    assert cli.ok("ui", "--no-browser").strip() == running and opened.urls == []
    assert cli.json("ui") == {"url": running} and opened.urls == []
    assert cli.json("ui", "--token") == {"url": running, "token": page_token(cli.home)}
    assert cli.ok("ui").strip() == running and opened.urls == [running]


def test_where_the_page_does_not_know_us_the_browser_gets_the_token_by_a_file(
    cli: Cli, running: str, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody can read the words with which a program is started, and nobody else this file."""
    monkeypatch.setattr(_Page, "knows_us", False)
    cli.ok("ui")
    path = cli.home / "page-open.html"
    assert opened.urls == [path.as_uri()] and page_token(cli.home) not in opened.urls[0]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert f"{running}/#token={page_token(cli.home)}" in path.read_text()


def test_over_ssh_it_prints_the_line_that_brings_the_page(
    cli: Cli, running: str, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the machine one sits at, by the address and port by which one came; nothing is opened here."""
    port = running.rpartition(":")[2]
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.2 51000 10.0.0.7 2222")
    monkeypatch.setenv("LOGNAME", "ada")
    answer = cli("ui")
    assert answer.out.strip() == running and opened.urls == []
    assert f"ssh -N -L {port}:127.0.0.1:{port} -p 2222 ada@10.0.0.7\n" in answer.err
    assert f"http://localhost:{port}" in answer.err


def test_without_a_display_it_prints_that_line_too(cli: Cli, running: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the machine's own name."""
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("LOGNAME", "ada")
    assert f" ada@{socket.gethostname()}\n" in cli("ui").err
