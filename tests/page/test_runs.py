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
        page.get_by_role("searchbox").fill("cfg.dim>>>")
        page.get_by_role("alert").get_by_text("compares nothing").wait_for()
        assert not page.locator(NAMES).first.is_visible() and "No run matches" not in page.inner_text("#view")
        page.get_by_role("searchbox").fill("cfg.dim>=100 -finished")
        page.wait_for_function("css => document.querySelectorAll(css).length === 1", arg=NAMES)
        assert page.locator(NAMES).all_inner_texts() == [
            one["name"] for one in site.json("neat", "runs", "cfg.dim>=100 -finished")
        ]
        assert page.get_by_role("alert").count() == 0


def test_the_best_run_is_found_and_a_grave_one_is_seen(browser: Browser, site: Site) -> None:
    """By a click on a heading, of all runs; one that wrote NaN says so beside its status."""
    told = site.json("neat", "compare", "runs/baseline", "runs/spiky", "runs/live")
    values = next(one["best"] for one in told["series"] if one["name"] == "val/loss")
    best = dict(zip([one["name"] for one in told["runs"]], values, strict=True))
    with opened(browser, f"{site.url}/runs?filter=baseline OR spiky OR live") as page:
        page.wait_for_selector(NAMES)
        page.locator("[data-column=Best] button").click()
        page.wait_for_url("**order=best")
        shown = sorted(best, key=lambda name: float(best[name]))
        page.wait_for_function(
            "([css, names]) => [...document.querySelectorAll(css)].map((one) => one.innerText).join() === names",
            arg=[NAMES, ",".join(shown)],
        )
        row = page.locator("tr", has=page.get_by_role("link", name="runs/spiky", exact=True)).inner_text()
        assert "critical" in row and f"{best['runs/spiky']:.4g}" in row


def test_a_page_that_is_no_longer_followed_says_so(browser: Browser, site: Site) -> None:
    """After a moment, in a notice that names what to do; it goes when the page follows again."""
    with opened(browser, f"{site.url}/runs") as page:
        page.wait_for_selector(".live[data-state='live']")
        page.clock.install()
        page.route("**/api/stream*", lambda route: route.abort())
        page.reload()
        page.wait_for_selector(".live[data-state='connecting']")
        page.wait_for_selector(NAMES)
        assert page.get_by_text("neatd start").count() == 0
        page.clock.fast_forward(4000)
        page.get_by_text("neatd start").wait_for()
        page.unroute("**/api/stream*")
        page.clock.fast_forward(6000)
        page.wait_for_selector(".live[data-state='live']")
        assert page.get_by_text("neatd start").count() == 0
