"""The page's own addresses: the shells of its views, its files, the charts' files of others, the daemon's word."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from neatd import __version__
from neatd.control import status
from neatd.files import data_path
from neatd.web.files import KINDS, STATIC, files, modules_of, stamp
from neatd.web.parts import page_of
from neatd.web.plain import Plain
from neatd.web.stores import NotFoundError
from neatd.web.vendor import FILES, vendor_file

router = APIRouter(include_in_schema=False)
_FOR_EVER = "public, max-age=31536000, immutable"  # the address holds what the file says

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


def _shell(script: str, title: str) -> Any:
    def shell(request: Request) -> HTMLResponse:
        page = page_of(request)
        token = page.token if request.state.is_same_user else ""
        text = (
            _templates()
            .get_template("shell.html.j2")
            .render(
                script=script,
                title=title,
                stamp=stamp(),
                token=token,
                version=__version__,
                boot=page.boot,
                modules=modules_of(script),
            )
        )
        return HTMLResponse(text)

    return shell


for path, (script, title) in VIEWS.items():
    router.add_api_route(path, _shell(script, title), methods=["GET", "HEAD"], response_class=HTMLResponse)


@router.get("/static/{stamped}/{name:path}")
def static(stamped: str, name: str) -> Response:
    """A file of the page."""
    found = files().get(name)
    if found is None:
        raise NotFoundError(f"no file {name[:100]!r}", "reload the page")
    headers = {"Cache-Control": _FOR_EVER if stamped == stamp() else "no-cache"}
    return FileResponse(found, media_type=KINDS[found.suffix], headers=headers)


@router.get("/vendor/{name}")
def vendor(name: str) -> Response:
    """A file of a charting library."""
    if name not in FILES:
        raise NotFoundError(f"no file {name[:100]!r}", "reload the page")
    kind = KINDS[Path(name).suffix]
    return FileResponse(vendor_file(name), media_type=kind, headers={"Cache-Control": "public, max-age=86400"})


@router.get("/favicon.ico")
def icon() -> Response:
    """The mark of the page."""
    return FileResponse(
        STATIC / "mark.svg", media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"}
    )


@router.get("/status.json")
def daemon_status(request: Request) -> Plain:
    """The daemon's own word, as `neatd status --json` has it."""
    return Plain(status(page_of(request).home))
