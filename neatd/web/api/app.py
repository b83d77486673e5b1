"""The API as an application: its parts, what it says of itself in /openapi.json, and its own mistakes."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from neatd import __version__
from neatd.pipeline.ingestbody import RefusedError
from neatd.web.api.every import router
from neatd.web.failing import HANDLERS, told
from neatd.web.hub import Hub
from neatd.web.page import Page
from neatd.web.plain import Plain
from neatd.web.shapes import Told

FAILURES: dict[int | str, dict[str, Any]] = {
    code: {"model": Told, "description": text}
    for code, text in (
        (400, "What was asked makes no sense."), (401, "A token is missing, or is not the one."),
        (403, "Another page asks, or by another name."), (404, "There is no such thing."),
        (413, "Too much at once."), (422, "A parameter is not what it should be."), (429, "Too many ask, or too often."),
        (503, "The store does not answer."),
    )
}  # fmt: skip


def make_api(page: Page) -> FastAPI:
    """The API of a page, which has who follows its store from then on."""
    page.hub = Hub(page.stores, page.boot)
    app = FastAPI(
        title="neat", version=__version__, docs_url=None, redoc_url=None, default_response_class=Plain,
        redirect_slashes=False, responses=FAILURES, exception_handlers=_HANDLERS,
        description="What `neat` prints with --json, for programs. Non-finite numbers are the strings NaN, Infinity and"
        " -Infinity; times are UTC.",
    )  # fmt: skip
    app.state.page = page
    app.include_router(router)
    return app


def _not_taken(_: Request, error: Any) -> JSONResponse:
    return told(error.status, error.message, error.hint)


def _invalid(_: Request, error: Any) -> JSONResponse:
    first = error.errors()[0]
    where = ".".join(str(one) for one in first["loc"])
    return told(422, f"{where}: {first['msg']}", "/openapi.json says what is taken")


_HANDLERS: dict[Any, Any] = {**HANDLERS, RefusedError: _not_taken, RequestValidationError: _invalid}
