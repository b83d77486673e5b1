"""The page's own addresses: the shells of its views, its files, the charts' files of others, the daemon's word."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from neatd import __version__
from neatd.files import data_path
from neatd.web.failing import HANDLERS, refused
from neatd.web.files import KINDS, STATIC, files, modules_of, stamp
from neatd.web.parts import page_of
from neatd.web.refusals import NotFoundError
from neatd.web.vendor import FILES, vendor_file

_FOR_EVER = "public, max-age=31536000, immutable"  # the address holds what the file says
_A_DAY = "public, max-age=86400"

# Path -> (the script that fills it, its title).
VIEWS = {
    "/": ("overview", "Overview"),
    "/runs": ("runs", "Runs"),
    "/runs/{word:path}": ("run", "Run"),
    "/compare": ("compare", "Compare"),
    "/studies": ("studies", "Studies"),
    "/studies/{word}": ("study", "Study"),
    "/knowledge": ("knowledge", "Knowledge"),
    "/maintenance": ("maintenance", "Maintenance"),
}


@cache
def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(data_path("templates") / "page")
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)


def routes() -> list[Route]:
    """The addresses of the page that hold no data."""
    shells = [Route(path, _shell(script, title)) for path, (script, title) in VIEWS.items()]
    return [
        *shells,
        Route("/static/{stamped}/{name:path}", static),
        Route("/vendor/{name}", vendor),
        Route("/favicon.ico", icon),
        Route("/status.json", daemon_status),
    ]


def _shell(script: str, title: str) -> Any:
    def shell(request: Request) -> HTMLResponse:
        return HTMLResponse(_text(request, script, title, page_of(request).token if request.state.is_same_user else ""))

    return shell


def _text(request: Request, script: str, title: str, token: str) -> str:
    template = _templates().get_template("shell.html.j2")
    return template.render(
        script=script, title=title, stamp=stamp(), token=token, version=__version__, boot=page_of(request).boot,
        modules=modules_of(script),
    )  # fmt: skip


def _no_page(request: Request, error: Any) -> Response:
    """For a browser a page that leads home; for others what went wrong, as everywhere."""
    if "text/html" not in request.headers.get("accept", ""):
        return refused(request, error)
    return HTMLResponse(_text(request, "missing", "No such page", ""), 404)


SHELL_HANDLERS = {**HANDLERS, 404: _no_page}


async def static(request: Request) -> Response:
    """A file of the page."""
    stamped, name = request.path_params["stamped"], request.path_params["name"]
    found = files().get(name)
    if found is None:
        raise NotFoundError(f"no file {name[:100]!r}", "reload the page")
    return _file(found, _FOR_EVER if stamped == stamp() else "no-cache")


async def vendor(request: Request) -> Response:
    """A file of a charting library."""
    name = request.path_params["name"]
    if name not in FILES:
        raise NotFoundError(f"no file {name[:100]!r}", "reload the page")
    return _file(vendor_file(name), _A_DAY)


async def icon(_: Request) -> Response:
    """The mark of the page."""
    return _file(STATIC / "mark.svg", _A_DAY)


def _file(path: Path, kept: str) -> Response:
    return Response(_content(path), media_type=KINDS[path.suffix], headers={"Cache-Control": kept})


@cache
def _content(path: Path) -> bytes:
    """A file of the page: a view asks for fifty of them at once, and each is small."""
    return path.read_bytes()


def daemon_status(request: Request) -> JSONResponse:
    """The daemon's own word, as `neatd status --json` has it."""
    from neatd.control import status

    return JSONResponse(status(page_of(request).home))
