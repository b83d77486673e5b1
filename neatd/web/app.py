"""The page's application: the guard, the shells, the files of the page, the API's parts, and errors as people can mend them."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from neatd import __version__
from neatd.errors import NeatError, StoreError
from neatd.pipeline.ingestbody import RefusedError
from neatd.web.api.every import router as api
from neatd.web.guard import Guard
from neatd.web.hub import BusyError
from neatd.web.lately import Lately
from neatd.web.limits import App, TooLargeError
from neatd.web.page import Page
from neatd.web.pages import router as pages
from neatd.web.plain import Plain
from neatd.web.shapes import Told
from neatd.web.stores import NotFoundError

FAILURES: dict[int | str, dict[str, Any]] = {
    code: {"model": Told, "description": text}
    for code, text in (
        (400, "What was asked makes no sense."), (401, "A token is missing, or is not the one."),
        (403, "Another page asks, or by another name."), (404, "There is no such thing."),
        (413, "Too much at once."), (422, "A parameter is not what it should be."), (429, "Too many ask, or too often."),
        (503, "The store does not answer."),
    )
}  # fmt: skip
THREADS = 6  # that answer: each has its own two connections


def make_app(page: Page) -> App:
    """The whole application behind its guard."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        page.hub.open()
        yield
        page.hub.close()

    app = FastAPI(
        title="neat", version=__version__, docs_url=None, redoc_url=None, lifespan=life, default_response_class=Plain,
        redirect_slashes=False, responses=FAILURES,
        description="What `neat` prints with --json, for programs. Non-finite numbers are the strings NaN, Infinity and"
        " -Infinity; times are UTC.",
    )  # fmt: skip
    app.state.page = page
    app.include_router(api)
    app.include_router(pages)
    _tell_errors(app)
    lately = Lately(app)
    page.hub.on_news = lately.forget
    return Guard(lately, lambda: page.token, page.address, page.settings.page_hosts, page.heard)


def _tell_errors(app: FastAPI) -> None:
    def told(code: int, message: str, hint: str) -> JSONResponse:
        return JSONResponse({"error": message, "hint": hint}, code)

    @app.exception_handler(NotFoundError)
    def not_found(_: Request, error: NotFoundError) -> JSONResponse:
        return told(404, error.message, error.hint)

    @app.exception_handler(StoreError)
    def unreadable(_: Request, error: StoreError) -> JSONResponse:
        return told(503, error.message, error.hint)

    @app.exception_handler(BusyError)
    def full(_: Request, error: BusyError) -> JSONResponse:
        return told(429, error.message, error.hint)

    @app.exception_handler(RefusedError)
    def not_taken(_: Request, error: RefusedError) -> JSONResponse:
        return told(error.status, error.message, error.hint)

    @app.exception_handler(ClientDisconnect)
    def gone(_: Request, error: ClientDisconnect) -> JSONResponse:
        return told(400, "the body ended early", "send it again")

    @app.exception_handler(NeatError)
    def mistaken(_: Request, error: NeatError) -> JSONResponse:
        return told(400, error.message, error.hint)

    @app.exception_handler(sqlite3.OperationalError)
    def busy(_: Request, error: sqlite3.OperationalError) -> JSONResponse:
        return told(503, f"the store does not answer: {error}", "try again; `neat doctor` tells more")

    @app.exception_handler(TooLargeError)
    def too_large(_: Request, error: TooLargeError) -> JSONResponse:
        return told(413, error.detail, "send less at a time")

    @app.exception_handler(500)
    def failed(_: Request, error: Exception) -> JSONResponse:
        return told(
            500, "the page failed at this", "logs/page.log in neat's home tells where; `neatd restart` starts it anew"
        )

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(one) for one in first["loc"])
        return told(422, f"{where}: {first['msg']}", "/openapi.json says what is taken")

    @app.exception_handler(HTTPException)
    def refused(_: Request, error: HTTPException) -> JSONResponse:
        hint = "/openapi.json lists what there is" if error.status_code == 404 else ""
        return JSONResponse({"error": str(error.detail), "hint": hint}, error.status_code, headers=error.headers)
