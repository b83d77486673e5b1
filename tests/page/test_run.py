"""The view of a run in a real browser: it says what the commands say, draws what the store holds, follows what is written, and
keeps how one looks at it in the address."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.page.checks import check_page, opened
from tests.page.site import Site, asked, lines

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

LOSS = "pinned loss"


def card(page: Page, name: str) -> Locator:
    """A chart by its id."""
    return page.locator(f'[data-card="{name}"] .run-chart')


def drawn(page: Page, name: str) -> Locator:
    """The same, once its lines are drawn."""
    page.wait_for_selector(f'[data-card="{name}"] [data-drawn]')
    return card(page, name)


def until(page: Page, is_true: Any, what: str, wait_s: float = 15.0) -> None:
    """Wait in the window's own time; the page allows no test to wait by a script of text."""
    deadline = time.monotonic() + wait_s
    while not is_true():
        assert time.monotonic() < deadline, f"waited {wait_s} s in vain for {what}"
        page.wait_for_timeout(10)


def hide(page: Page, is_hidden: bool) -> None:
    """As if the tab were hidden, or shown again."""
    page.evaluate(
        "(is) => { Object.defineProperty(document, 'hidden', { value: is, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        is_hidden,
    )


def test_a_run_says_what_the_commands_say(browser: Browser, site: Site) -> None:
    """How it goes, its accuracy, its wrong answers, its checkpoints with the reasons, its events, its parameters."""
    run = site.json("neat", "run", "show", "runs/baseline")
    found = {name: asked(site, f"runs/{run['id']}/{name}") for name in ("predictions", "checkpoints", "rail")}
    with opened(browser, f"{site.url}/runs/{run['id']}") as page:
        drawn(page, LOSS)
        page.wait_for_selector("#checkpoints td")
        strip = page.locator(".run-strip").inner_text()
        assert run["status"] in strip and run["reason"] in strip and f"{run['step']} of {run['planned_steps']}" in strip
        assert f"step {run['series']['val/loss']['best_step']}" in strip and run["git"]["commit"][:10] in strip
        rows = page.locator("#checkpoints tbody tr").all_inner_texts()
        kept = site.json("neat", "checkpoints", "runs/baseline")
        assert sorted(row.split("\t")[0] for row in rows) == sorted(one["path"] for one in kept)
        reasons = found["checkpoints"]["checkpoints"]
        assert all("; ".join(one["reasons"]) in row for one, row in zip(reasons, rows, strict=True))
        accuracy = page.locator("#accuracy tbody tr").all_inner_texts()
        windows = found["predictions"]["trends"]["windows"]
        assert [f"{100 * one['accuracy']:.1f} %" in row and (one["trend"] or "too few") in row
                for one, row in zip(windows, accuracy, strict=True)] == [True] * 3  # fmt: skip
        assert page.locator("#suspects tbody tr").count() == len(found["predictions"]["suspects"]["examples"]) > 0
        assert page.locator("#events li").count() == min(12, len(run["events"]))
        assert f"{len(found['rail']['marks'])} marks" in page.locator(".rail-list summary").inner_text()
        assert "lr\t0.001" in page.locator("#config tbody").inner_text()
        check_page(page)
        for width in (1280, 375):
            page.set_viewport_size({"width": width, "height": 800})
            assert (
                page.locator("#checkpoints tbody th code").first.evaluate("(one) => one.getClientRects().length") == 1
            )
            why = page.locator("#checkpoints td:last-child").first.bounding_box()
            assert why and why["x"] + why["width"] <= width, "why a checkpoint is kept is on the screen"


def test_a_run_on_a_phone_in_the_dark(browser: Browser, site: Site) -> None:
    """Nothing is wider than the window, and all can be read."""
    url = f"{site.url}/runs/{site.run_id('runs/restarted')}"
    with opened(browser, url, width=375, height=800, color_scheme="dark") as page:
        assert "given up by restart 1" in drawn(page, LOSS).inner_text()
        page.wait_for_selector(".rail-restart")
        assert page.locator(".rail-restart").count() == 1
        check_page(page)


