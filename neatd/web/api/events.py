"""`/api/events`: what happened, newest first."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from neatd.errors import NeatError
from neatd.web.api.given import Project, Word
from neatd.web.parts import page_of
from neatd.web.plain import Plain
from neatd.web.refusals import NotFoundError
from neatd.web.shapes_overview import EventShape

router = APIRouter(prefix="/api", tags=["events"])


@router.get("/events", summary="Events, newest first.", responses={200: {"model": list[EventShape]}})
def events(
    request: Request,
    project: Project = None,
    run: Annotated[Word | None, Query(description="only this run's: an id or a name")] = None,
    severity: Annotated[Literal["info", "warning", "critical"], Query(description="this or graver")] = "info",
    since: Annotated[Word | None, Query(description="only those written after this event: its id")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
) -> Plain:
    """What `neat events --json` prints, each with `run_name`, `project` and `written_at`."""
    from neatd.pipeline.eventlist import event_rows

    stores = page_of(request).stores
    project_id = stores.project(project).id if project is not None else None
    run_id = stores.run(run, project_id).id if run is not None else None
    try:
        return Plain(event_rows(stores.open().records, project_id, run_id, severity, since, limit))
    except NeatError as error:  # only `since` is looked up there
        raise NotFoundError(error.message, error.hint) from error
