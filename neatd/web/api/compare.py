"""`/api/compare`: runs side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from neatd.errors import NeatError
from neatd.pipeline.sidebyside import side_by_side
from neatd.web.api.given import Words
from neatd.web.parts import page_of
from neatd.web.plain import Plain
from neatd.web.shapes_compare import ComparisonShape

router = APIRouter(prefix="/api", tags=["runs"])
MOST = 50  # runs beside one another


@router.get("/compare", summary="Runs side by side.", responses={200: {"model": ComparisonShape}})
def compare(
    request: Request,
    run: Annotated[Words, Query(min_length=1, max_length=MOST, description="runs of one project: ids or names")],
) -> Plain:
    """What `neat compare --json` prints; `same` are the parameters in which the runs do not differ, `changes` the code of
    each run. Differences are against the first one."""
    page = page_of(request)
    pair = page.stores.open()
    found = [page.stores.run(word) for word in dict.fromkeys(run)]
    if len({one.project_id for one in found}) > 1:
        raise NeatError("the runs are of several projects", "compare the runs of one project at a time")
    project = page.stores.project_of(found[0])
    ids = [one.id for one in found]
    return Plain(side_by_side(*pair, project, page.stores.config(project), ids, page.home))
