"""Every view of the page as pictures, in both themes: `python -m tests.page.shots FOLDER` builds a real notebook, lets a
training go on in it, and looks. The two that README.md shows are in tests/page/shown/."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from playwright.sync_api import sync_playwright

from tests.page.browsers import browser_path
from tests.page.conftest import ARGUMENTS
from tests.page.site import Site, build, end, lines

SIZE = {"width": 1200, "height": 1000}


@contextmanager
def going_on(site: Site) -> Iterator[None]:
    """The live run grows meanwhile."""
    ended = threading.Event()

    def write() -> None:
        for line in lines(3, 380, time.time() - 200)[200:]:
            site.write("live", "metrics.jsonl", [line | {"time": time.time()}])
            if ended.wait(0.5):
                return

    writing = threading.Thread(target=write)
    writing.start()
    try:
        yield
    finally:
        ended.set()
        writing.join()


def views(site: Site) -> dict[str, str]:
    """Name -> address."""
    with urlopen(f"{site.url}/api/studies", timeout=30) as answer:
        study = json.loads(answer.read())[0]["id"]
    runs = {name: site.run_id(f"runs/{name}") for name in ("live", "baseline", "spiky")}
    return {
        "overview": "/", "runs": "/runs", "run": f"/runs/{runs['live']}", "spike": f"/runs/{runs['spiky']}",
        "compare": "/compare?" + "&".join(f"run={one}" for one in runs.values()), "studies": "/studies",
        "study": f"/studies/{study}", "knowledge": "/knowledge", "maintenance": "/maintenance",
    }  # fmt: skip


def main(folder: Path) -> None:
    """Take all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as base, sync_playwright() as driver:
        site = build(Path(base))
        browser = driver.chromium.launch(executable_path=browser_path(), args=list(ARGUMENTS))
        try:
            with going_on(site):
                for theme in ("light", "dark"):
                    window = browser.new_context(viewport=SIZE, color_scheme=theme)  # type: ignore[arg-type]
                    for name, path in views(site).items():
                        page = window.new_page()
                        page.goto(site.url + path)
                        page.wait_for_timeout(4000)  # what it shows comes in parts, and lines grow
                        page.screenshot(path=folder / f"{name}-{theme}.png")
                        page.close()
        finally:
            browser.close()
            end(site)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
