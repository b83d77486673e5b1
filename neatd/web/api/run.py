"""`/api/runs/…`: what happened around one run, its predictions, its checkpoints."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from fastapi import APIRouter, Request

from neatd.web.api.given import Id
from neatd.web.parts import page_of
from neatd.web.plain import Plain
from neatd.web.shapes_run import KeptCheckpoints, Predicted, Rail

router = APIRouter(prefix="/api/runs/{word}", tags=["runs"])


@router.get("/rail", summary="What happened around a run.", responses={200: {"model": Rail}})
def run_rail(request: Request, word: Id) -> Plain:
    """Checkpoints, evaluations, events, commits, restarts and records, in the order of their times."""
    from neatd.pipeline.rail import rail

    stores = page_of(request).stores
    run = stores.run(word)
    pair = stores.open()
    return Plain(rail(pair.records, pair.points, stores.project_of(run), run))


@router.get("/predictions", summary="A run's predictions.", responses={200: {"model": Predicted}})
def run_predictions(request: Request, word: Id) -> Plain:
    """How the accuracy of the last 20, the last 50 and all evaluations goes, and the predictions that look wrong."""
    from neatd.pipeline.suspects import prediction_rules, suspects
    from neatd.pipeline.trends import trends

    page = page_of(request)
    run = page.stores.run(word)
    project, points = page.stores.project_of(run), page.stores.open().points
    rules = prediction_rules(page.home, Path(project.root), project.id)
    found = suspects(points, run.id, rules, page.stores.config(project))
    return Plain({"trends": trends(points, run.id), "suspects": found})


@router.get("/checkpoints", summary="A run's checkpoints.", responses={200: {"model": KeptCheckpoints}})
def run_checkpoints(request: Request, word: Id) -> Plain:
    """Each with the reasons for which it is kept, or why it would go or went. Nothing is changed."""
    from neatd.pipeline.kept import kept_checkpoints

    stores = page_of(request).stores
    run = stores.run(word)
    pair = stores.open()
    config = stores.config(stores.project_of(run))
    return Plain(kept_checkpoints(pair.records, pair.points, run, config, datetime.now(UTC)))
