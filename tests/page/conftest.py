"""The browser of the page's tests: the system's Chromium, one for each file of tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.page.browsers import are_left_out, browser_path, why_left_out
from tests.page.charts_served import charts_url, stage, window  # noqa: F401
from tests.page.shared_site import site  # noqa: F401

if TYPE_CHECKING:
    from playwright.sync_api import Browser

collect_ignore_glob = ["test_*.py"] if are_left_out() else []
# Nothing of the browser's own may ask the network, or keep a processor busy beside the tests.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--enable-precise-memory-info",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium. Not longer than a file's tests: while it is there, nothing else in this thread can run an event
    loop."""
    if why := why_left_out():
        pytest.fail(f"NEAT_PAGE_TESTS=1 wants the tests of the page, and {why}", pytrace=False)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=browser_path(), args=list(ARGUMENTS))
        yield browser
        browser.close()
