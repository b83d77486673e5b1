"""A page that is open goes on with the next daemon, at the same address, with every point and none twice."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from neatd import control
from tests.page.checks import check_page, opened
from tests.page.site import Site, asked, end
from tests.page.test_run import LOSS, drawn, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_a_page_goes_on_with_the_next_daemon(browser: Browser, tmp_path: Path) -> None:
    """Lines written while no daemon ran are drawn when one runs again: no reload, no gap, nothing double."""
    site, began = Site(tmp_path), time.time() - 600
    site.root.mkdir()
    site.home.mkdir()
    (site.home / "settings.yaml").write_text("sweep_s: 0.2\nfull_sweep_s: 1.0\n")

    def write(first: int, last: int) -> None:
        site.write("only", "metrics.jsonl", [{"step": n, "time": began + n, "loss": 1 / n} for n in range(first, last)])

    site.call("neat", "init", "--yes")
    write(1, 31)
    site.call("neatd", "start")
    run = site.until(lambda: [one for one in asked(site, "runs") if one["step"] == 30], "lines")[0]
    with opened(browser, f"{site.url}/runs/{run['id']}") as page:
        chart = drawn(page, LOSS)
        page.locator(".live[data-state=live]").wait_for()
        page.evaluate("window.isSame = true")
        control.stop(site.home)
        page.locator(".live[data-state=connecting]").wait_for()
        write(31, 61)
        site.call("neatd", "start")
        write(61, 66)
        until(page, lambda: chart.get_attribute("data-points") == "65", "the points of both daemons")
        page.locator(".live[data-state=live]").wait_for()
        assert "at step 65" in (chart.locator(".chart-plot").get_attribute("aria-label") or "")
        assert page.evaluate("window.isSame")
        check_page(page, ignore=("ERR_CONNECTION", "ERR_EMPTY", "ERR_INCOMPLETE"), with_rules=False)
    end(site)
