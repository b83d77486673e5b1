"""The list of runs in a real browser: filter, order, pages, and the choice of what is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.page.checks import check_page, opened
from tests.page.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ".listed tbody th a"


def test_the_list_is_the_commands_list(browser: Browser, site: Site) -> None:
    """Newest first as `neat runs` has them; filter and order are in the address and outlive a reload."""
    with opened(browser, f"{site.url}/runs") as page:
        page.wait_for_selector(NAMES)
        expected = sorted(site.json("neat", "runs"), key=lambda one: one["started_at"], reverse=True)
        assert page.locator(NAMES).all_inner_texts() == [one["name"] for one in expected]
        page.get_by_role("searchbox").fill("finished")
        finished = {one["name"] for one in site.json("neat", "runs", "finished")}
        page.wait_for_function(
            "([css, count]) => document.querySelectorAll(css).length === count", arg=[NAMES, len(finished)]
        )
        page.get_by_role("button", name="Run", exact=True).click()
        page.wait_for_url("**/runs?filter=finished&order=name")
        page.reload()
        page.wait_for_selector(NAMES)
        assert page.locator(NAMES).all_inner_texts() == sorted(finished)
        page.emulate_media(color_scheme="dark")
        check_page(page)


def test_chosen_runs_are_compared(browser: Browser, site: Site) -> None:
    """Two boxes, reached and set by the keyboard, make a link to their comparison."""
    with opened(browser, f"{site.url}/runs?filter=runs/") as page:
        page.wait_for_selector(NAMES)
        for name in ("runs/live", "runs/baseline"):
            page.get_by_role("checkbox", name=f"Choose {name}").focus()
            page.keyboard.press("Space")
        link = page.get_by_role("link", name="Compare 2")
        ids = {one["name"]: one["id"] for one in site.json("neat", "runs")}
        assert link.get_attribute("href") == f"/compare?run={ids['runs/live']}&run={ids['runs/baseline']}"


def test_the_list_is_read_on_a_phone_and_says_when_nothing_matches(browser: Browser, site: Site) -> None:
    """At 375 px nothing is wider than the window; an empty answer says what a filter is."""
    with opened(browser, f"{site.url}/runs", width=375) as page:
        page.wait_for_selector(NAMES)
        check_page(page)
        page.get_by_role("searchbox").fill("nothing-like-it")
        page.get_by_text("No run matches").wait_for()
        page.get_by_role("searchbox").fill("cfg.dim>=100 -finished")
        page.wait_for_function("css => document.querySelectorAll(css).length === 1", arg=NAMES)
        assert page.locator(NAMES).all_inner_texts() == [
            one["name"] for one in site.json("neat", "runs", "cfg.dim>=100 -finished")
        ]
