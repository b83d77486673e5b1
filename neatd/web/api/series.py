"""`/api/series`: points for charts, of many runs at once."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from neatd.errors import NeatError
from neatd.models import Run
from neatd.pipeline.charted import charted
from neatd.web.api.given import MANY, Names, Step, Words
from neatd.web.parts import page_of
from neatd.web.plain import points_json
from neatd.web.refusals import NotFoundError
from neatd.web.shapes import SeriesAnswer

router = APIRouter(tags=["runs"])
MOST_POINTS = 20_000  # of one series
MOST_ALL = 1_000_000  # of one answer


@router.get(
    "/api/series", summary="Points for charts.", responses={200: {"model": SeriesAnswer}}, response_class=Response
)
def series(
    request: Request,
    run: Annotated[Words, Query(min_length=1, max_length=MANY, description="runs: ids or names")],
    name: Annotated[Names, Query(min_length=1, max_length=MANY, description="names of series")],
    points: Annotated[int, Query(ge=8, le=MOST_POINTS, description="of each series, about")] = 1000,
    first: Annotated[Step, Query(alias="from")] = None,
    last: Annotated[Step, Query(alias="to")] = None,
) -> Response:
    """Series of the current attempt, each with at most about `points` points: of each stretch the first, the last and the
    extreme ones, and one of each stretch of values that are not finite. `cursor` is where `/api/stream` goes on."""
    if len(run) * len(name) * points > MOST_ALL:
        raise NeatError(f"{len(run)} x {len(name)} series of {points} points are too many at once", "ask for fewer")
    stores, missing = page_of(request).stores, []
    found: list[Run] = []
    for word in dict.fromkeys(run):
        try:
            found.append(stores.run(word))
        except NotFoundError:
            missing.append(word)
    answer = charted(stores.open().points, found, name, points, first, last)
    for one in answer.values():
        one["started_at"] = one["started_at"].isoformat()
        for drawn in one["series"].values():
            drawn["points"] = points_json(drawn["points"])
            drawn["abandoned"] = [points_json(rows) for rows in drawn["abandoned"]]
    return Response(orjson.dumps({"runs": answer, "missing": missing}), media_type="application/json")
