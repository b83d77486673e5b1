"""A job carried out where no daemon runs, in this process and under the daemon's lock."""

from __future__ import annotations

from collections.abc import Callable

from neatd.errors import StoreError
from neatd.models import Maintenance
from neatd.pipeline.scene import Scene
from neatd.pipeline.upkeep.beside import FAILURES, failed
from neatd.pipeline.upkeep.keeper import Upkeep
from neatd.pipeline.upkeep.scheduled import find_job
from neatd.pipeline.upkeep.table import steps_of
from neatd.pipeline.upkeep.work import Outcome
from neatd.store import maintenance
from neatd.store.short import new_id


def run_here(scene: Scene, name: str, tell: Callable[[str], None]) -> Maintenance:
    """Run a job to its end; returns its row. Ended by Ctrl-C it is interrupted, and what it moved is in the journal."""
    maintenance.settle_interrupted(scene.records)
    job = find_job(scene.home, name)
    run_id = new_id("request")
    maintenance.begin(scene.records, run_id, name, "asked")
    outcome, status = Outcome("ended by hand"), "interrupted"
    steps = steps_of(Upkeep(scene).work(job, scene.records, scene.points))
    try:
        while True:
            tell(next(steps))
    except StopIteration as end:
        outcome = end.value
        status = "failed" if outcome.is_bad else "done"
    except FAILURES as error:
        outcome, status = failed(error), "failed"
        if isinstance(error, StoreError):
            raise
    finally:
        steps.close()
        maintenance.end(scene.records, run_id, name, status, outcome.summary, outcome.details)
    row = maintenance.get(scene.records, run_id)
    assert row is not None
    return row
