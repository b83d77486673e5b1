"""The wheel, installed into an empty virtual environment without torch, works as the checkout does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.timeout(420)  # building and installing fetch packages


def run(*words: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """A program in `cwd`, with an environment that knows nothing of the checkout."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTHON", "NEAT", "VIRTUAL_ENV", "CLAUDE"))
    }
    return subprocess.run([*map(str, words)], cwd=cwd, env=kept | more, text=True, capture_output=True, timeout=400)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    out = tmp_path_factory.mktemp("wheel")
    done = run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, ROOT, cwd=out)
    assert done.returncode == 0, done.stderr
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder with `neat` and `neatd` of an environment that holds the wheel and what it requires, nothing else."""
    place = tmp_path_factory.mktemp("empty")
    assert run(sys.executable, "-m", "venv", "--without-pip", place / "venv", cwd=place).returncode == 0
    folder = place / "venv" / ("Scripts" if os.name == "nt" else "bin")
    pip = (sys.executable, "-m", "pip", "--python", folder / "python")
    done = run(*pip, "install", "--quiet", "--no-compile", wheel, cwd=place)  # what is not used need not be compiled
    assert done.returncode == 0, done.stderr
    yield folder


def test_the_wheel_carries_rules_templates_store_and_trainers(wheel: Path) -> None:
    """Every shipped data file of the checkout is in it, under neatd/_data."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("rules", "templates", "store", "trainers"):
        files = [p for p in (ROOT / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
        assert files
        for path in files:
            assert f"neatd/_data/{path.relative_to(ROOT).as_posix()}" in names
    assert not [name for name in names if name.startswith(("tests/", "rules/"))]


def test_it_works_without_torch_from_init_to_brief(scripts: Path, tmp_path: Path) -> None:
    """init, start, a run, events, brief, stop: all from the installed wheel, and no torch is there."""
    project, home = tmp_path / "project", str(tmp_path / "home")
    (project / "runs" / "a").mkdir(parents=True)
    assert run(scripts / "python", "-c", "import torch", cwd=project).returncode != 0
    assert run(scripts / "neat", "init", "--yes", cwd=project, NEAT_HOME=home).returncode == 0
    lines = (
        "".join(json.dumps({"step": step, "loss": 1 / step}) + "\n" for step in range(1, 11))
        + '{"step": 11, "loss": NaN}\n'
    )
    (project / "runs" / "a" / "metrics.jsonl").write_text(lines)
    started = run(scripts / "neatd", "start", cwd=project, NEAT_HOME=home)
    assert started.returncode == 0, started.stderr
    try:
        for _ in range(100):
            events = json.loads(run(scripts / "neat", "events", "--json", cwd=project, NEAT_HOME=home).stdout)
            if events:
                break
        assert events[-1]["rule"] in ("non-finite", "best-train-loss")
        brief = run(scripts / "neat", "brief", cwd=project, NEAT_HOME=home)
        assert brief.returncode == 0 and "runs/a" in brief.stdout
    finally:
        assert run(scripts / "neatd", "stop", cwd=project, NEAT_HOME=home).returncode == 0


def test_demo_and_train_without_torch_say_what_to_install(scripts: Path, tmp_path: Path) -> None:
    """No traceback: one line says what is missing, the next what to type."""
    home = str(tmp_path / "home")
    assert run(scripts / "neat", "init", "--yes", cwd=tmp_path, NEAT_HOME=home).returncode == 0
    for words in (["demo"], ["train", "lm"]):
        done = run(scripts / "neat", *words, cwd=tmp_path, NEAT_HOME=home)
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert "torch" in done.stderr.lower() and "pip install" in done.stderr
