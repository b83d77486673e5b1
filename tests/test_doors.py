"""The daemon's two doors: its own word is for those who know the key, and the page's port gives nothing away."""

from __future__ import annotations

import json
import socket
import stat
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from neatd.doors import page as pages
from neatd.doors.page import PageDoor, port_path, remembered_port
from neatd.doors.status import PLACES, StatusDoor
from neatd.doors.tokens import page_token, token_path
from neatd.files import write_atomic
from tests.conftest import until


def answered(url: str, host: str | None = None) -> tuple[int, str]:
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.fixture
def door() -> Iterator[StatusDoor]:
    made = StatusDoor(lambda: {"runs": 3, "note": "password=hunter2-and-more"})
    made.open()
    yield made
    made.close()


def test_the_daemon_answers_those_who_know_its_key(door: StatusDoor) -> None:
    """Another user of the machine, and a page elsewhere, do not; secrets are left out for all."""
    parts = urlsplit(door.url)
    assert json.loads(answered(f"{door.url}/status.json")[1])["runs"] == 3
    assert "hunter2" not in answered(f"{door.url}/status.json")[1]
    for path in ("/", "/status.json", "/x/status.json", f"{parts.path[:-1]}/status.json", parts.path):
        assert answered(f"http://{parts.netloc}{path}")[0] == 404
    assert answered(f"{door.url}/status.json", "evil.example")[0] == 403


def test_who_says_nothing_keeps_nobody_from_the_daemon(door: StatusDoor) -> None:
    """However many they are: each new caller takes the place of the oldest."""
    parts = urlsplit(door.url)
    silent = [socket.create_connection((parts.hostname or "", parts.port or 0)) for _ in range(3 * PLACES)]
    try:
        assert answered(f"{door.url}/status.json")[0] == 200
        assert len(door._server._callers) <= PLACES
    finally:
        for one in silent:
            one.close()


def test_a_port_that_somebody_else_took_takes_the_token_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages that are open may have shown it there: from now on another one holds, at another port."""
    monkeypatch.setattr(pages, "BIND_S", 0.05)
    before = page_token(tmp_path)
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port_path(tmp_path).write_text(json.dumps({"port": squatter.getsockname()[1]}))
        door = PageDoor(tmp_path, "127.0.0.1", 0)
        assert not token_path(tmp_path).exists() and page_token(tmp_path) != before
        assert urlsplit(door.url).port != squatter.getsockname()[1] == remembered_port(tmp_path)
        door.close()


def test_who_listens_everywhere_is_called_by_loopback_from_here(tmp_path: Path) -> None:
    """0.0.0.0 is no address that a browser opens."""
    door = PageDoor(tmp_path, "0.0.0.0", 0)
    with closing(door):
        assert urlsplit(door.url).hostname == "127.0.0.1" and door.mistake == ""


def test_the_process_of_a_page_that_is_to_be_ready_waits_for_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there before the first caller, and another one waits for that."""
    monkeypatch.setattr(pages, "READY_S", 0.05)
    for is_ready in (True, False):
        with closing(PageDoor(tmp_path, "127.0.0.1", 0, is_ready=is_ready)) as door:
            door.open()
            if is_ready:
                until(lambda door=door: door._process is not None, "the process")
            else:
                door._thread.join(0.3)
                assert door._process is None


def test_a_process_that_cannot_be_started_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of its log is a file for a while: callers wait, and are answered when it is none."""
    monkeypatch.setattr(pages, "CRASH_WAIT_S", 0.05)
    (tmp_path / "logs").write_text("in the way")
    with closing(PageDoor(tmp_path, "127.0.0.1", 0)) as door:
        door.open()
        with socket.create_connection((urlsplit(door.url).hostname or "", urlsplit(door.url).port or 0)):
            door._thread.join(0.3)
            assert door._process is None and door._thread.is_alive()
            (tmp_path / "logs").unlink()
            until(lambda: door._process is not None, "the process")


def test_a_file_is_written_for_its_owner_alone_where_that_is_asked(tmp_path: Path) -> None:
    """Also over one that others could read."""
    path = tmp_path / "state.json"
    path.write_text("old")
    path.chmod(0o644)
    write_atomic(path, b"new", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and path.read_text() == "new"
