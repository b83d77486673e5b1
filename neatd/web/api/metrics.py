"""`/metrics`: this machine and its runs, for Prometheus."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from neatd.web.parts import page_of

router = APIRouter(tags=["machine"])


@router.get("/metrics", summary="The state of this machine, for Prometheus.", response_class=PlainTextResponse)
def metrics(request: Request) -> Response:
    """In the text format 0.0.4. Prometheus shows the page's token: `authorization: {credentials_file: ...}`."""
    from neatd.pipeline.exposition import CONTENT_TYPE, exposition

    page = page_of(request)
    pair = page.stores.open()
    return Response(exposition(pair.records, pair.points, page.home, datetime.now(UTC)), media_type=CONTENT_TYPE)
