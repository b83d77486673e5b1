"""A project with tests in it: a small git repository, a store of its own, `neat test` and `neat hook` as processes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from neatd.cli import hook
from neatd.cli.main import run
from neatd.place import Place, here
from neatd.store import records
from neatd.store.opening import connect
from neatd.who import SESSION_VARIABLE, VARIABLES
from tests.mother import run_born
from tests.stores_made import put_store

IDENTITY = "6f0a2f6e-1111-4222-8333-944445555666"
PROGRAM = "import sys; from neatd.cli.main import run; from neatd.cli.{0} import {1}; sys.exit(run({1}, sys.argv[1:]))"
ASSISTANTS = VARIABLES
MIXED = """
import pytest

@pytest.mark.parametrize("x", range(4))
def test_good(x): pass

@pytest.mark.parametrize("name", ["a b - c", "x[y]"])
def test_bad(name): assert name == "", "said - with a dash"

def test_skipped(): pytest.skip("later")

@pytest.mark.xfail
def test_expected(): assert 0

@pytest.fixture
def broken(): raise RuntimeError("no set-up")

def test_broken(broken): pass

class TestGroup:
    def test_in_class(self): assert {} == {"a": 1}
"""
MIXED_NAMES = {
    "tests/test_mixed.py::test_bad[a b - c]", "tests/test_mixed.py::test_bad[x[y]]", "tests/test_mixed.py::test_broken",
    "tests/test_mixed.py::TestGroup::test_in_class",
}  # fmt: skip


class _Stream(io.TextIOWrapper):
    """A standard output that is looked at afterwards."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")

    @property
    def buffer(self) -> io.BytesIO:
        found = super().buffer
        assert isinstance(found, io.BytesIO)
        return found


class Checked:
    """A project whose tests are run."""

    def __init__(self, base: Path) -> None:
        self.root, self.home = base / "project", base / "home"
        self.root.mkdir()
        self.home.mkdir()
        self.write("neat.yaml", f"id: {IDENTITY}\nname: tested\n")
        self.write(".gitignore", ".neat/\n.pytest_cache/\n__pycache__/\n")
        put_store(self.home)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def git(self, *words: str) -> None:
        given = ["-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "init.defaultBranch=main"]
        subprocess.run(["git", *given, *words], cwd=self.root, check=True, capture_output=True, timeout=30)

    def commit(self, message: str = "work") -> None:
        if not (self.root / ".git").exists():
            self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-qm", message)

    @property
    def env(self) -> dict[str, str]:
        dropped = (*ASSISTANTS, "PYTEST_ADDOPTS", "FORCE_COLOR", "PY_COLORS")
        kept = {name: value for name, value in os.environ.items() if name not in dropped}
        return kept | {"NEAT_HOME": str(self.home), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    def command(self, *words: str) -> list[str]:
        """`neat test WORDS…` as an argument list."""
        return [sys.executable, "-c", PROGRAM.format("testing", "test"), *words]

    def test(self, *words: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        """Run `neat test -- WORDS…` to its end."""
        return self.call(self.command("--", *words), **options)

    def call(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        given = {"cwd": self.root, "env": self.env, "capture_output": True, "timeout": 60, **options}
        is_born = command[:2] == [sys.executable, "-c"] and "preexec_fn" not in options
        return (run_born if is_born else subprocess.run)(command, check=False, **given)

    def pytest(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """pytest as a person runs it, without neat."""
        return self.call(self.pytest_words(*words))

    @staticmethod
    def pytest_words(*words: str) -> list[str]:
        return [sys.executable, "-m", "pytest", *words]

    def hook(self, payload: object, event: str = "post-tool") -> str:
        """`neat hook EVENT` that tells the assistant nothing; returns what it said on stderr."""
        out, err = self.answer(payload, event)
        assert out == "", (out, err)
        return err

    def answer(self, payload: object, event: str) -> tuple[str, str]:
        """`neat hook EVENT` with a payload: bytes as they are, anything else as JSON; (stdout, stderr). It must end with 0,
        with one line on stderr at most. In this process, whose NEAT_HOME the test has set."""
        given = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        out, err, before = _Stream(), io.StringIO(), sys.stdin
        sys.stdin = io.TextIOWrapper(io.BytesIO(given))
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = run(hook.hook, [event] if event else [])
            assert sys.stdin.buffer.read() == b""
        finally:
            sys.stdin = before
            os.environ.pop(SESSION_VARIABLE, None)  # each hook is a process of its own
        out.flush()
        said = out.buffer.getvalue().decode()
        assert code == 0, (code, said, err.getvalue())
        assert len(err.getvalue().splitlines()) <= 1, err.getvalue()
        return said, err.getvalue()

    @contextmanager
    def store(self) -> Iterator[Connection]:
        connection = connect(self.home)
        try:
            yield connection
        finally:
            connection.close()

    def runs(self) -> list[Any]:
        """The test runs in the store, newest first."""
        with self.store() as store:
            return records.list_records(store, "test", IDENTITY)

    def only(self) -> Any:
        """The one test run in the store."""
        found = self.runs()
        assert len(found) == 1, [one.title for one in found]
        return found[0]

    @property
    def place(self) -> Place:
        return here(self.root)


def answer(command: str, output: str, root: Path, call: str = "toolu_1", **fields: object) -> dict[str, object]:
    """A PostToolUse event as Claude Code sends it."""
    return {
        "session_id": "s1", "transcript_path": "transcript.jsonl", "cwd": str(root), "hook_event_name": "PostToolUse",
        "tool_name": "Bash", "tool_use_id": call, "tool_input": {"command": command},
        "tool_response": {"stdout": output, "stderr": "", "interrupted": False}, **fields,
    }  # fmt: skip
