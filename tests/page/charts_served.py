"""The page's static files and uPlot on a loopback port, with the page's own content policy, and a window that looks at them.

The charts are tested without the rest of the page: `stage` is an empty document that holds charts.
"""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

import neatd

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

STATIC = Path(neatd.__file__).parent / "web" / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
STAGE = b"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>charts</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/static/css/page.css">
<link rel="stylesheet" href="/static/css/chart.css"><script src="/vendor/uplot.js"></script></head>
<body><main><h1>Charts</h1><h2>Here</h2><div id="stage"></div></main></body></html>"""
TYPES = {".js": "text/javascript", ".css": "text/css"}

# What tests ask of the document: `chart(options, lines)` makes one and waits until it is drawn; `inked` counts the
# pixels near a colour, `coloured` those that are not grey, as grid and text are.
HELPERS = """async () => {
  const { createChart } = await import("/static/js/chart/chart.js");
  const stage = document.querySelector("#stage");
  window.made = [];
  window.frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  window.chart = async (options, lines) => {
    const container = document.createElement("div");
    stage.append(container);
    const made = createChart(container, options);
    window.made.push(made);
    made.set(lines);
    await Promise.race([made.isDrawn, frame().then(frame)]);
    return { made, container, plot: container.querySelector(".chart-plot"), u: () => container.querySelector(".uplot canvas") };
  };
  window.line = (points, more) => ({ key: "a", label: "loss", run: "r", name: "loss", colour: 0, points, ...more });
  window.counted = (container, [x0, y0, x1, y1], isOne) => {
    const canvas = container.querySelector(".uplot canvas");
    const [x, y, w, h] = [x0 * canvas.width, y0 * canvas.height, x1 * canvas.width, y1 * canvas.height].map(Math.round);
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(x, y, w, h);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 100 && isOne(data[i], data[i + 1], data[i + 2])) count += 1;
    return count;
  };
  window.inked = (container, [red, green, blue] = [0, 0x72, 0xb2], part = [0, 0, 1, 1]) =>
    counted(container, part, (r, g, b) => Math.abs(r - red) + Math.abs(g - green) + Math.abs(b - blue) < 40);
  window.coloured = (container) =>
    counted(container, [0, 0, 1, 1], (r, g, b) => Math.max(r, g, b) - Math.min(r, g, b) > 50);
  window.anything = (container, part) => counted(container, part, () => true);
  window.clear = () => { made.splice(0).forEach((one) => one.destroy()); stage.replaceChildren(); };
}"""


class _Files(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nothing: the tests' own output is what is read."""

    def do_GET(self) -> None:
        found = _file(self.path)
        body, kind = found or (b"", "text/plain")
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)


def _file(path: str) -> tuple[bytes, str] | None:
    if path == "/":
        return STAGE, "text/html"
    if path == "/vendor/uplot.js":
        spec = find_spec("uplot")
        assert spec is not None, "uplot-python is not installed"
        folder = Path((spec.submodule_search_locations or [""])[0])
        return (folder / "static" / "uPlot.iife.js").read_bytes(), "text/javascript"
    file = STATIC / path.removeprefix("/static/")
    return (file.read_bytes(), TYPES[file.suffix]) if path.startswith("/static/") and file.is_file() else None


@pytest.fixture(scope="session")
def charts_url() -> Iterator[str]:
    """The address of the document that holds charts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


def look(browser: Browser, url: str, **context: Any) -> tuple[Page, list[str]]:
    """A new window with the helpers in it, and what its console says that is wrong."""
    size = {"width": 900, "height": 1000}
    page = browser.new_context(viewport=size, color_scheme="light", **context).new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(url)
    page.evaluate(HELPERS)
    return page, wrong


@pytest.fixture(scope="module")
def window(browser: Browser, charts_url: str) -> Iterator[tuple[Page, list[str]]]:
    page, wrong = look(browser, charts_url)
    yield page, wrong
    page.context.close()


@pytest.fixture
def stage(window: tuple[Page, list[str]]) -> Iterator[Page]:
    """The document, empty at first; nothing that a test does may be an error in the console."""
    page, wrong = window
    wrong.clear()
    yield page
    page.evaluate("() => clear()")
    assert not wrong, wrong
