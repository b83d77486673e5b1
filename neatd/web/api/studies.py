"""`/api/studies`: the studies, how one stands, its trials, and what it showed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from neatd.errors import NeatError
from neatd.models import Study
from neatd.redact import redact_value
from neatd.store import studies
from neatd.web.api.given import Id, Project
from neatd.web.parts import page_of
from neatd.web.plain import Plain
from neatd.web.refusals import NotFoundError
from neatd.web.shapes_studies import AnalysisShape, StudyDetail, StudyShape, TrialShape
from neatd.web.stores import Stores

router = APIRouter(prefix="/api", tags=["studies"])
MOST_KEPT = 20  # analyses: of a study whose trials have not changed it is not made again
_kept: dict[str, tuple[Any, dict[str, Any]]] = {}


def _study(stores: Stores, word: str, project: str | None) -> Study:
    """The study of an id, its beginning, or a name. Raises NotFoundError."""
    records, found = stores.open().records, []
    for one in stores.projects() if project is None else [stores.project(project)]:
        known = studies.studies(records, one.id)
        found += [each for each in known if word == each.id] or [each for each in known if word == each.name]
        found += [each for each in known if each.id.startswith(word)] if not found else []
    if not found:
        raise NotFoundError(f"no study is called {word[:100]!r}", "`neat study list` shows them")
    if len(found) > 1:
        raise NeatError(f"several studies are called {word!r}", "name one by its id: `neat study list` shows them")
    return found[0]


@router.get("/studies", summary="The studies, newest first.", responses={200: {"model": list[StudyShape]}})
def study_list(request: Request, project: Project = None) -> Plain:
    """What `neat study list --json` prints."""
    from neatd.pipeline.studyshown import study_shapes

    stores = page_of(request).stores
    records, shapes = stores.open().records, []
    for one in stores.projects() if project is None else [stores.project(project)]:
        shapes += [{**shape, "project": one.name, "project_id": one.id} for shape in study_shapes(records, one.id)]
    return Plain(sorted(shapes, key=lambda shape: shape["created_at"], reverse=True))


@router.get("/studies/{word}", summary="One study.", responses={200: {"model": StudyDetail}})
def study_detail(request: Request, word: Id, project: Project = None) -> Plain:
    """What `neat study status --json` prints, and what stood in the study's file."""
    from neatd.pipeline.studyshown import as_object, shown

    stores = page_of(request).stores
    found = _study(stores, word, project)
    stands = as_object(shown(stores.open().records, found))
    return Plain({**stands, "project_id": found.project_id, "spec": redact_value(found.spec)})


@router.get("/studies/{word}/trials", summary="A study's trials.", responses={200: {"model": list[TrialShape]}})
def study_trial_list(request: Request, word: Id, project: Project = None) -> Plain:
    """The trials, each as it ended the last time, with their runs."""
    from neatd.pipeline.studyanalysed import study_trials

    stores = page_of(request).stores
    return Plain(study_trials(*stores.open(), _study(stores, word, project)))


@router.get("/studies/{word}/analysis", summary="What a study showed.", responses={200: {"model": AnalysisShape}})
def study_shown(request: Request, word: Id, project: Project = None) -> Plain:
    """What `neat study analyze --json` prints: by each parameter, in pairs, importances, what the best have in common."""
    from neatd.pipeline.studyanalysed import study_analysis

    stores = page_of(request).stores
    pair, found = stores.open(), _study(stores, word, project)
    mark = (found.updated_at, sorted(studies.counts(pair.records, found.id).items()))
    known = _kept.get(found.id)
    if known is None or known[0] != mark:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        known = _kept[found.id] = (mark, study_analysis(*pair, found))
    return Plain(known[1])
