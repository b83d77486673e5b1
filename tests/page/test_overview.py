"""The overview in a real browser: what it says is what the commands say, and it follows what happens without reading again."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tests.page.checks import check_page, opened
from tests.page.site import Site, asked

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

RUNNING = ".going-row"


def row(page: Page, name: str) -> Any:
    """The row of a run that goes on."""
    return page.locator(RUNNING).filter(has=page.get_by_role("link", name=name, exact=True))


def test_the_overview_says_what_the_commands_say(browser: Browser, site: Site) -> None:
    """What runs, how far and how well it goes, events, the queue, disk, memory: as the commands have it."""
    shown = {one["name"]: one for one in site.json("neat", "runs", "running")}
    told = site.json("neat", "run", "show", "runs/live")["series"]["val/loss"]
    newest = next(one for one in site.json("neat", "events") if one["rule"] != "maintenance")
    with opened(browser, site.url) as page:
        page.wait_for_selector(f"{RUNNING} .spark-line[d]")
        assert sorted(page.locator(".going-name").all_inner_texts()) == sorted(shown)
        live = row(page, "runs/live").inner_text()
        assert "running" in live and shown["runs/live"]["reason"] in live
        assert f"{shown['runs/live']['step']} / {shown['runs/live']['planned_steps']}" in live
        assert "val/loss" in live and f"{float(told['last']):.4g}" in live
        assert "critical" in row(page, "runs/spiky").inner_text()
        assert page.get_by_text(newest["message"]).count() == 1
        link = page.get_by_role("region", name="Last events").locator("a").first
        place = urlsplit(link.get_attribute("href") or "")
        low, high = (int(value) for _, value in parse_qsl(place.query))
        assert place.path == f"/runs/{newest['run']}" and low <= newest["step"] <= high
        assert "neat launch" in page.get_by_role("region", name="Queue").inner_text()
        assert str(site.root) in page.get_by_role("region", name="Disk").inner_text()
        assert re.search(
            r"Risk of running out: . (low|medium|high)", page.get_by_role("region", name="Memory").inner_text()
        )
        check_page(page)


def test_the_overview_follows_what_happens(browser: Browser, site: Site) -> None:
    """A new run comes, its step and value change in place, and no more is asked for than the part that changed."""
    site.write("followed", "metrics.jsonl", [{"step": 1, "time": time.time(), "val/loss": 3.0}])
    with opened(browser, site.url) as page:
        mine = row(page, "runs/followed")
        mine.wait_for()
        page.wait_for_timeout(2500)  # what it asks for at its beginning is over
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        handle = mine.element_handle()
        for step in range(2, 12):
            site.write("followed", "metrics.jsonl", [{"step": step, "time": time.time(), "val/loss": 3.0 / step}])
        page.wait_for_function("node => node.innerText.includes('11 / 400')", arg=handle)  # the same row
        page.wait_for_function("node => node.innerText.includes('0.2727')", arg=handle)
        assert not [one for one in requests if "/api/overview" in one or "/api/runs" in one]


def test_the_overview_is_read_on_a_phone_in_the_dark(browser: Browser, site: Site) -> None:
    """At 375 px, and at 200 % of 1,280 px, nothing is wider than the window; a token that is none is taken out of the
    address, and is no reason to show nothing."""
    with opened(browser, f"{site.url}/#token=%", width=640, color_scheme="dark") as page:
        page.wait_for_selector(RUNNING)
        assert page.url == f"{site.url}/"
        assert page.evaluate("document.documentElement.scrollWidth") <= 640
        page.set_viewport_size({"width": 375, "height": 800})
        check_page(page)


def test_what_the_overview_says_is_one_truth_in_plain_words(stage: Page) -> None:
    """What is typed is set as code; a low risk does not repeat the bars with numbers of before; a clock has 24 hours."""
    said = stage.evaluate(
        """async () => {
          const at = (name) => import(`/static/js/${name}.js`);
          const [going, machine] = [await at("overview/going"), await at("overview/machineshown")];
          const format = await at("base/format");
          const system = { total_bytes: 1000, used_bytes: 60, percent: 6, limits: [], swap_total_bytes: 0 };
          const memory = (oom_risk) => {
            const node = document.createElement("div");
            machine.showMemory(node, { system, training: { processes: 0 }, oom_risk, reason: "12 % used", source: "neatd" });
            return node.textContent;
          };
          const nothing = going.nothingRuns([{ roots: ["/x"] }], 0);
          return [nothing.textContent, nothing.querySelector("code").textContent, memory("LOW"), memory("HIGH"),
            format.when("2020-01-02T15:30:00"), format.when("2020-01-02T00:05:00")];
        }"""
    )
    assert "`" not in said[0] and said[1] == "metrics.jsonl"
    assert "12 %" not in said[2] and "as neatd saw it" in said[3] and "12 %" in said[3]
    assert said[4:] == ["2020-01-02 15:30", "2020-01-02 00:05"]


def test_memory_stats_has_what_the_session_note_asked_for(site: Site) -> None:
    """RAM, the processes of trainings, the risk, swap."""
    found = asked(site, "memory_stats")
    system = found["system"]
    assert system["used_bytes"] + system["available_bytes"] == system["total_bytes"]
    assert {"swap_used_bytes", "swap_percent", "percent"} <= system.keys()
    assert found["oom_risk"] in ("LOW", "MEDIUM", "HIGH")
    assert found["training"]["rss_bytes"] >= 0
    assert asked(site, "queue?all=true") == site.json("neat", "queue", "--all")
    assert [one["id"] for one in asked(site, "events?limit=5")] == [one["id"] for one in site.json("neat", "events")][
        :5
    ]
