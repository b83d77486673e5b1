"""What the parts of the page share: the page that a request is asked of, and answers in the commands' JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from starlette.requests import Request

if TYPE_CHECKING:
    from neatd.web.page import Page


def page_of(request: Request) -> Page:
    """The page that is asked."""
    return cast("Page", request.app.state.page)
