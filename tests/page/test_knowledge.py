"""What is known in a real browser: the records of `neat list`, one of them, hits of `neat search`, the brief to the byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.page.checks import check_page, opened
from tests.page.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TITLES = ".records .record h3"
HITS = ".hits h3 a"
HOSTILE = '<img src=x onerror="document.title=1"> **markup** that loses 0.731 of it'


def test_records_are_those_of_neat_list_and_text_stays_text(browser: Browser, site: Site) -> None:
    """Each with its fields and its run; one that comes while the page is open comes by itself, as text and not as markup; a
    number that no evidence has is unverified; the brief is what `neat brief` prints, with its size."""
    with opened(browser, f"{site.url}/knowledge") as page:
        page.wait_for_selector(TITLES)
        for one in site.json("neat", "list"):
            assert page.locator(f"#card-{one['id']}").count() == 1, one
        (guess,) = [one for one in site.json("neat", "list", "hypothesis") if one["run"] == "runs/live"]
        told = page.locator(f"#card-{guess['id']}")
        assert guess["predict"] in told.inner_text()
        link = told.get_by_role("link", name="runs/live").get_attribute("href")
        assert link == f"/runs/{site.run_id('runs/live')}"
        page.wait_for_selector("text=live")
        made = site.json("neat", "note", HOSTILE)["id"]
        page.locator(f"#card-{made}").wait_for()
        note = page.locator(f"#card-{made}")
        assert HOSTILE in note.inner_text() and "unverified" in note.inner_text()
        assert page.locator("main img").count() == 0 and page.title() != "1"
        text = site.call("neat", "brief")
        shown = (
            "text => document.querySelector('#brief-text').textContent.split('\\n').length === text.split('\\n').length"
        )
        page.wait_for_function(shown, arg=text)
        size = page.get_by_role("meter").get_attribute("aria-valuenow")
        assert size == str(len(page.locator("#brief-text").text_content().encode()))  # type: ignore[union-attr]
        assert "of 6,000 bytes" in page.locator("#brief-size").inner_text()
        check_page(page)


def test_searching_while_typing_finds_what_neat_search_finds(browser: Browser, site: Site) -> None:
    """The words are in the address and outlive a reload; a filter that is none is told with what there is; a hit opens the
    record with its history, and Back leads to the hits again."""
    with opened(browser, f"{site.url}/knowledge", width=375, color_scheme="dark") as page:
        page.wait_for_selector(TITLES)
        page.get_by_role("searchbox").press_sequentially("lab")
        page.wait_for_selector(HITS)
        expected = [one["title"] for one in site.json("neat", "search", "lab")]
        assert page.locator(HITS).all_inner_texts() == expected and expected
        page.reload()
        page.wait_for_selector(HITS)
        assert page.url.endswith("q=lab") and page.locator(HITS).all_inner_texts() == expected
        check_page(page)
        page.locator(HITS).first.click()
        page.locator("#record-title").wait_for()
        (bug,) = [one for one in site.json("neat", "list", "bug") if one["title"] == expected[0]]
        assert bug["cause"] in page.locator("article").inner_text() and f"id={bug['id']}" in page.url
        assert page.locator("article ol li").count() == len(site.json("neat", "show", bug["id"])["history"])
        check_page(page, with_rules=False)
        page.go_back()
        page.locator(HITS).first.wait_for()
        page.get_by_role("searchbox").fill("kind:idea")
        page.get_by_text("no kind 'idea'").wait_for()
        page.get_by_role("searchbox").fill("nothing-is-called-so")
        page.get_by_text("Nothing found.").wait_for()
        check_page(page, ignore=("400",), with_rules=False)
