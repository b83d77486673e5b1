"""Which Python a job's first word means, and how it is started on several GPUs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from neatd.errors import NeatError
from neatd.jobs.distributed import RUN, on_gpus
from neatd.jobs.interpreter import (
    UV_RUN,
    missing_modules,
    own_interpreter,
    project_interpreter,
    resolved,
    with_environment,
)

posix = pytest.mark.skipif(sys.platform == "win32", reason="programs without an ending")


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\nexit 0\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    program(tmp_path / "bin" / "python")
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}


@posix
def test_the_order_in_which_an_interpreter_is_found(root: Path, environ: dict[str, str], tmp_path: Path) -> None:
    """What neat.yaml says, the active environment, .venv, uv's, PATH: each hides those behind it."""
    assert project_interpreter(root, root, "", environ).python == str(tmp_path / "bin" / "python")
    (root / "uv.lock").touch()
    assert project_interpreter(root, root, "", environ).said_by == "PATH"  # no uv on it
    uv = program(tmp_path / "bin" / "uv")
    by = project_interpreter(root, root, "", environ)
    assert by.python == UV_RUN and by.words == (str(uv), "run", "--project", str(root), "python")
    own = program(root / ".venv" / "bin" / "python")
    assert project_interpreter(root, root, "", environ).python == str(own)
    inner = program(root / "sub" / "venv" / "bin" / "python")
    assert project_interpreter(root, root / "sub", "", environ).python == str(inner)
    active = program(tmp_path / "active" / "bin" / "python")
    with_active = {**environ, "VIRTUAL_ENV": str(tmp_path / "active")}
    assert project_interpreter(root, root, "", with_active).python == str(active)
    assert project_interpreter(root, root, ".venv/bin/python", with_active).python == str(own)
    assert project_interpreter(root, root, "../active/bin/python", environ).python == str(active)
    assert project_interpreter(root, root, "python", environ).python == str(tmp_path / "bin" / "python")


@posix
@pytest.mark.parametrize("told", ["envs/none/bin/python", "no-such-python"])
def test_what_neat_yaml_names_has_to_be_there(root: Path, environ: dict[str, str], told: str) -> None:
    """It is not passed over in silence for another one."""
    with pytest.raises(NeatError, match=r"`python:` in neat\.yaml"):
        project_interpreter(root, root, told, environ)


@posix
def test_a_first_word_becomes_the_interpreter_and_scripts_come_from_beside_it(
    root: Path, environ: dict[str, str]
) -> None:
    """`python3` too; a script of the environment is found though it is not on PATH; what is nowhere is refused."""
    python = program(root / ".venv" / "bin" / "python")
    program(root / ".venv" / "bin" / "torchrun")
    by = project_interpreter(root, root, "", environ)
    assert resolved(["python3", "train.py"], by, environ, root) == (str(python), "train.py")
    assert resolved(["torchrun", "train.py"], by, environ, root) == ("torchrun", "train.py")
    env = with_environment(environ, by)
    assert env["PATH"].split(os.pathsep)[0] == str(python.parent)
    with pytest.raises(NeatError, match="no program 'nothing-here' on PATH"):
        resolved(["nothing-here"], by, environ, root)
    with pytest.raises(NeatError, match=r"no program \./run\.sh"):
        resolved(["./run.sh"], by, environ, root)
    program(root / "run.sh")
    assert resolved(["./run.sh", "1"], by, environ, root) == ("./run.sh", "1")


@posix
def test_an_environment_is_active_for_the_job(root: Path, environ: dict[str, str]) -> None:
    """As after `source .venv/bin/activate`."""
    program(root / ".venv" / "bin" / "python")
    (root / ".venv" / "pyvenv.cfg").touch()
    env = with_environment({**environ, "PYTHONHOME": "/x"}, project_interpreter(root, root, "", environ))
    assert env["VIRTUAL_ENV"] == str(root / ".venv") and "PYTHONHOME" not in env


@posix
def test_uv_runs_scripts_of_the_environment_too(root: Path, environ: dict[str, str], tmp_path: Path) -> None:
    """uv makes the environment, so its scripts may not be there yet; uv itself is not started twice."""
    (root / "uv.lock").touch()
    uv = program(tmp_path / "bin" / "uv")
    by = project_interpreter(root, root, "", environ)
    assert resolved(["accelerate", "launch"], by, environ, root)[:5] == (
        str(uv), "run", "--project", str(root), "accelerate",
    )  # fmt: skip
    assert resolved(["uv", "run", "x"], by, environ, root) == ("uv", "run", "x")


def test_modules_are_looked_for_where_the_job_runs() -> None:
    """A dotted name by its package; what does not start says so."""
    own = own_interpreter()
    assert missing_modules(["json.decoder", "no_such_module_x"], own, os.environ) == ("no_such_module_x",)
    assert missing_modules([], own._replace(words=("/no/python",)), os.environ) == ()
    with pytest.raises(NeatError, match="does not start"):
        missing_modules(["json"], own._replace(words=("/no/python",)), os.environ)


@pytest.mark.parametrize(
    ("words", "gpus", "expected"),
    [
        (("py", "t.py", "a=1"), 1, ("py", "t.py", "a=1")),
        (("py", "t.py", "a=1"), 2, ("py", "-m", RUN, "--standalone", "--nproc-per-node=2", "t.py", "a=1")),
        (("py", "-u", "-m", "pkg"), 4, ("py", "-u", "-m", RUN, "--standalone", "--nproc-per-node=4", "-m", "pkg")),
        (("py", "-m", RUN, "t.py"), 2, ("py", "-m", RUN, "t.py")),
        (("py", "-c", "pass"), 2, ("py", "-c", "pass")),
        (("py",), 2, ("py",)),
    ],
)
def test_several_gpus_run_under_torchrun(words: tuple[str, ...], gpus: int, expected: tuple[str, ...]) -> None:
    """A script or a module gets a process for each; what starts them itself, or is none, stays as it is."""
    assert on_gpus(words, 1, gpus) == expected
    assert on_gpus(words, 0, gpus) == words
