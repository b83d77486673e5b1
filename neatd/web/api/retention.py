"""`/api/retention`: what would go and why the rest stays, what lies in the trash, and the requests that change either."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from neatd.models import Project as ProjectModel
from neatd.web.api.given import Project, Word
from neatd.web.asking import Asked, asked, ended
from neatd.web.parts import page_of
from neatd.web.plain import Plain
from neatd.web.shapes_maintenance import ApplyAsked, BatchesShape, PlanShape, UndoAsked

router = APIRouter(prefix="/api/retention", tags=["retention"])


@router.get("", summary="What would go, and why each file stays.", responses={200: {"model": list[PlanShape]}})
def plan(request: Request, project: Project = None, run: Word | None = None) -> Plain:
    """What `neat retention plan --json` prints, of the runs that have checkpoints."""
    from neatd.pipeline.planshown import plan_shape, plans

    stores = page_of(request).stores
    pair, found = stores.open(), []
    for one in stores.projects() if project is None and run is None else [_project(request, project, run)]:
        planned = plans(pair.records, pair.points, one, stores.config(one), run)
        shapes = [plan_shape(*each) for each in planned if each[1].keep or each[1].delete or each[1].note]
        found += [{**shape, "project_id": one.id} for shape in shapes]
    return Plain(found)


@router.get("/batches", summary="What lies in the trash.", responses={200: {"model": BatchesShape}})
def batches(request: Request, project: Project = None, limit: Annotated[int, Query(ge=1, le=10_000)] = 20) -> Plain:
    """The newest batches, how many are older, and the trash in all."""
    from neatd.pipeline.trashshown import batch_shapes

    stores = page_of(request).stores
    project_id = stores.project(project).id if project is not None else None
    return Plain(batch_shapes(stores.open().records, project_id, limit))


@router.post("/apply", summary="Move what the plan gives up into the trash.", status_code=202, responses=Asked)
def apply(request: Request, body: ApplyAsked) -> Plain:
    """What `neat retention apply` asks for, with its checks: more than half of a run's bytes needs `yes`."""
    from neatd.pipeline import applying

    stores = page_of(request).stores
    pair, project = stores.open(), _project(request, body.project, body.run)
    wanted = applying.thinning(pair.records, pair.points, project, stores.config(project), body.run)
    with stores.writing() as records:
        request_id = applying.ask(records, wanted, body.yes)
        return asked(records, request_id) if request_id else ended(applying.KIND, applying.NOTHING)


@router.post("/undo", summary="Bring a batch back from the trash.", status_code=202, responses=Asked)
def undo(request: Request, body: UndoAsked) -> Plain:
    """What `neat retention undo BATCH` asks for."""
    from neatd.pipeline import undoing

    stores = page_of(request).stores
    project_id = stores.project(body.project).id if body.project else None
    wanted = undoing.Wanted(body.batch)
    undoing.chosen(undoing.in_trash(stores.open().records, project_id), wanted)  # raises where there is no such batch
    with stores.writing() as records:
        return asked(records, undoing.ask(records, project_id, wanted))


def _project(request: Request, word: str | None, run: str | None) -> ProjectModel:
    stores = page_of(request).stores
    return stores.project_of(stores.run(run)) if word is None and run else stores.project(word)
