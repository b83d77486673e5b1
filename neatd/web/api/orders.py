"""`/api/requests/{id}`: what became of what was asked for. `/api/jobs/{id}/stop`: the end of a job."""

from __future__ import annotations

from fastapi import APIRouter, Body, Request

from neatd.errors import NeatError
from neatd.models import Job
from neatd.store import jobs, requests
from neatd.store.short import resolve_in
from neatd.web.api.given import Id
from neatd.web.asking import Asked, asked, ended, request_shape
from neatd.web.parts import page_of
from neatd.web.plain import Plain
from neatd.web.refusals import NotFoundError
from neatd.web.shapes_maintenance import RequestShape, StopAsked
from neatd.web.stores import Stores
from neatd.who import PERSON

_LEAST = 4  # characters of the beginning of a job's id

router = APIRouter(prefix="/api", tags=["requests"])


@router.get("/requests/{word}", summary="What became of a request.", responses={200: {"model": RequestShape}})
def request_(request: Request, word: Id) -> Plain:
    """pending and running while neatd has not ended it; done and failed have their result."""
    records = page_of(request).stores.open().records
    found = requests.find_request(records, word)
    if found is None:
        raise NotFoundError(f"no request {word!r}", "its whole id came with the answer to the POST")
    return Plain(request_shape(records, found))


@router.post("/jobs/{word}/stop", summary="End a job.", status_code=202, responses=Asked)
def stop(request: Request, word: Id, body: StopAsked = Body(default=StopAsked())) -> Plain:  # noqa: B008
    """What `neat stop` asks for: a job that waits is cancelled, one that runs gets INT, TERM, KILL."""
    from neatd.pipeline import stopjob

    page = page_of(request)
    job = _job(page.stores, word)
    with page.stores.writing() as records:
        request_id = stopjob.ask(records, page.home, job, job.project_id, f"a {PERSON}", body.force)
        return asked(records, request_id) if request_id else ended(stopjob.KIND, stopjob.CANCELLED)


def _job(stores: Stores, word: str) -> Job:
    """By its id, whole or its beginning: a name may be of several projects."""
    records = stores.open().records
    try:
        if not word.startswith("j-") or len(word) < _LEAST:
            raise NeatError(f"{word!r} is no job's id", "")
        return jobs.get_job(records, resolve_in(records, "job", word))
    except NeatError as error:
        raise NotFoundError(error.message, "`neat queue --all` shows the jobs") from error
