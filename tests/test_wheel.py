"""The wheel, installed into an empty virtual environment without torch, works as the checkout does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
import zipfile
from email import message_from_bytes
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.conftest import until

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
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with `neat` and `neatd` of an environment that holds the wheel and what it requires, nothing else.

    What it requires is linked from here; tests/bench/test_wheel_bench.py has pip fetch it.
    """
    folder = environment(tmp_path_factory.mktemp("empty"))
    install(folder, "--no-deps", wheel)
    found = run(folder / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder)
    for path in files_of(required(wheel)):
        link = Path(found.stdout.strip()) / path.name
        if not link.exists():
            link.symlink_to(path)
    return folder


def environment(place: Path) -> Path:
    """An empty virtual environment; the folder of its programs."""
    assert run(sys.executable, "-m", "venv", "--without-pip", place / "venv", cwd=place).returncode == 0
    return place / "venv" / ("Scripts" if os.name == "nt" else "bin")


def install(folder: Path, *words: str | Path) -> None:
    """What is not used need not be compiled."""
    pip = (sys.executable, "-m", "pip", "--python", folder / "python", "install", "--quiet", "--no-compile")
    done = run(*pip, *words, cwd=folder)
    assert done.returncode == 0, done.stderr


def required(wheel: Path) -> set[str]:
    """The distributions that the wheel says it needs, and those that these need, all of them installed here."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        told = message_from_bytes(archive.read(name)).get_all("Requires-Dist", [])
    found: set[str] = set()
    wanted = [(Requirement(one), "") for one in told]
    while wanted:
        one, extra = wanted.pop()
        if one.name not in found and (one.marker is None or one.marker.evaluate({"extra": extra})):
            found.add(one.name)
            more = metadata.requires(one.name) or []
            wanted += [(Requirement(text), extra) for text in more for extra in one.extras or {""}]
    return found


def files_of(names: set[str]) -> set[Path]:
    """What stands in the folder of packages for these distributions: modules, packages, what is known of them."""
    found: set[Path] = set()
    for name in names:
        one = metadata.distribution(name)
        tops = {path.parts[0] for path in one.files or [] if path.parts[0] not in ("..", "__pycache__")}
        found |= {Path(str(one.locate_file(top))) for top in tops}
    return found


def test_the_wheel_carries_rules_templates_store_and_trainers(wheel: Path) -> None:
    """Every shipped data file of the checkout is in it, under neatd/_data."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("rules", "templates", "store", "trainers"):
        files = [p for p in (ROOT / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
        assert files
        for path in files:
            assert f"neatd/_data/{path.relative_to(ROOT).as_posix()}" in names
    static = {path.relative_to(ROOT).as_posix() for path in (ROOT / "neatd/web/static").rglob("*") if path.is_file()}
    assert static <= names and len(static) > 20
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
        command = (scripts / "neat", "events", "--json")
        events = until(lambda: json.loads(run(*command, cwd=project, NEAT_HOME=home).stdout), "an event")
        assert events[-1]["rule"] in ("non-finite", "best-train-loss")
        url = json.loads(run(scripts / "neatd", "status", "--json", cwd=project, NEAT_HOME=home).stdout)["url"]
        for path in ("/", "/vendor/uplot.js", "/vendor/plotly.js", "/api/runs"):
            with urllib.request.urlopen(url + path, timeout=30) as answer:
                assert answer.status == 200 and answer.read()
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
