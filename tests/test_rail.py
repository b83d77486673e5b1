"""The rail of a run: every kind of mark in its place, and bounded however much happened."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from neatd.models import GitState
from neatd.pipeline.rail import MOST, Mark, rail, thinned
from neatd.pipeline.railcommits import commits_of
from neatd.store import runs
from neatd.store.connection import transaction
from tests.cli_place import BEGAN, Cli
from tests.reading_made import answered, reading
from tests.repos_made import ENV


def git(root: Path, *words: str, at: datetime = BEGAN) -> str:
    """What git prints; a commit is dated `at`."""
    dates = {name: at.isoformat() for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE")}
    done = subprocess.run(["git", *words], cwd=root, env=ENV | dates, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit_file(root: Path, content: str, at: datetime, *more: str) -> str:
    (root / "a.py").write_text(content)
    git(root, "add", "a.py")
    git(root, "commit", "-q", "-m", f"change {content}", *more, at=at)
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def marks(cli: Cli, run_id: str) -> dict[str, Any]:
    with reading(cli) as (records, points, project, _):
        return rail(records, points, project, runs.get_run(records, run_id))


def test_saves_events_evaluations_restarts_and_records_are_marks_in_order(cli: Cli) -> None:
    """What has a step gets a time from the run's own lines, and what has a time a step; secrets are in none."""
    made = cli.add_run("runs/a", {"loss": [float(n) for n in range(1, 61)]})
    cli.add_save(made, 20)
    cli.add_event(made, "spike", 30, 3.0, severity="critical", message="loss 3 with sk-ant-api03-" + "a" * 40)
    answered(cli, made.id, [(40, "q1", True, 0.1), (40, "q2", False, 2.0)])
    note = cli.keep("note", "it diverged", "--evidence", f"{made.id}:loss@50")
    with cli.store("points") as store, transaction(store):
        store.execute("INSERT INTO attempt VALUES (?, 'metrics.jsonl', 2, 100, 45)", (made.id,))
        store.execute("UPDATE point SET attempt = 2, time = time + 3600 WHERE step >= 45")
    found = marks(cli, made.id)
    by_kind = {one["kind"]: one for one in found["marks"]}
    assert found["left_out"] == {} and set(by_kind) == {
        "checkpoint",
        "event",
        "evaluation",
        "restart",
        "note",
        "commit",
    }
    assert by_kind["checkpoint"]["step"] == 20 and by_kind["checkpoint"]["details"]["status"] == "present"
    assert (by_kind["event"]["step"], by_kind["event"]["severity"]) == (30, "critical")
    assert "sk-ant" not in by_kind["event"]["text"]
    evaluation = by_kind["evaluation"]
    assert evaluation["text"] == "1 of 2 correct (50 %)" and evaluation["time"] is None
    assert evaluation["near_time"] == BEGAN.timestamp() + 40
    assert (by_kind["restart"]["step"], by_kind["restart"]["time"]) == (45, BEGAN.timestamp() + 3645)
    assert (by_kind["note"]["id"], by_kind["note"]["step"]) == (note, 50) and by_kind["note"][
        "text"
    ] == "note: it diverged"
    times = [one["near_time"] for one in found["marks"]]
    assert times == sorted(times)


def test_the_commits_made_while_it_ran_are_marks_and_the_one_it_began_from(cli: Cli) -> None:
    """Those before and after it are none of its; one that was amended is there once, under its new name."""
    git(cli.root, "init", "-q")
    begun = datetime.now(UTC).replace(microsecond=0)
    times = [begun + timedelta(seconds=n) for n in (-100, 100, 150, 900)]
    first = commit_file(cli.root, "1", times[0])
    commit_file(cli.root, "2", times[1])
    amended = commit_file(cli.root, "3", times[2], "--amend")
    commit_file(cli.root, "4", times[3])
    made = cli.add_run("runs/a", {"loss": [1.0]}, started_at=begun, ended_at=begun + timedelta(seconds=500),
                       git=GitState(is_repo=True, commit=first, subject="one", dirty=("x.py",)))  # fmt: skip
    with reading(cli) as (records, _, _, _):
        found = commits_of(records, runs.get_run(records, made.id))
    assert [(one.commit, one.is_start) for one in found] == [(first, True), (amended, False)]
    assert found[0].subject == "start with 1 changed file: one" and found[0].at == begun.timestamp()


def test_of_many_saves_the_ends_the_best_and_an_even_share_stay() -> None:
    """However many there are, no more than the bound; what is telling is not thinned away by what is not."""
    every = [Mark("checkpoint", n, float(n), "", details={"best": n % 1000 == 7}) for n in range(10_000)]
    some = thinned(every, MOST["checkpoint"], lambda one: bool(one.details["best"]))
    steps = [one.step or 0 for one in some]
    assert len(some) == MOST["checkpoint"] and steps == sorted(set(steps)) and steps[0] == 0 and steps[-1] == 9999
    assert {n for n in range(10_000) if n % 1000 == 7} <= set(steps)
    assert max(b - a for a, b in pairwise(steps)) < 40


def test_a_run_with_more_than_fits_says_what_is_left_out(cli: Cli) -> None:
    """2,000 marks at the most, by kind."""
    made = cli.add_run("runs/a", {"loss": [1.0, 2.0]})
    answered(cli, made.id, [(step, "q", True, 0.1) for step in range(700)])
    found = marks(cli, made.id)
    assert found["left_out"] == {"evaluation": 200} and sum(MOST.values()) == 2000
