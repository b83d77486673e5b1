"""The command line in a test's own process and place: what a command answers, and runs written by hand into the store."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from neatd.cli.main import neat, neatd, run
from neatd.models import Cursor, GitState, Line, Run, Verdict
from neatd.place import here
from neatd.store import checkpoints, events, points, runs
from neatd.store.connection import transaction
from neatd.store.opening import connect
from tests.projects_made import put_project
from tests.stores_made import put_store

BEGAN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def user_home(base: Path) -> Path:
    """A home of somebody who uses Claude Code, made: what `neat init` finds does not hang on the machine."""
    (base / "user" / ".claude").mkdir(parents=True, exist_ok=True)
    return base / "user"


class Answer(NamedTuple):
    """What a command left: its exit code and what it wrote."""

    code: int
    out: str
    err: str


class Cli:
    """`neat` and `neatd` in a folder of their own, with a NEAT_HOME of their own and no daemon."""

    def __init__(self, base: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self.root, self.home, self._capture = base / "project", base / "home", capture
        self.root.mkdir()
        patch.chdir(self.root)
        patch.setenv("NEAT_HOME", str(self.home))
        patch.setenv("HOME", str(user_home(base)))
        for name in ("CLAUDECODE", "CODEX_SANDBOX", "CURSOR_TRACE_ID"):
            patch.delenv(name, raising=False)

    def __call__(self, *words: str) -> Answer:
        """Run `neat WORDS…`, or `neatd …` when the first word is neatd."""
        self._capture.readouterr()
        code = run(neatd, list(words[1:])) if words[:1] == ("neatd",) else run(neat, list(words))
        return Answer(code, *self._capture.readouterr())

    def ok(self, *words: str) -> str:
        """What the command printed; it must have worked."""
        answer = self(*words)
        assert answer.code == 0, f"{words}: {answer}"
        return answer.out

    def json(self, *words: str) -> Any:
        """The JSON that a command printed."""
        return json.loads(self.ok(*words, "--json"))

    def refused(self, *words: str) -> str:
        """The error of a command that a person got wrong: two lines, exit code 1, nothing printed."""
        answer = self(*words)
        assert answer.code == 1, f"{words}: {answer}"
        lines = [line for line in answer.err.splitlines() if not line.startswith("note: neatd is not running")]
        assert answer.out == "" and lines[0].startswith("error: ") and "\nhint: " in answer.err, answer
        assert "Traceback" not in answer.err
        return answer.err

    def init(self, is_typed: bool = False) -> None:
        """Set the folder up as `neat init --yes` does, in an empty one without typing it."""
        if is_typed or not put_project(self.root, self.home, Path(os.environ["HOME"])):
            put_store(self.home)
            put_store(self.home, "points")
            self.ok("init", "--yes")

    def keep(self, *words: str) -> str:
        """Keep a record; returns its id."""
        return str(self.json(*words)["id"])

    @contextmanager
    def store(self, name: str = "neat") -> Iterator[sqlite3.Connection]:
        put_store(self.home, name)
        connection = connect(self.home, name)
        try:
            yield connection
        finally:
            connection.close()

    def add_run(self, folder: str, series: Mapping[str, list[float]], **fields: Any) -> Run:
        """A run whose metrics file held these values at steps 1, 2, 3 …, one line a second."""
        place = here()
        with self.store() as store, self.store("points") as numbers:
            git = GitState(is_repo=True, branch="main", commit="c0ffee" + "0" * 34)
            made = runs.ensure_run(store, place.project_id, str(place.root), folder, git, BEGAN)
            runs.set_run(store, made.id, **{"status": "finished", "reason": "exit code 0", **fields})
            count = max(map(len, series.values()), default=0)
            lines = [
                Line(n, 1, n, BEGAN.timestamp() + n, {k: v[n - 1] for k, v in series.items() if n <= len(v)})
                for n in range(1, count + 1)
            ]
            cursor = Cursor(reading_id="made", seq=count)
            points.commit_lines(numbers, made.id, "metrics.jsonl", cursor, lines, [], BEGAN.timestamp() + count)
        return made

    def add_save(self, made: Run, step: int, content: bytes = b"weights") -> Path:
        """A complete checkpoint of a run, on the disk and in the store."""
        path = self.root / made.folder / "checkpoints" / f"step_{step:06d}.pt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        stat = path.stat()
        relative = path.relative_to(self.root / made.folder).as_posix()
        with self.store() as store:
            measured = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
            checkpoints.add_save(store, made.id, relative, step, measured, False, BEGAN)
        return path

    def add_event(self, made: Run, rule: str, step: int, value: float, **fields: Any) -> None:
        """An event of a run, as judging writes it."""
        base = {
            "rule": rule,
            "condition": "spike",
            "metric": "loss",
            "seq": step,
            "attempt": 1,
            "step": step,
            "time": None,
        }
        verdict = Verdict.model_validate({**base, "value": value, "message": f"{rule} at {step}", **fields})
        with self.store() as store, transaction(store):
            events.write_judging(store, made, "metrics.jsonl", "made", step, {}, [verdict], BEGAN)
