"""What an event stands on besides its numbers: the last examples, and what is other than in the last good run."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from neatd.models import Event, Run
from neatd.pipeline.scene import Scene
from neatd.read.gitcode import difference
from neatd.redact_own import compile_patterns, redact_value_with
from neatd.rules.commandline import flat
from neatd.store import events, predicted, runs

MOST_EXAMPLES = 5
MOST_PARAMETERS = 20


def explain(scene: Scene, event: Event) -> Event:
    """The event with `examples` (the last wrong answers up to it) and `against` (parameters and code against the last good
    run) in its details, where they are known. Written into it once: what it has already stays."""
    if event.run_id is None:
        return event
    run = runs.get_run(scene.records, event.run_id)
    more: dict[str, Any] = {}
    if "examples" not in event.details:
        examples = predicted.last_wrong(scene.points, run.id, event.step, MOST_EXAMPLES)
        more |= {"examples": examples} if examples else {}
    if "against" not in event.details:
        good = events.last_good_run(scene.records, run)
        more |= {"against": against(run, good)} if good else {}
    if not more:
        return event
    project = scene.projects.get(run.root)
    secrets = compile_patterns(project.config.secrets if project else ())
    events.add_details(scene.records, event.id, redact_value_with(secrets, more))
    return events.get_event(scene.records, event.id)


def against(run: Run, good: Run) -> dict[str, Any]:
    """In what a run differs from another: parameters as {name: [theirs, ours]}, and the code in words."""
    theirs, ours = flat(good.config), flat(run.config)
    names = [name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name)]
    return {
        "run": good.id,
        "name": good.name,
        "parameters": {name: [theirs.get(name), ours.get(name)] for name in names[:MOST_PARAMETERS]},
        "more_parameters": max(0, len(names) - MOST_PARAMETERS),
        "commits": [good.git.commit, run.git.commit],
        "code": _code(Path(run.root), good.git.commit, run.git.commit),
        "uncommitted": list(run.git.dirty[:MOST_PARAMETERS]),
    }


@lru_cache(maxsize=256)  # a storm asks the same of git again and again, and what a commit holds never changes
def _code(root: Path, before: str, after: str) -> str:
    if before and before == after:
        return "the same commit"
    return difference(root, before, after)
