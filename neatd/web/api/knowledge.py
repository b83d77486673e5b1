"""`/api/records`, `/api/search`, `/api/brief`: what is known, and what an assistant is told of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request

from neatd.errors import NeatError
from neatd.lifesign import not_watching
from neatd.pipeline.searching import LIMIT, check
from neatd.web.api.given import Id, Project, Word
from neatd.web.parts import page_of
from neatd.web.plain import Plain
from neatd.web.refusals import NotFoundError
from neatd.web.shapes_knowledge import BriefShape, HitShape, RecordPage, RecordShape

router = APIRouter(prefix="/api", tags=["knowledge"])
Kind = Annotated[Word | None, Query(description="as `neat list` names it; without it all kinds")]


@router.get("/records", summary="Records of a kind, or of all.", responses={200: {"model": list[RecordShape]}})
def records(
    request: Request,
    project: Project = None,
    kind: Kind = None,
    only_open: Annotated[bool, Query(alias="open")] = False,
    tag: Word | None = None,
    deleted: bool = False,
    limit: Annotated[int, Query(ge=1, le=100_000, description="of each kind and project")] = 500,
) -> Plain:
    """What `neat list --json` prints, newest first (tasks in their order), with what of it is unverified and the runs that
    it names. Hosts, ports and keys only where `neat allow addresses` says so."""
    from neatd.pipeline.recordlist import Asked
    from neatd.pipeline.recordshown import record_list

    stores = page_of(request).stores
    pair, now = stores.open(), datetime.now(UTC)
    asked = Asked(kind, only_open, tag, deleted)
    found = []
    for one in stores.projects() if project is None else [stores.project(project)]:
        found += record_list(pair.records, pair.points, one, stores.config(one), asked, now, limit)
    return Plain(found)


@router.get("/records/{word}", summary="One record.", responses={200: {"model": RecordPage}})
def record(request: Request, word: Id) -> Plain:
    """What `neat show --json` prints: its fields, links and history; and what it is tied to, by title."""
    from neatd.pipeline.recordshown import project_of, record_page

    stores = page_of(request).stores
    pair, now = stores.open(), datetime.now(UTC)
    try:
        own = project_of(pair.records, word)
        project = stores.project(own)
        return Plain(record_page(pair.records, pair.points, project, stores.config(project), word, now))
    except NeatError as error:
        raise NotFoundError(error.message, error.hint) from error


@router.get("/search", summary="Search the records.", responses={200: {"model": list[HitShape]}})
def found(
    request: Request,
    q: Annotated[
        Word, Query(description="words as prefixes, phrases in quotes, kind: status: tag: branch: since:")
    ] = "",
    project: Project = None,
    kind: Kind = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = LIMIT,
) -> Plain:
    """What `neat search --json` prints: the best hits first; filters alone list the newest."""
    from neatd.store.search import search

    check(q, kind)
    stores = page_of(request).stores
    project_id = stores.project(project).id if project is not None else None
    return Plain([hit._asdict() for hit in search(stores.open().records, q, project_id, kind, limit)])


@router.get("/brief", summary="Where things stand, as an assistant is told.", responses={200: {"model": BriefShape}})
def brief(
    request: Request, project: Project = None, budget: Annotated[int | None, Query(ge=200, le=1_000_000)] = None
) -> Plain:
    """What `neat brief` prints, to the byte, and its budget."""
    from neatd.pipeline.gathering import brief_text

    page = page_of(request)
    pair, one = page.stores.open(), page.stores.project(project)
    config = page.stores.config(one)
    text = brief_text(pair.records, pair.points, one, config, budget, not_watching(page.home))
    size, most = len(text.encode()), budget or config.brief.budget_bytes
    return Plain({"text": text, "bytes": size, "budget_bytes": most, "project": one.name, "project_id": one.id})
