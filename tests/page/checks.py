"""What is asked of every view: no error in its console, nothing asked of another host, names, roles and contrast as axe-core
has them, nothing wider than the window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RULES = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": _TAGS}}


class Heard:
    """What a page said and asked since it was opened."""

    def __init__(self, page: Page) -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _request(self, request: Request) -> None:
        self.asked.append(request.url)


_HEARD: dict[Page, Heard] = {}


@contextmanager
def opened(browser: Browser, url: str, width: int = 1280, height: int = 900, **more: object) -> Iterator[Page]:
    """A new window at an address, listened to from its first request."""
    context = browser.new_context(viewport={"width": width, "height": height}, **more)  # type: ignore[arg-type]
    page = context.new_page()
    _HEARD[page] = Heard(page)
    try:
        page.goto(url)
        yield page
    finally:
        _HEARD.pop(page)
        context.close()


def check_page(page: Page, ignore: tuple[str, ...] = (), with_rules: bool = True) -> None:
    """Fails with what is wrong with a page as it stands. `ignore`: words of messages that the test itself provoked. Without
    rules axe-core is left out, which takes seconds: for a view that another test shows it."""
    heard = _HEARD[page]
    said = [one for one in heard.said if not any(word in one for word in ignore)]
    assert not said, said
    host = urlsplit(page.url).netloc
    foreign = [
        one
        for one in heard.asked
        if urlsplit(one).scheme in ("http", "https", "ws", "wss") and urlsplit(one).netloc != host
    ]
    assert not foreign, foreign
    if with_rules:
        found = Axe().run(page, options=_RULES)
        assert found.violations_count == 0, found.generate_report()
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{wide} px wider than the window"
