"""Comparing runs in a real browser: what it says is what `neat compare` says, groups are means of common steps, lines go on."""

from __future__ import annotations

import math
import random
import re
import time
from statistics import fmean
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.page.checks import check_page, opened
from tests.page.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

RUNS = ("runs/baseline", "runs/spiky", "runs/live")


def address(site: Site, *runs: str, more: str = "") -> str:
    """The page that compares runs."""
    return f"{site.url}/compare?{'&'.join(f'run={one}' for one in runs)}{more}"


def rows(page: Page, part: str) -> list[str]:
    """The rows of a table of the page, as text."""
    return page.locator(f"section[aria-labelledby=h-{part}] tbody tr").all_inner_texts()


def called(page: Page, module: str, body: str, argument: Any) -> Any:
    """What a module of the page answers."""
    return page.evaluate(
        f"async (a) => {{ const m = await import('/static/js/{module}.js'); return {body}; }}", argument
    )


@pytest.mark.parametrize("seed", range(6))
def test_a_group_is_the_mean_of_the_steps_that_all_its_runs_have(stage: Page, seed: int) -> None:
    chance = random.Random(seed)
    lines = [
        {step: chance.gauss(0, 1) for step in range(60) if chance.random() > 0.2} for _ in range(chance.randrange(1, 5))
    ]
    if seed % 2:
        lines[0][next(iter(lines[0]))] = math.nan
    given = [[[step, "NaN" if math.isnan(value) else value, None] for step, value in line.items()] for line in lines]
    found = called(stage, "compare/grouping", "m.aggregate(a)", given)
    common = sorted(set.intersection(*map(set, lines)))
    values = [[line[step] for line in lines] for step in common]
    finite = [[value for value in some if math.isfinite(value)] for some in values]
    assert found["steps"] == common and found["count"] == len(lines)
    assert found["means"] == pytest.approx([fmean(some) for some in values], nan_ok=True)
    assert found["lows"] == pytest.approx([min(some, default=math.nan) for some in finite], nan_ok=True)
    assert found["highs"] == pytest.approx([max(some, default=math.nan) for some in finite], nan_ok=True)
    assert found["left"] == max(map(len, lines)) - len(common)


def test_runs_are_grouped_by_a_parameter_that_some_share(stage: Page) -> None:
    """A parameter that is another in each run, or the same in all, makes no groups; a run without it is in one of its own."""
    parameters = {"lr": [0.01, 0.001, 0.01, None], "seed": [1, 2, 3, 4], "name": ["a", "a", "b", "a"]}
    assert called(stage, "compare/grouping", "m.groupable(a)", parameters) == ["lr", "name"]
    found = called(stage, "compare/grouping", "m.groupsOf(['a', 'b', 'c', 'd'], a)", parameters["lr"])
    assert [(one["label"], one["runs"]) for one in found] == [
        ("0.001", ["b"]),
        ("0.01", ["a", "c"]),
        ("not set", ["d"]),
    ]


def test_a_run_keeps_its_colour_when_others_come_and_go(stage: Page) -> None:
    body = "[...m.slotsOf(a[0], new Map(a[1]))]"
    assert called(stage, "compare/runcolours", body, [["a", "b", "c"], []]) == [["a", 0], ["b", 1], ["c", 2]]
    assert dict(called(stage, "compare/runcolours", body, [["c", "d", "b"], [["a", 0], ["b", 1], ["c", 2]]])) == {
        "c": 2,
        "d": 0,
        "b": 1,
    }
    many = called(
        stage, "compare/runcolours", "[...m.slotsOf(a, new Map()).values()].map(m.lookOf)", [f"r{i}" for i in range(50)]
    )
    assert len({(one["colour"], one["dash"]) for one in many}) == 50


