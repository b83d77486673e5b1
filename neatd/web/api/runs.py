"""`/api/runs`: the list, and one run with all that is known of it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from neatd.pipeline.runlist import run_list
from neatd.pipeline.showing import whole_detail
from neatd.web.api.given import STEP, Id, Project, Word
from neatd.web.parts import page_of
from neatd.web.plain import Plain
from neatd.web.shapes import RunDetail
from neatd.web.shapes_overview import ListedRun

router = APIRouter(prefix="/api", tags=["runs"])
Order = Literal[
    "started", "-started", "name", "-name", "status", "-status", "ended", "-ended", "step", "-step", "value", "-value", "best",
    "-best",
]  # fmt: skip
_ORDER = (
    "a minus turns it around; value and best are of the run's primary series, the best first; runs without are last"
)


@router.get("/runs", summary="The runs, newest first.", responses={200: {"model": list[ListedRun]}})
def run_list_(
    request: Request,
    project: Project = None,
    filter_: Annotated[Word, Query(alias="filter", description="as `neat runs FILTER` takes it")] = "",
    order: Annotated[Order, Query(description=_ORDER)] = "-started",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    offset: Annotated[int, Query(ge=0, le=STEP)] = 0,
) -> Plain:
    """What `neat runs --json` prints, a page at a time; the header X-Total-Count says how many there are."""
    stores = page_of(request).stores
    pair, project_id = stores.open(), stores.project(project).id if project is not None else None
    shapes, total = run_list(pair.records, pair.points, stores.primary, project_id, filter_, order, limit, offset)
    return Plain(shapes, headers={"X-Total-Count": str(total)})


@router.get("/runs/{word}", summary="One run.", responses={200: {"model": RunDetail}})
def run_detail(
    request: Request,
    word: Id,
    events: Annotated[int | None, Query(ge=0, le=10_000, description="at most so many, the newest; else all")] = None,
) -> Plain:
    """What `neat run show --json` prints: series, checkpoints, events, configuration, code."""
    stores = page_of(request).stores
    run = stores.run(word)
    project = stores.project_of(run)
    pair = stores.open()
    config = stores.config(project)
    found = whole_detail(pair.records, pair.points, project, config, run, events)
    return Plain({**found, "project_id": project.id, "primary": config.primary})