def test_how_one_looks_at_a_run_stays_in_the_address(browser: Browser, site: Site) -> None:
    """A brush zooms all charts, the window is asked for, and axis, log, smoothing and pins are there after a reload."""
    site.write("long", "metrics.jsonl", lines(7, 6000, time.time() - 9000))
    run = site.until(lambda: [one for one in asked(site, "runs?filter=runs/long") if one["step"] == 6000], "lines")[0]
    with opened(browser, f"{site.url}/runs/{run['id']}") as page:
        box = drawn(page, LOSS).locator(".u-over").bounding_box()
        assert box
        with page.expect_request(lambda request: "from=" in request.url and "train%2Floss" in request.url):
            page.mouse.move(box["x"] + 60, box["y"] + 40)
            page.mouse.down()
            page.mouse.move(box["x"] + 90, box["y"] + 60, steps=3)
            page.mouse.up()
        low, high = (
            int(page.evaluate(f"new URLSearchParams(location.search).get('x{one}')")) for one in ("min", "max")
        )
        whole = asked(site, f"series?run={run['id']}&name=train/loss&from={low}&to={high}&points=8000")
        there = whole["runs"][run["id"]]["series"]["train/loss"]["points"]
        assert len(there) == high - low + 1
        until(page, lambda: int(card(page, LOSS).get_attribute("data-points") or 0) >= len(there), "the whole window")
        page.get_by_label("X axis").select_option("relative")
        page.get_by_label("Log y").check()
        page.get_by_label("Smoothing").fill("0.6")
        page.get_by_role("button", name="Take Learning rate, gradient norm from the top").click()
        page.get_by_role("button", name="Pin grad_norm to the top").click()
        page.reload()
        drawn(page, LOSS)
        assert page.get_by_label("X axis").input_value() == "relative" and page.get_by_label("Log y").is_checked()
        assert (
            page.locator(".run-output").inner_text() == "0.60"
            and "after the start" in page.locator(".run-range").inner_text()
        )
        pinned = page.get_by_role("region", name="Pinned charts").locator(".run-card")
        assert [one.get_attribute("data-card") for one in pinned.all()] == [LOSS, "pinned accuracy", "grad_norm"]
        page.get_by_role("button", name="Show all", exact=True).click()
        assert "xmin" not in page.url
        page.goto(f"{site.url}/runs/{run['id']}?xmin=-1e300&xmax=1e300")
        drawn(page, LOSS)
        until(page, lambda: "xmin" not in page.url, "a range that holds every step to be none")
        page.goto(f"{site.url}/runs/{run['id']}?xmin=7000&xmax=8000")
        page.get_by_text("no points in this range: they go from step 1 to step 6").wait_for()
        page.get_by_role("button", name="Show all of them").click()
        drawn(page, LOSS)
        assert "xmin" not in page.url and page.get_by_text("in this range").count() == 0
        check_page(page, with_rules=False)
        page.goto(f"{site.url}/runs/%")
        page.get_by_text("no run '%'").wait_for()


def test_a_run_is_followed_as_it_is_written(browser: Browser, site: Site) -> None:
    """Points are drawn as they come, without asking again, and not while nobody looks; a new series gets its chart."""
    began = time.time() - 60
    site.write("tailed", "metrics.jsonl", [{"step": n, "time": began + n, "loss": 1 / n} for n in range(1, 41)])
    run = site.until(lambda: [one for one in asked(site, "runs?filter=runs/tailed") if one["step"] == 40], "lines")[0]
    with opened(browser, f"{site.url}/runs/{run['id']}") as page:
        chart = drawn(page, LOSS)
        page.locator(".live[data-state=live]").wait_for()
        page.wait_for_timeout(500)  # what it asks for at its beginning is over
        questions: list[str] = []
        page.on("request", lambda request: questions.append(request.url))
        for step in range(41, 46):
            site.write("tailed", "metrics.jsonl", [{"step": step, "time": began + step, "loss": 1 / step}])
            until(page, lambda step=step: chart.get_attribute("data-points") == str(step), f"step {step}")
        assert not [one for one in questions if "/api/series" in one]
        until(
            page, lambda: "at step 45" in (chart.locator(".chart-plot").get_attribute("aria-label") or ""), "its line"
        )
        site.write("tailed", "metrics.jsonl", [{"step": 45, "loss": 100}])  # the same step again, without a time
        until(page, lambda: chart.get_attribute("data-points") == "46", "the second value of a step")
        hide(page, True)
        questions.clear()
        site.write("tailed", "metrics.jsonl", [{"step": 46, "time": began + 46, "loss": 0.02, "val/dice": 0.5}])
        site.until(lambda: asked(site, f"runs/{run['id']}")["step"] == 46, "the line of a hidden tab")
        assert not questions and chart.get_attribute("data-points") == "46"
        hide(page, False)
        until(page, lambda: chart.get_attribute("data-points") == "47", "what a hidden tab did not ask for")
        drawn(page, "pinned dice")
        check_page(page, with_rules=False)
