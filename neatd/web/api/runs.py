"""`/api/runs`: the list, and one run with all that is known of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from neatd.pipeline.showing import run_shapes, whole_detail
from neatd.store import runs
from neatd.web.api.given import Id, Project, Word
from neatd.web.parts import page_of
from neatd.web.plain import Plain
from neatd.web.shapes import RunDetail, RunShape

router = APIRouter(prefix="/api", tags=["runs"])


@router.get("/runs", summary="The runs, newest first.", responses={200: {"model": list[RunShape]}})
def run_list(
    request: Request,
    project: Project = None,
    filter_: Annotated[Word, Query(alias="filter", description="a part of a name, or a status")] = "",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
) -> Plain:
    """What `neat runs --json` prints: the newest, and all that go on."""
    stores = page_of(request).stores
    pair, shapes = stores.open(), []
    for one in stores.projects() if project is None else [stores.project(project)]:
        found, _ = runs.listed_runs(pair.records, one.id, filter_, limit)
        shapes += [{**shape, "project_id": one.id} for shape in run_shapes(pair.points, one, found)]
    shapes.sort(key=lambda shape: shape["started_at"], reverse=True)
    return Plain(shapes[:limit] if project is None else shapes)


@router.get("/runs/{word}", summary="One run.", responses={200: {"model": RunDetail}})
def run_detail(request: Request, word: Id) -> Plain:
    """What `neat run show --json` prints: series, checkpoints, events, configuration, code."""
    stores = page_of(request).stores
    run = stores.run(word)
    project = stores.project_of(run)
    pair = stores.open()
    found = whole_detail(pair.records, pair.points, project, stores.config(project), run)
    return Plain({**found, "project_id": project.id})
