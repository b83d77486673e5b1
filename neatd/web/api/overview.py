"""`/api/overview`, `/api/projects`, `/api/status`: a first look at the machine, and what the daemon says of itself."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request

from neatd.pipeline.runlist import primary_values
from neatd.store import standing
from neatd.web.api.given import Project
from neatd.web.parts import page_of
from neatd.web.plain import Plain
from neatd.web.shapes_overview import DaemonShape, OverviewShape, ProjectShape

router = APIRouter(prefix="/api", tags=["machine"])


@router.get("/overview", summary="What goes on now.", responses={200: {"model": OverviewShape}})
def overview_(request: Request, project: Project = None) -> Plain:
    """What runs and how it goes, what ended last, the queue, the last events, disks, memory, services, schedule, backups.
    Queue, memory, schedule and backups are the machine's, whatever the project."""
    from neatd.pipeline.overview import overview
    from neatd.pipeline.servicelist import service_list

    stores = page_of(request).stores
    pair, project_id = stores.open(), stores.project(project).id if project is not None else None
    found = overview(pair.records, pair.points, stores.home, datetime.now(UTC), project_id)
    going = found["running"]
    first = primary_values(pair.points, ((one["id"], one["project_id"]) for one in going), stores.primary)
    running = [{**one, "primary": first[one["id"]]} for one in going]
    return Plain({**found, "running": running, "services": service_list(pair.records, project_id)})


@router.get(
    "/projects",
    summary="The projects, those registered first before others.",
    responses={200: {"model": list[ProjectShape]}},
)
def projects(request: Request) -> Plain:
    """Each with the folders in which it stands, and its runs counted by status."""

    records = page_of(request).stores.open().records
    counted = standing.counts_by_project(records)
    return Plain([
        {"id": key, "name": name, "roots": list(roots),
         "runs": {status: count for (of, status), count in counted.items() if of == key}}
        for key, (name, roots) in standing.projects_of(records).items()
    ])  # fmt: skip


@router.get("/status", summary="The daemon's own word.", responses={200: {"model": DaemonShape}})
def status_(request: Request) -> Plain:
    """What `neatd status --json` prints."""
    from neatd.control import status

    return Plain(status(page_of(request).stores.home))
