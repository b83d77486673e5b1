"""Studies in a real browser: what they say is what `neat study` says, each figure has its numbers, ranges are set by keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.page.checks import check_page, opened
from tests.page.site import Site, asked

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TRIALS = "section[aria-labelledby=h-trials] tbody tr"


def called(page: Page, module: str, body: str, argument: Any) -> Any:
    """What a module of the page answers."""
    return page.evaluate(
        f"async (a) => {{ const m = await import('/static/js/{module}.js'); return {body}; }}", argument
    )


def test_the_best_so_far_is_of_trials_that_count(stage: Page) -> None:
    """In the order of their numbers; what was pruned or failed is no best."""
    told = [(3, "counted", 0.5), (1, "counted", 0.9), (2, "pruned", 0.1), (4, "counted", 0.7), (5, "counted", "NaN")]
    trials = [{"number": at, "kind": kind, "value": value} for at, kind, value in [*told, (6, "counted", 0.4)]]
    assert called(stage, "study/trial", "m.records(a, 'min')", trials) == [[1, 0.9], [3, 0.5], [6, 0.4]]
    assert called(stage, "study/trial", "m.records(a, 'max')", trials) == [[1, 0.9]]


def test_a_trial_lies_within_ranges_on_all_axes(stage: Page) -> None:
    """A trial without a place on an axis that is narrowed is out; a logarithm's middle is the geometric one."""
    trials = [
        {"number": at, "kind": "counted", "value": at, "params": params}
        for at, params in enumerate(({"lr": 0.001, "dim": 8}, {"lr": 0.01, "dim": 16}, {"lr": 0.1}))
    ]
    space = {"lr": {"type": "float", "log": True}, "dim": {"type": "categorical"}}
    body = """(() => {
      const axes = m.axesOf(a[0], { metric: "loss", space: a[1] });
      return a[2].map((one) => [axes.map((axis) => axis.places), m.within(axes, new Map(Object.entries(one)), 3)]);
    })()"""
    (places, narrow), (_, wide) = called(
        stage, "study/parallel", body, [trials, space, [{"dim": [0, 1]}, {"lr": [0.4, 1]}]]
    )
    assert places == [[0, 0.5, 1], [0, 1, None], [0, 0.5, 1]]
    assert (narrow, wide) == ([True, True, False], [False, True, True])


def test_the_api_says_of_studies_what_the_commands_say(site: Site) -> None:
    (told,) = [one for one in site.json("neat", "study", "list") if one["name"] == "width"]
    (listed,) = [one for one in asked(site, "studies") if one["name"] == "width"]
    detail = asked(site, "studies/width")
    assert {name: listed[name] for name in told} == told == {name: detail[name] for name in told}
    assert [one["number"] for one in asked(site, "studies/width/trials")] == list(range(1, told["trials"] + 1))


def test_a_study_says_what_the_command_says(browser: Browser, site: Site) -> None:
    """Its budget, the best trial with a link to its run, every trial, importances with the numbers beside them."""
    told = site.json("neat", "study", "status", "width")
    with opened(browser, f"{site.url}/studies") as page:
        page.get_by_role("link", name="width").click()
        page.wait_for_selector(TRIALS)
        head = page.get_by_role("region", name="How it stands").inner_text()
        assert f"{told['ended']} of {told['trials']} trials ended, 0 left" in head and told["reason"] in head
        assert f"{told['best']['value']:.4g}" in head and f"{told['best']['params']['lr']:.4g}" in head
        best = page.get_by_role("link", name=f"trial {told['best']['trial']}")
        assert best.get_attribute("href") == f"/runs/{told['best']['run']}"
        assert page.locator(TRIALS).count() == told["trials"]
        assert page.locator(TRIALS).first.locator("a").get_attribute("href") == f"/runs/{told['best']['run']}"
        page.wait_for_selector(".figure-plot[data-drawn] svg .scatterlayer")
        page.wait_for_selector("section[aria-labelledby=h-values] tbody tr", timeout=60_000)  # Optuna loads
        analysis = asked(site, "studies/width/analysis")
        shown = page.get_by_role("list", name="Importances").inner_text()
        for one in analysis["parameters"]:
            assert f"{100 * one['importance']:.1f} %" in shown
        values = page.get_by_role("table", name="Count, best").inner_text()
        assert all(value["label"] in values for one in analysis["parameters"] for value in one["values"])
        check_page(page)


def test_ranges_are_set_by_keys_and_figures_have_their_numbers(browser: Browser, site: Site) -> None:
    """The trials' table shows the trials within; every figure's numbers are a table of its own, on a phone in the dark."""
    trials = asked(site, "studies/width/trials")
    with opened(browser, f"{site.url}/studies/width", width=375, color_scheme="dark") as page:
        page.wait_for_selector(TRIALS)
        page.get_by_label("dim: from").focus()
        for _ in range(2):
            page.keyboard.press("PageUp")  # above the first of three choices
        wide = [one["number"] for one in trials if one["params"]["dim"] > 8]
        assert sorted(int(one) for one in page.locator(f"{TRIALS} a").all_inner_texts()) == wide
        assert page.get_by_text(f"{len(wide)} of {len(trials)} trials").count() == 1
        for title in ("History", "Timeline", "Parallel coordinates", "lr", "dim"):
            part = page.get_by_role("region", name=title, exact=True).locator("details")
            part.locator("summary").click()
            count = len(wide) if title == "Parallel coordinates" else len(trials)
            part.locator("tbody tr").nth(count - 1).wait_for()
            assert part.locator("tbody tr").count() == count
        page.get_by_role("region", name="Timeline", exact=True).scroll_into_view_if_needed()
        page.wait_for_selector("section:has-text('Timeline') > .figure-plot[data-drawn]")
        check_page(page)


def test_a_study_that_is_not_there_is_told_what_to_do(browser: Browser, site: Site) -> None:
    with opened(browser, f"{site.url}/studies/nosuch") as page:
        page.get_by_text("`neat study list`".strip("`")).wait_for()
        check_page(page, ignore=("404", "no study"), with_rules=False)
