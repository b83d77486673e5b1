"""`/api/memory_stats`: the machine's memory now, and the risk that it runs out."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request

from neatd.web.parts import page_of
from neatd.web.plain import Plain
from neatd.web.shapes_overview import MemoryShape

router = APIRouter(prefix="/api", tags=["machine"])


@router.get("/memory_stats", summary="The machine's memory.", responses={200: {"model": MemoryShape}})
def memory_stats_(request: Request) -> Plain:
    """System RAM and swap, what training processes hold of it, and the risk of running out: LOW, MEDIUM, HIGH."""
    from neatd.pipeline.memorystats import memory_stats

    stores = page_of(request).stores
    pair = stores.open()
    return Plain(memory_stats(stores.home, pair.records, pair.points, datetime.now(UTC)))
