"""`/api/schedule`, `/api/backups`, `/api/doctor`, `/api/consents`, `/api/maintain`: upkeep."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from fastapi import APIRouter, Request

from neatd.web.api.given import Project
from neatd.web.asking import Asked, asked
from neatd.web.parts import page_of
from neatd.web.plain import Plain
from neatd.web.shapes_maintenance import BackupShape, ConsentShape, FindingShape, MaintainAsked, ScheduledShape

router = APIRouter(prefix="/api", tags=["maintenance"])
FRESH_S = 5.0  # an examination reads whole databases: tabs that ask at once have one between them
_one_at_a_time = threading.Lock()
_examined: dict[tuple[Path, Path | None], tuple[float, list[dict[str, object]]]] = {}


@router.get("/schedule", summary="The scheduled maintenance.", responses={200: {"model": list[ScheduledShape]}})
def schedule(request: Request) -> Plain:
    """What `neat schedule --json` prints."""
    from neatd.pipeline.upkeep.shown import schedule_shapes

    page = page_of(request)
    return Plain(schedule_shapes(page.stores.open().records, page.home, datetime.now(UTC)))


@router.get("/backups", summary="The backups of the records.", responses={200: {"model": list[BackupShape]}})
def backups(request: Request) -> Plain:
    """The newest first."""
    from neatd.pipeline.backups import backup_shapes

    return Plain(backup_shapes(page_of(request).home, datetime.now(UTC)))


@router.get("/consents", summary="What neat is allowed.", responses={200: {"model": list[ConsentShape]}})
def consents(request: Request, project: Project = None) -> Plain:
    """What `neat allow` shows of a project's folder, and what to type to change it: no request changes it."""
    from neatd.pipeline.consents import consent_shapes

    stores = page_of(request).stores
    return Plain(consent_shapes(stores.open().records, Path(stores.project(project).root)))


@router.get("/doctor", summary="Examine the installation.", responses={200: {"model": list[FindingShape]}})
def doctor(request: Request, project: Project = None) -> Plain:
    """What `neat doctor --json` prints, of a project with its folder. Takes seconds where the databases are large."""
    from neatd.pipeline.doctor.examining import examine
    from neatd.service.checks import service_checks

    page = page_of(request)
    root = Path(page.stores.project(project).root) if project is not None or len(page.stores.projects()) == 1 else None
    with _one_at_a_time:
        at, found = _examined.get((page.home, root), (0.0, []))
        if not found or time.monotonic() - at > FRESH_S:
            found = [one.shape for one in examine(page.home, root, service_checks(page.home))]
            _examined[page.home, root] = (time.monotonic(), found)
    return Plain(found)


@router.post("/maintain", summary="Run a job of maintenance now.", status_code=202, responses=Asked)
def maintain(request: Request, body: MaintainAsked) -> Plain:
    """What `neat maintain JOB` asks for. Its result has the job's own `status`: done, failed, interrupted."""
    from neatd.pipeline.upkeep.asked import ask

    page = page_of(request)
    with page.stores.writing() as records:
        return asked(records, ask(records, page.home, body.job))
