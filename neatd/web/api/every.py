"""All parts of the API."""

from __future__ import annotations

from fastapi import APIRouter

from neatd.web.api import runs, series, stream

router = APIRouter()
for part in (runs, series, stream):
    router.include_router(part.router)
