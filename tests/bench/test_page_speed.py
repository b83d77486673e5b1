"""The page in a real Chromium, timed from the first request of a window to the lines that are seen on it."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

from tests.bench.daemons import life
from tests.bench.store_made import big_store
from tests.conftest import Neat, until
from tests.page.browsers import browser_path
from tests.page.conftest import ARGUMENTS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]
RUNS, POINTS, TICKS = 50, 2000, 60
# How much of a chart's canvas is not as its corner is: an empty chart has its axes and grid only.
INKED = """
() => { const c = document.querySelector('[data-drawn] canvas'); if (!c) return 0;
  const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0;
  for (let i = 0; i < d.length; i += 4) {
    const [a, b, c] = d.slice(i, i + 3);
    if (d[i + 3] > 60 && Math.max(a, b, c) - Math.min(a, b, c) > 40) n += 1;
  }
  return n; }
"""


@pytest.fixture
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    assert browser_path() and shutil.which("git")
    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=browser_path(), args=list(ARGUMENTS))
        yield found
        found.close()


def coloured(neat: Neat) -> None:
    for number in range(RUNS):
        noise = random.Random(number)
        neat.metrics(
            f"runs/r{number:02d}",
            *(
                {"step": step, "loss": 3 / step**0.5 + noise.gauss(0, 0.05) + number / 50, "time": 1.79e9 + step}
                for step in range(1, POINTS + 1)
            ),
        )


def drawn_ms(page: Page, url: str) -> float:
    """From the navigation to the first chart whose lines are seen."""
    begun = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector("[data-drawn]", state="attached", timeout=60_000)
    taken = 1000 * (time.perf_counter() - begun)
    assert page.evaluate(INKED) > 300, "no line is seen"
    return taken


def cold_and_warm(browser: Browser, url: str, times: int = 4) -> dict[str, list[int]]:
    """A new browser profile's first look; the same window's later ones, from its caches."""
    found: dict[str, list[int]] = {"cold": [], "warm": []}
    for _ in range(times):
        context: BrowserContext = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        found["cold"].append(round(drawn_ms(page, url)))
        for _ in range(2):
            found["warm"].append(round(drawn_ms(page, url)))
        context.close()
    return found


def asked(url: str, path: str) -> Any:
    with urlopen(f"{url}/api/{path}", timeout=60) as answer:
        return json.loads(answer.read())


def test_fifty_runs_of_two_thousand_points(tmp_path: Path, browser: Browser) -> None:
    """All of them compared: within 2 s cold and 1 s warm."""
    with life(tmp_path, coloured) as neat:
        until(lambda: len(neat.json("neat", "runs")) == RUNS, "the runs")
        url = neat.json("neatd", "status")["url"]
        until(lambda: all(one["step"] == POINTS for one in asked(url, "runs")), "their lines")
        words = "&".join(f"run={one['id']}" for one in asked(url, "runs"))
        found = cold_and_warm(browser, f"{url}/compare?{words}")
        print(json.dumps(found))
        assert max(found["cold"]) < 2000 and max(found["warm"]) < 1000


def test_a_run_of_ten_million_points(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Its page, beside ten thousand other runs."""
    base = tmp_path_factory.getbasetemp().parent / "neat-big-store"
    big = big_store(base)
    neat = Neat.__new__(Neat)
    neat.root, neat.home = big.root, big.home
    neat.start()
    try:
        url = neat.json("neatd", "status")["url"]
        asked(url, "status")
        found = cold_and_warm(browser, f"{url}/runs/{big.long_run}")
        print(json.dumps(found))
        assert max(found["cold"]) < 2000 and max(found["warm"]) < 1000
    finally:
        neat.ask("neatd", "stop")


def test_a_point_is_on_the_screen_within_300_ms(tmp_path: Path, browser: Browser) -> None:
    """From the moment that its line is written; a page at rest receives next to nothing; 3,600 ticks leave no more behind."""
    with life(
        tmp_path, lambda neat: neat.metrics("runs/a", *({"step": n, "loss": 1 / n} for n in range(1, 41)))
    ) as neat:
        until(lambda: neat.json("neat", "runs"), "the run")
        url = neat.json("neatd", "status")["url"]
        run = asked(url, "runs")[0]["id"]
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        drawn_ms(page, f"{url}/runs/{run}")
        page.locator(".live[data-state=live]").wait_for()
        page.wait_for_timeout(1000)
        late = []
        for step in range(41, 41 + TICKS):
            begun = time.perf_counter()
            neat.metrics("runs/a", {"step": step, "loss": 1 / step})
            page.wait_for_selector(f'[data-card="pinned loss"] [data-points="{step}"]', state="attached")
            late.append(1000 * (time.perf_counter() - begun))
        print("ms to the screen", json.dumps({"p50": sorted(late)[TICKS // 2], "max": max(late)}))
        received = []
        client = page.context.new_cdp_session(page)
        client.send("Network.enable")
        client.on("Network.dataReceived", lambda told: received.append(told["dataLength"]))
        page.on("request", lambda request: print("asked at rest:", request.url))
        quiet = 0
        while quiet < 5:  # what came of the last points: their events, the snapshots that these displace
            before = len(received)
            page.wait_for_timeout(1000)
            quiet = quiet + 1 if len(received) == before else 0
        print("bytes of the points' after-effects", sum(received))
        received.clear()
        page.wait_for_timeout(20_000)
        print("bytes of 20 s at rest", sum(received))
        assert max(late) < 300 and sum(received) < 5000
