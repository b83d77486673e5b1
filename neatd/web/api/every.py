"""All parts of the API."""

from __future__ import annotations

from fastapi import APIRouter

from neatd.web.api import (
    compare,
    events,
    ingest,
    knowledge,
    machine,
    maintenance,
    metrics,
    orders,
    overview,
    queue,
    retention,
    run,
    runs,
    series,
    stream,
    studies,
)

PARTS = (
    overview,
    runs,
    series,
    stream,
    run,
    events,
    queue,
    machine,
    compare,
    studies,
    knowledge,
    maintenance,
    retention,
    orders,
    ingest,
    metrics,
)

router = APIRouter()
for part in PARTS:
    router.include_router(part.router)