def test_a_comparison_says_what_the_command_says(browser: Browser, site: Site) -> None:
    """A chart for each shared series, how each run ended, last and best, the delta or why it says nothing, parameters, code."""
    told = site.json("neat", "compare", *RUNS)
    with opened(browser, address(site, *RUNS)) as page:
        page.wait_for_selector(".card [data-drawn='3']")
        numbers = page.get_by_role("table", name="How the runs ended")
        numbers.wait_for()
        shown = [str(one.get_attribute("data-series")) for one in page.locator(".card").all()]
        assert shown[0] == told["metric"] and sorted(shown) == sorted(one["name"] for one in told["series"])
        page.get_by_role("button", name=f"All {len(told['series'])} series").click()
        cells = rows(page, "numbers")
        for at, run in enumerate(told["runs"]):
            assert (
                run["name"].removeprefix("runs/") in cells[at]
                and run["status"] in cells[at]
                and run["reason"] in cells[at]
            )
            assert all(reason in cells[at] for reason in run["not_comparable"])
            for one in told["series"]:
                if isinstance(one["last"][at], float):
                    assert f"{one['last'][at]:.4g}".replace("-", "\u2212") in cells[at]
        assert any(run["not_comparable"] for run in told["runs"])
        parameters = page.get_by_role("table", name="The parameters of each run")
        assert parameters.locator("thead th").all_inner_texts() == ["Run", *told["parameters"]]
        assert rows(page, "parameters")[1].split("\t")[1:] == [str(values[1]) for values in told["parameters"].values()]
        heights = page.evaluate("[...document.querySelectorAll('.part.numbers tr')].map((one) => one.offsetHeight)")
        assert max(heights) < 60, heights
        page.locator(".pick-list li", has_text="live").filter(has_text="started").wait_for()
        ended = re.compile(r"finished\s+(now|\d+ (s|min) ago)")  # it began more than an hour ago
        page.locator(".pick-list li", has_text="baseline").filter(has_text=ended).wait_for()
        assert told["runs"][0]["commit"][:8] in page.locator("section[aria-labelledby=h-code]").inner_text()
        check_page(page)


def test_what_is_chosen_is_in_the_address(browser: Browser, site: Site) -> None:
    """Groups, the scale and the choice of runs; the same address shows the same again, on a phone in the dark too."""
    with opened(browser, address(site, *RUNS)) as page:
        page.wait_for_selector(".card [data-drawn='3']")
        page.get_by_label("Group by").select_option("lr")
        page.get_by_role("button", name="lr = 0.001 (mean, n = 2)").first.wait_for()
        page.get_by_label("log scale").check()
        page.get_by_label("ignore outliers").check()
        page.get_by_text("leaves out the outer 2 %").first.wait_for()
        page.get_by_label("restarted").check()
        page.get_by_role("button", name="lr = not set (mean, n = 1)").first.wait_for()
        kept = page.url
    words = parse_qs(urlsplit(kept).query)
    ids = [one["id"] for one in site.json("neat", "compare", *RUNS, "runs/restarted")["runs"]]
    assert words == {"group": ["lr"], "log": ["1"], "outliers": ["0"], "run": ids}
    with opened(browser, kept, width=375, color_scheme="dark") as page:
        page.wait_for_selector(".card.is-grouped [data-drawn='3']")
        assert page.get_by_label("log scale").is_checked() and page.get_by_label("ignore outliers").is_checked()
        check_page(page, with_rules=False)


def test_lines_of_a_run_that_goes_on_grow(browser: Browser, site: Site) -> None:
    """Points come into the charts and the numbers without reading the lines again."""
    line = {"time": time.time(), "train/loss": 1.0}
    site.write("compared", "metrics.jsonl", [{**line, "step": step} for step in range(1, 6)])
    site.until(lambda: site.json("neat", "runs", "compared"), "the new run")
    with opened(browser, address(site, "runs/compared", "runs/baseline", more="&charts=train")) as page:
        page.wait_for_selector(".card [data-drawn='2']")
        page.wait_for_selector(".live[data-state='live']")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        site.write("compared", "metrics.jsonl", [{**line, "step": 6, "train/loss": 0.125}])
        page.wait_for_selector(".chart-plot[aria-label*='compared 0.125 at step 6']")
        page.locator("section[aria-labelledby=h-numbers] tbody tr").filter(has_text="compared").filter(
            has_text="0.125"
        ).wait_for()
        assert not [one for one in asked if "/api/series" in one]


def test_one_run_or_none_is_said_what_to_do(browser: Browser, site: Site) -> None:
    """A run of the address that is not there is named and left out."""
    with opened(browser, address(site, "runs/baseline", "r-nope")) as page:
        page.get_by_text("There is no run r-nope: left out.").wait_for()
        page.wait_for_selector(".card [data-drawn='1']")
        page.get_by_text("One run is no comparison.").first.wait_for()
        page.get_by_role("button", name="None").click()
        page.get_by_text("No run is chosen.").wait_for()
