"""`/api/queue` and `/api/devices`: what runs and what waits on this machine, and what it has for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from neatd.web.api.given import Project, Word
from neatd.web.parts import page_of
from neatd.web.plain import Plain
from neatd.web.shapes_overview import DeviceShape, JobShape, QueueShape

router = APIRouter(prefix="/api", tags=["machine"])
Most = Annotated[int, Query(ge=1, le=10_000, description="of each kind: running, waiting, ended")]


@router.get(
    "/queue", summary="The queue, in its order.", responses={200: {"model": list[JobShape]}}, response_class=Response
)
def queue(
    request: Request,
    is_all: Annotated[bool, Query(alias="all", description="also what has ended, newest first")] = False,
    group: Annotated[Word | None, Query(description="only the jobs of this group")] = None,
    limit: Most = 1000,
) -> Response:
    """What `neat queue --json` prints: each job with why it waits, and when it is likely to begin and to end."""
    from neatd.pipeline.queueshown import queue_objects

    stores = page_of(request).stores
    objects = queue_objects(stores.open().records, stores.home, datetime.now(UTC), is_all, limit, group)
    return Response(f"[{', '.join(objects)}]".encode("utf-8", "replace"), media_type="application/json")


@router.get("/queue/summary", summary="The queue in short.", responses={200: {"model": QueueShape}})
def summary(request: Request, project: Project = None, limit: Annotated[int, Query(ge=1, le=100)] = 10) -> Plain:
    """What runs, the first that wait, how many there are, and pauses: as `/api/overview` has it."""
    from neatd.pipeline.overview import queue_overview

    stores = page_of(request).stores
    project_id = stores.project(project).id if project is not None else None
    return Plain(queue_overview(stores.open().records, stores.home, datetime.now(UTC), project_id, limit))


@router.get("/devices", summary="The machine's devices.", responses={200: {"model": list[DeviceShape]}})
def devices(request: Request) -> Plain:
    """What `neat queue --devices --json` prints: what is free, and which job holds what of it."""
    from neatd.pipeline.devicesshown import device_shapes

    stores = page_of(request).stores
    return Plain(device_shapes(stores.open().records, stores.home, datetime.now(UTC)))
