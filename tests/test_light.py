"""What the commands load: the short ones next to nothing, none of them what only the daemon needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli_place import Cli

DAEMONS = {
    "torch",
    "optuna",
    "fastapi",
    "git",
    "apscheduler",
    "watchdog",
    "psutil",
    "numpy",
    "pynvml",
    "urllib.request",
}
READERS = {"pydantic", "sqlite_utils", "jinja2", "rich", "yaml", "detect_secrets"}
SHORT = {
    "note": ("note", "x", "--tag", "y"),
    "decide": ("decide", "x", "--why", "y", "--alternative", "z"),
    "hypothesis": ("hypothesis", "x"),
    "bug": ("bug", "x", "--fix", "y"),
    "task": ("task", "x", "--top"),
    "search": ("search", "x"),
    "search --json": ("search", "x", "--json"),
    "queue": ("queue", "--json"),
    "help": ("--help",),
    "no command": (),
    "unknown command": ("nope",),
    "completion": ("completion", "bash"),
    "version": ("--version",),
}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def loaded(program: str) -> set[str]:
    """The modules that a fresh interpreter holds after `program`."""
    ending = "\nimport json, sys\nsys.stdout.write(chr(10) + json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program + ending], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("module", ["neatd.cli", "neatd.cli.main"])
def test_importing_the_command_line_loads_nothing_heavy(module: str) -> None:
    """The table of commands needs click and no command."""
    found = loaded(f"import {module}")
    assert not found & (DAEMONS | READERS)
    assert not any(name.startswith(("neatd.store", "neatd.cli.record", "neatd.pipeline")) for name in found)


@pytest.mark.parametrize("words", SHORT.values(), ids=SHORT)
def test_a_short_command_loads_next_to_nothing(cli: Cli, words: tuple[str, ...]) -> None:
    """No model, no template, no YAML, no table: plain rows through the standard library."""
    found = loaded(f"from neatd.cli.main import neat, run\nrun(neat, {list(words)!r})")
    assert not found & (DAEMONS | READERS)
    assert "neatd.models" not in found


@pytest.mark.parametrize("command", ["show", "runs", "table"])
def test_a_reading_command_loads_nothing_of_the_daemons(cli: Cli, command: str) -> None:
    """Neither what watches nor what trains; those with a project's data may load models and tables."""
    made = cli.add_run("runs/a", {"loss": [1.0]})
    words = [command, *([made.id] if command == "show" else [])]
    found = loaded(f"from neatd.cli.main import neat, run\nassert run(neat, {words!r}) == 0")
    assert not found & {"torch", "optuna", "fastapi", "apscheduler", "watchdog", "numpy", "pynvml"}


def test_the_check_would_see_a_heavy_import() -> None:
    """A check of the check: the modules of a child are really its own."""
    assert {"yaml", "pydantic"} <= loaded("import neatd.config")
