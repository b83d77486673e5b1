"""Metrics files written and read into the store as the daemon does, without one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neatd.models import GitState, Run
from neatd.place import here
from neatd.read.metrics import mark_attempts, parse_metrics
from neatd.read.tail import read_turn
from neatd.store import points, readings, runs
from tests.cli_place import BEGAN, Cli

ENDED = datetime(2026, 3, 1, 13, 0, tzinfo=UTC)


def write(root: Path, folder: str, *lines: dict[str, Any], mode: str = "a") -> Path:
    """Write lines into a run's metrics.jsonl."""
    path = root / folder / "metrics.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open(mode) as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    return path


def read(cli: Cli, folder: str, **fields: Any) -> Run:
    """Bring the store to what the file says; the run has finished, unless `fields` say otherwise."""
    place = here()
    ended = {"status": "finished", "reason": "exit code 0", "ended_at": ENDED}
    with cli.store() as store, cli.store("points") as series:
        run = runs.ensure_run(store, place.project_id, str(place.root), folder, GitState(), BEGAN)
        runs.set_run(store, run.id, **{**ended, **fields})
        cursor = readings.cursor(series, run.id, "metrics.jsonl")
        turn = read_turn(cli.root / folder / "metrics.jsonl", cursor, 1 << 20)
        parsed, _ = parse_metrics(turn.lines)
        standing = points.last_steps(series, run.id, "metrics.jsonl")
        lines, starts = mark_attempts(parsed, standing, turn.cursor.attempt, turn.is_new_generation, cursor.has_steps)
        attempt = starts[-1].attempt if starts else turn.cursor.attempt
        after = turn.cursor.model_copy(update={"attempt": attempt, "has_steps": True})
        points.commit_lines(series, run.id, "metrics.jsonl", after, lines, starts, BEGAN.timestamp())
        return runs.get_run(store, run.id)


def ran(cli: Cli, folder: str, *values: float, metric: str = "val/loss", **fields: Any) -> Run:
    """A run with these values at steps 10, 20, 30 …, in its file and in the store."""
    write(cli.root, folder, *({"step": 10 * n, metric: value} for n, value in enumerate(values, 1)))
    return read(cli, folder, **fields)
