"""`/api/ingest`: lines of machines that share no disk. Each has a token of its own, which opens nothing else."""

from __future__ import annotations

import time
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request

from neatd.pipeline.ingestbody import RefusedError
from neatd.pipeline.ingesting import Taken, known_sender, take
from neatd.web.api.given import Word
from neatd.web.page import Page
from neatd.web.parts import page_of
from neatd.web.plain import Plain
from neatd.web.shapes import Told
from neatd.web.shapes_ingest import TakenShape

router = APIRouter(prefix="/api", tags=["ingest"])
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
        "description": "A JSON object a line: id, step, numbers by name; or one JSON array of them.",
    }
}
_FULL: dict[int | str, dict[str, Any]] = {409: {"model": Told, "description": "The project is elsewhere."},
         507: {"model": Told, "description": "The disk is full."}}  # fmt: skip


@router.post(
    "/ingest",
    summary="Lines of a machine that shares no disk.",
    responses={200: {"model": TakenShape}, **_FULL},
    openapi_extra=_BODY,
)
async def ingest(request: Request, run: Annotated[Word, Query(min_length=1, description="the run's name")]) -> Plain:
    """With `Authorization: Bearer TOKEN` of `neat ingest add`. Lines are on the disk when the answer comes, and an id is
    taken once: where no answer came, send the same again."""
    page, token = page_of(request), _token(request)
    await run_sync(_check, page, token, request.client.host if request.client else "")
    body = await request.body()  # of nobody unknown: it may be large
    taken = await run_sync(take, page.home, token, run, body)
    return Plain(_shape(taken))


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _check(page: Page, token: str, address: str) -> None:
    """Raises RefusedError for a token that does not hold, and for who comes too often."""
    now = time.monotonic()
    try:
        sender = known_sender(page.stores.open().records, token)
    except RefusedError:
        if not page.wrong_senders.takes(address, now):
            raise RefusedError(429, "too many wrong tokens", "wait a minute") from None
        raise
    if not page.senders.takes(sender.hash, now):
        raise RefusedError(429, f"{sender.machine} sends too often", "send more lines in each request")


def _shape(taken: Taken) -> dict[str, object]:
    return {
        "run": taken.run, "lines": taken.lines, "new": taken.new, "doubled": taken.doubled, "config": taken.has_config,
        "refused": [{"line": one.line, "reason": one.reason} for one in taken.refused],
    }  # fmt: skip
