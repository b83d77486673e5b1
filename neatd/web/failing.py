"""What went wrong, as an answer: {error, hint} with the status that says whose mistake it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from neatd.errors import NeatError, StoreError
from neatd.web.limits import TooLargeError
from neatd.web.refusals import BusyError, NotFoundError


def told(code: int, message: str, hint: str) -> JSONResponse:
    """The answer of a failure."""
    return JSONResponse({"error": message, "hint": hint}, code)


def _by(code: int) -> Callable[[Request, Any], JSONResponse]:
    return lambda _, error: told(code, error.message, error.hint)


def _busy(_: Request, error: Any) -> JSONResponse:
    return told(503, f"the store does not answer: {error}", "try again; `neat doctor` tells more")


def _failed(_: Request, error: Any) -> JSONResponse:
    hint = "logs/page.log in neat's home tells where; `neatd restart` starts it anew"
    return told(500, "the page failed at this", hint)


def refused(_: Request, error: Any) -> JSONResponse:
    """What an address or a method that is not there is answered."""
    hint = "/openapi.json lists what there is" if error.status_code == 404 else ""
    return JSONResponse({"error": str(error.detail), "hint": hint}, error.status_code, headers=error.headers)


HANDLERS: dict[Any, Any] = {  # by the exception, or the status
    NotFoundError: _by(404),
    StoreError: _by(503),
    BusyError: _by(429),
    NeatError: _by(400),
    sqlite3.OperationalError: _busy,
    TooLargeError: lambda _, error: told(413, error.detail, "send less at a time"),
    ClientDisconnect: lambda _, error: told(400, "the body ended early", "send it again"),
    HTTPException: refused,
    500: _failed,
}
