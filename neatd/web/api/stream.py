"""`/api/stream`: what changes, as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import StreamingResponse

from neatd.errors import NeatError
from neatd.store.marks import MARKS
from neatd.store.since import cursor_of
from neatd.web.api.given import MANY, Names, Project, Words
from neatd.web.hub import Follower, Hub
from neatd.web.looking import Piece
from neatd.web.parts import page_of

router = APIRouter(tags=["live"])
TOPICS = frozenset({"runs", "events", *MARKS})


@router.get("/api/stream", response_class=StreamingResponse, summary="What changes, as server-sent events.")
async def stream(
    request: Request,
    run: Annotated[Words, Query(max_length=MANY, description="RUN~CURSOR; the cursor came with the points")] = (),
    name: Annotated[
        Names, Query(max_length=MANY, description="the series; none, or *, means all but the machine's")
    ] = (),
    topics: Annotated[str, Query(max_length=200, description=", ".join(sorted(TOPICS)))] = "",
    project: Project = None,
) -> StreamingResponse:
    """`hello`; `points`: appended points of a run; `rewritten`: read a run's points again; `runs`: runs that changed;
    `happened`: new events; `changed`: topics whose queries have other answers now; `behind`: read everything again."""
    hub = page_of(request).hub
    assert hub is not None  # it came with the API
    wanted = frozenset(one for one in topics.split(",") if one)
    if unknown := wanted - TOPICS:
        raise NeatError(f"topics: {sorted(unknown)[0]!r} is none", f"there are {', '.join(sorted(TOPICS))}")
    cursors = {}
    for one in run:
        run_id, _, text = one.partition("~")
        cursors[run_id] = cursor_of(text) if text else {}
    hub.check_room()
    follower = Follower(cursors, frozenset(name) or None, wanted, project)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_lines(hub, follower), media_type="text/event-stream", headers=headers)


async def _lines(hub: Hub, follower: Follower) -> AsyncIterator[bytes]:
    async with hub.followed(follower):
        async for piece in follower.pieces():
            yield _line(piece)


def _line(piece: Piece | None) -> bytes:
    return b": nothing new\n\n" if piece is None else f"event: {piece.event}\ndata: {piece.data}\n\n".encode()
