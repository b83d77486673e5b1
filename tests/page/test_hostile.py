"""A hostile page in the browser of the page's own user: it reads nothing and changes nothing."""

from __future__ import annotations

import sqlite3
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from neatd import control
from neatd.doors.tokens import page_token
from tests.cli_place import user_home
from tests.conftest import Neat, until
from tests.page.browsers import browser_path
from tests.page.conftest import ARGUMENTS
from tests.projects_made import put_project

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Response

ATTEMPTS = Path(__file__).with_name("hostile_page.js").read_text(encoding="utf-8")
NOTHING = {"", "error", "silent"}
EVIL = "evil.example"


class _Empty(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>hostile</title><body>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[int]:
    """The port of a server of somebody else's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Empty)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def rebound() -> Iterator[Browser]:
    """A browser for which a name of somebody else's means this machine, and which opens windows unasked."""
    from playwright.sync_api import sync_playwright

    words = [*ARGUMENTS, f"--host-resolver-rules=MAP {EVIL} 127.0.0.1", "--disable-popup-blocking"]
    with sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=browser_path(), args=words)
        yield made
        made.close()


class Watched:
    """What the page of neat answered to all windows of a context."""

    def __init__(self, context: BrowserContext, target: str) -> None:
        self.target, self.shells = target, 0
        self.given, self.refused, self.blocked = list[str](), set[str](), list[str]()
        context.on("response", self._answered)
        context.on(
            "requestfailed", lambda request: self.blocked.append(request.url)
        )  # what the browser keeps to itself

    def _answered(self, response: Response) -> None:
        """What was given, but for what a window of the page's own shows: it is the user who looks at that."""
        request = response.request
        if not response.url.startswith(self.target):
            return
        if response.status in (401, 403):
            self.refused.add(urlsplit(response.url).path)
        elif request.is_navigation_request() and urlsplit(response.url).path == "/":
            self.shells += 1
        elif request.is_navigation_request() or not request.frame.url.startswith(self.target):
            self.given.append(f"{response.status} {request.method} {response.url}")


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neat]:
    """A notebook with a run, served."""
    base = tmp_path_factory.mktemp("secret")
    neat = Neat(base)
    neat.settings(sweep_s=0.2)
    assert put_project(neat.root, neat.home, user_home(base))
    neat.metrics("runs/secret-run", {"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25})
    neat.start()
    neat.wait_for_points("runs/secret-run", "loss", 2)
    with urllib.request.urlopen(neat.json("neat", "ui")["url"] + "/api/runs", timeout=60) as answer:
        assert b"secret-run" in answer.read()  # by one who may: it is there to be read
    yield neat
    control.stop(neat.home)


def stored(neat: Neat) -> list[Any]:
    """What a change would leave."""
    with closing(sqlite3.connect(neat.home / "neat.db")) as records:
        return [records.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("request", "job", "run")]


def check(page: Page, watched: Watched, neat: Neat, before: list[Any]) -> None:
    """Each attempt was made, and by none was anything read, answered or changed."""
    found = page.evaluate(ATTEMPTS, watched.target)
    assert {name: read for name, read in found.items() if read not in NOTHING} == {}
    navigated = {
        "/",
        "/api/maintain",
        "/api/retention/apply",
        "/api/runs",
    }  # a frame, two forms that write, one that reads

    def are_made() -> bool:
        page.wait_for_timeout(20)  # the browser's news come meanwhile
        return watched.refused >= navigated and watched.shells == 2 and len(watched.blocked) > 15

    until(are_made, "all attempts")
    assert watched.given == [] and watched.shells == 2  # the two windows that were opened, and no frame
    assert stored(neat) == before and not (neat.root / ".neat" / "remote").exists()


@pytest.mark.parametrize("host", [EVIL, "127.0.0.1"])
def test_a_page_elsewhere_reads_nothing_and_changes_nothing(
    rebound: Browser, secret: Neat, elsewhere: int, host: str
) -> None:
    """By no way that a browser has: of another site, and of another port of this machine."""
    url, before = secret.json("neatd", "status")["url"], stored(secret)
    token = page_token(secret.home)
    context = rebound.new_context()
    watched = Watched(context, url)
    page = context.new_page()
    page.goto(f"http://{host}:{elsewhere}/")
    check(page, watched, secret, before)
    told = page.content()
    assert "secret-run" not in told and token not in told
    assert [one.url for one in page.frames if one.url.startswith(url) and readable(one)] == []
    own = next(
        one for one in context.pages if urlsplit(one.url).netloc == urlsplit(url).netloc and "token" not in one.url
    )
    assert own.evaluate("window.opener") is None and own.evaluate("localStorage.getItem('neat-page-token')") is None
    context.close()


def readable(frame: Any) -> bool:
    """Whether a frame shows anything of the page's."""
    return bool({"neat", "secret-run"} & set(frame.content().replace("<", " ").replace(">", " ").split()))


def test_a_name_pointed_at_this_machine_opens_nothing(rebound: Browser, secret: Neat) -> None:
    """DNS rebinding: what is one origin with the hostile page for the browser is refused by its name."""
    url, before = secret.json("neatd", "status")["url"], stored(secret)
    port, token = urlsplit(url).port, page_token(secret.home)
    context = rebound.new_context()
    page: Page = context.new_page()
    answer = page.goto(f"http://{EVIL}:{port}/")
    assert answer is not None and answer.status == 403
    asked = """async () => Promise.all(
      ["/api/runs", "/", "/status.json", "/metrics", "/openapi.json", "/static/x/js/base/api.js", "/api/stream?topics=runs",
       ["/api/maintain", {method: "POST", body: "{}"}], ["/api/runs", {headers: {Authorization: "Bearer TOKEN"}}]]
      .map(async (one) => { const answer = await fetch(...[one].flat()); return [answer.status, await answer.text()]; }))"""
    found = page.evaluate(asked.replace("TOKEN", token))
    assert {code for code, _ in found} == {403}
    assert not any("secret-run" in text or token in text for _, text in found)
    assert stored(secret) == before
    context.close()


def test_who_is_not_known_logs_in_by_the_address_or_by_hand(rebound: Browser, secret: Neat) -> None:
    """A token in the address is taken out of it at once, and kept when it is the one; a wrong one is forgotten."""
    url, token = secret.json("neatd", "status")["url"], page_token(secret.home)
    context = rebound.new_context(extra_http_headers={"X-Forwarded-For": "10.9.8.7"})  # as of somebody behind a proxy
    page = context.new_page()
    kept = "localStorage.getItem('neat-page-token')"
    page.goto(f"{url}/runs#token=of-somebody-else-0123456789")
    page.get_by_label("Token").wait_for()
    assert page.url == f"{url}/runs" and page.evaluate(kept) is None and token not in page.content()
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("secret-run").first.wait_for()
    page.evaluate("localStorage.clear()")
    page.goto("about:blank")
    page.goto(f"{url}/runs#token={token}")
    page.get_by_text("secret-run").first.wait_for()
    assert page.url == f"{url}/runs" and page.evaluate(kept) == token
    context.close()
