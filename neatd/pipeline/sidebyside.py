"""A comparison as the page shows it: what `neat compare --json` prints, with the parameters that are the same in all runs
and the files that each run's code had changed. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neatd.config import ProjectConfig
from neatd.models import GitState, Project, Run
from neatd.pipeline.comparison import Comparison, compare_runs
from neatd.pipeline.experiments import SAYS_NOTHING
from neatd.rules.commandline import flat
from neatd.store import runs

MOST_PATHS = 50  # of a run's changed files that are named


def side_by_side(
    records: sqlite3.Connection, points: sqlite3.Connection, project: Project, config: ProjectConfig, words: Sequence[str],
    home: Path,
) -> dict[str, Any]:  # fmt: skip
    """The comparison's fields; `same`: parameter -> its value in all of the runs; `changes`: the code of each run, in the
    order of `runs`. Raises NeatError for fewer than two runs."""
    found = compare_runs(records, points, project, config, words, home)
    sides = [runs.get_run(records, one.id) for one in found.runs]
    return {**found.model_dump(), "same": _same(found, sides), "changes": [_changes(one.git) for one in sides]}


def _same(found: Comparison, sides: Sequence[Run]) -> dict[str, Any]:
    first = flat(sides[0].config)
    return {name: value for name, value in first.items() if name not in found.parameters and name not in SAYS_NOTHING}


def _changes(git: GitState) -> dict[str, Any]:
    """Which commit it was, and which files were changed against it."""
    paths = [*git.dirty, *git.untracked]
    return {
        "commit": git.commit, "branch": git.branch, "subject": git.subject, "is_repo": git.is_repo,
        "dirty": git.dirty[:MOST_PATHS], "untracked": git.untracked[: max(0, MOST_PATHS - len(git.dirty))],
        "unnamed": max(0, len(paths) - MOST_PATHS) + git.unlisted,
    }  # fmt: skip
