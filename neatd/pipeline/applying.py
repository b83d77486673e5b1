"""What a person has thinned: what would go, what that needs, and the request for it. `neat retention apply` and the page ask
here; `pipeline/asking.py` carries it out, after a plan of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.models import Project, Run
from neatd.pipeline.planshown import plans
from neatd.policy import RetentionPlan
from neatd.store import checkpoints, requests

KIND = "retention-apply"
NOTHING: dict[str, Any] = {"batch": None, "moved": 0, "freed_bytes": 0, "refused": []}  # the result where nothing goes


class Thinning(NamedTuple):
    """What would go of a project, or of one run of it."""

    project: Project
    config: ProjectConfig
    found: Sequence[tuple[Run, RetentionPlan]]  # of the runs that lose something
    is_whole: bool  # of all runs of the folder

    @property
    def checkpoints(self) -> int:
        """How many checkpoints would go."""
        return sum(len(one.delete) for _, one in self.found)

    @property
    def bytes_freed(self) -> int:
        """What that frees."""
        return sum(one.bytes_freed for _, one in self.found)

    @property
    def most(self) -> list[str]:
        """The names of the runs that would lose more than half of their bytes at once."""
        return [run.name for run, one in self.found if one.is_most]


def thinning(
    records: sqlite3.Connection, series: sqlite3.Connection, project: Project, config: ProjectConfig, word: str | None
) -> Thinning:
    """What the policy gives up now: of the run that `word` means, else of all. Changes nothing."""
    found = [(run, one) for run, one in plans(records, series, project, config, word) if one.delete]
    return Thinning(project, config, found, word is None)


def check(wanted: Thinning, yes: bool) -> None:
    """Raises NeatError where more than half of a run would go at once and nobody said yes to that."""
    most = wanted.most
    if most and not yes:
        raise NeatError(
            f"more than half of the bytes of {', '.join(most[:5])}{' …' if len(most) > 5 else ''} would go at once",
            "`neat retention plan` shows what; add --yes to do it",
        )


def ask(records: sqlite3.Connection, wanted: Thinning, yes: bool) -> str | None:
    """Put down the request and return its id; None where nothing goes. `yes` for a whole folder also agrees to its policy,
    so that the daemon does not ask for it again until the policy changes. Raises NeatError as `check` does."""
    check(wanted, yes)
    root = wanted.project.root
    if not wanted.found:
        if yes and wanted.is_whole:  # nothing goes now; what a later pass of the daemon gives up was agreed to
            checkpoints.approve_policy(records, root, wanted.config.retention.model_dump_json())
        return None
    payload = {
        "run_ids": [run.id for run, _ in wanted.found], "yes": yes,
        "root": root if wanted.is_whole else None,
    }  # fmt: skip
    return requests.ask(records, KIND, wanted.project.id, payload)
