"""The page's application: the guard, the shells, the files of the page, the API's parts, and errors as people can mend them."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from neatd import __version__
from neatd.errors import NeatError, StoreError
from neatd.web.api.every import router as api
from neatd.web.guard import App, Guard, TooLargeError
from neatd.web.hub import BusyError
from neatd.web.page import Page
from neatd.web.pages import router as pages
from neatd.web.plain import Plain
from neatd.web.stores import NotFoundError

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
        description="What `neat` prints with --json, for programs. Non-finite numbers are the strings NaN, Infinity and"
        " -Infinity; times are UTC.",
    )  # fmt: skip
    app.state.page = page
    app.include_router(api)
    app.include_router(pages)
    _tell_errors(app)
    return Guard(app, page.token, page.address, page.settings.page_hosts, page.heard)


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

    @app.exception_handler(NeatError)
    def mistaken(_: Request, error: NeatError) -> JSONResponse:
        return told(400, error.message, error.hint)

    @app.exception_handler(sqlite3.OperationalError)
    def busy(_: Request, error: sqlite3.OperationalError) -> JSONResponse:
        return told(503, f"the store does not answer: {error}", "try again; `neat doctor` tells more")

    @app.exception_handler(TooLargeError)
    def too_large(_: Request, error: TooLargeError) -> JSONResponse:
        return told(413, "the body is too large", "send less at a time")

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(one) for one in first["loc"])
        return told(422, f"{where}: {first['msg']}", "/openapi.json says what is taken")

    @app.exception_handler(HTTPException)
    def refused(_: Request, error: HTTPException) -> JSONResponse:
        hint = "/openapi.json lists what there is" if error.status_code == 404 else ""
        return JSONResponse({"error": str(error.detail), "hint": hint}, error.status_code, headers=error.headers)
