"""What a hook costs an assistant: whole processes among 20,000 records and 2,000 runs, against an import of click."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from neatd.models import Cursor, GitState, Line
from neatd.place import here
from neatd.store import points, runs, short
from neatd.store.connection import transaction
from neatd.store.opening import connect

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]
NEAT = Path(sys.executable).with_name("neat")
RECORDS, RUNS, RUNNING, REPEATS, MOST = 20_000, 2_000, 3, 15, 3.0
KINDS = ("note", "decision", "hypothesis", "bug", "task")


class Place(NamedTuple):
    """A project with a full store."""

    root: Path
    env: dict[str, str]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Place:
    base = tmp_path_factory.mktemp("full")
    root, home = base / "project", base / "home"
    root.mkdir()
    env = os.environ | {"NEAT_HOME": str(home), "HOME": str(base)}
    for words in (["git", "init", "-q"], [str(NEAT), "init", "--yes"]):
        subprocess.run(words, cwd=root, env=env, check=True, capture_output=True)
    place = here(root)
    with closing(connect(home)) as store, transaction(store):
        for number in range(RECORDS):
            kind = KINDS[number % len(KINDS)]
            fields = {"title": f"{kind} {number} on the loss of the decoder", "body": "more words " * 10}
            short.insert_record(store, kind, short.record_row(kind, place, fields, "person"))
    with closing(connect(home)) as store, closing(connect(home, "points")) as series:
        for number in range(RUNS):
            _add_run(store, series, place.project_id, str(root), number)
    return Place(root, env)


def _add_run(store: object, series: object, project_id: str, root: str, number: int) -> None:
    at = datetime.now(UTC) - timedelta(minutes=RUNS - number)
    run = runs.ensure_run(store, project_id, root, f"runs/exp{number}", GitState(), at)  # type: ignore[arg-type]
    state = {"status": "running"} if number >= RUNS - RUNNING else {"status": "finished", "ended_at": at}
    runs.set_run(store, run.id, reason="as told", planned_steps=100, **state)  # type: ignore[arg-type]
    lines = [Line(n, 1, n, at.timestamp() + n, {"val/loss": 1 / n, "train/loss": 2 / n}) for n in range(1, 4)]
    cursor = Cursor(reading_id=f"r{number}", seq=3)
    points.commit_lines(series, run.id, "metrics.jsonl", cursor, lines, [], at.timestamp() + 3)  # type: ignore[arg-type]


EVENTS: dict[str, dict[str, object]] = {
    "session-start": {"source": "startup"}, "user-prompt": {"prompt": "go on"},
    "post-tool": {"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_response": {"stdout": ""}},
    "pre-compact": {"trigger": "auto"}, "stop": {"stop_hook_active": False}, "session-end": {"reason": "other"},
}  # fmt: skip


@pytest.mark.parametrize("has_brief", [True, False], ids=["with a brief", "without a brief"])
def test_a_hook_costs_at_most_three_imports_of_click(full: Place, has_brief: bool) -> None:
    """By medians, in turn, so that whatever else the machine does slows both."""
    brief = full.root / ".neat" / "brief.md"
    brief.unlink(missing_ok=True)
    if has_brief:
        text = subprocess.run([NEAT, "brief"], cwd=full.root, env=full.env, check=True, capture_output=True).stdout
        brief.write_bytes(text)
    click = [sys.executable, "-c", "import click"]
    taken: dict[str, list[float]] = {name: [] for name in ("click", *EVENTS)}
    for _ in range(REPEATS):
        taken["click"].append(_seconds(full, click, b""))
        for event, fields in EVENTS.items():
            payload = {"session_id": "s1", "cwd": str(full.root), "hook_event_name": event, **fields}
            taken[event].append(_seconds(full, [str(NEAT), "hook", event], json.dumps(payload).encode()))
    base = statistics.median(taken.pop("click"))
    ratios = {event: statistics.median(some) / base for event, some in taken.items()}
    told = ", ".join(f"{event} {ratio:.2f}" for event, ratio in ratios.items())
    print(f"\nimport click {base * 1000:.0f} ms; hooks as its multiples: {told}")
    assert max(ratios.values()) < MOST


def _seconds(full: Place, command: list[str], given: bytes) -> float:
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=full.root, env=full.env, input=given, check=True, capture_output=True)
    took = time.perf_counter() - begun
    assert not done.stderr, done.stderr
    if "session-start" in command:
        context = json.loads(done.stdout)["hookSpecificOutput"]["additionalContext"]
        assert "runs/exp1999" in context and "val/loss" in context and len(context) <= 9500
    return took
