"""The process of a run whose files none holds open: by a number in a file's name, or as the only one that can be it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psutil
import pytest

from neatd.read.process import find_processes
from neatd.read.processhints import Hint, Program, Told, concluded, is_other, told_by_name
from tests.fixtures import WAIT, Start


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "a"
    folder.mkdir(parents=True)
    return folder


def hint(run: Path, **fields: Any) -> Hint:
    """Of a run that grows, in a project two folders above it."""
    folders = frozenset(map(os.path.realpath, (run, run.parent, run.parent.parent)))
    others = frozenset(os.path.realpath(run.parent / name) for name in ("a", "b"))
    return Hint(folders=folders, began=4e9, others=others)._replace(**fields)


def found(run: Path, **fields: Any) -> int | None:
    """The number of the process that is found for a run."""
    fact = find_processes([run], {run: hint(run, **fields)}).get(run)
    return fact.pid if fact else None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("events.out.tfevents.1764000000.box.4711.0", Told(4711, 1764000002.0)),
        ("tb/events.out.tfevents.1764000000.box.4711.0.v2", Told(4711, 1764000002.0)),
        ("events.out.tfevents.1764000000.other.4711.0", None),
        ("events.out.tfevents.1764000000.box", None),
        ("metrics.csv", None),
    ],
)
def test_an_event_file_names_its_process(name: str, told: Told | None) -> None:
    """On this host only, and where the writer says it."""
    assert told_by_name(name, "box.example.org" if "tb/" in name else "box") == told


def test_a_told_process_is_the_runs_if_it_began_before_the_file(start: Start, run: Path) -> None:
    """A number is given again: one that began later is another process."""
    pid = start(WAIT).pid
    began = psutil.Process(pid).create_time()
    assert found(run, told=(Told(pid, began + 1),), folders=frozenset()) == pid
    assert found(run, told=(Told(pid, began - 1),), folders=frozenset()) is None


def test_the_only_program_that_works_in_the_project_is_the_runs(start: Start, run: Path) -> None:
    """A trainer that opens, appends and closes is seen with no file of the run."""
    assert found(run) is None
    pid = start(WAIT, "--lr", "0.1", cwd=run.parent.parent).pid
    assert found(run) == pid
    assert find_processes([run]) == {} and found(run, folders=frozenset()) is None
    assert found(run, began=psutil.Process(pid).create_time() - 10) is None  # it began after the run
    assert found(run, taken=frozenset({pid})) is None  # it is another run's


def test_between_two_programs_nothing_is_guessed(start: Start, run: Path) -> None:
    """Either may be it."""
    start(WAIT, cwd=run.parent.parent)
    start(WAIT, cwd=run.parent.parent)
    assert found(run) is None


def test_between_two_runs_nothing_is_guessed(start: Start, run: Path) -> None:
    """One program, and another run that grows without one."""
    start(WAIT, cwd=run.parent.parent)
    other = run.parent / "b"
    other.mkdir()
    assert find_processes([run], {run: hint(run), other: hint(other)}) == {}


def test_a_program_that_names_another_run_is_not_this_ones(start: Start, run: Path) -> None:
    """Or writes there."""
    start(WAIT, "--out=runs/b/checkpoints", cwd=run.parent.parent)
    assert found(run) is None


def test_data_loaders_are_no_second_program(run: Path) -> None:
    """They work where their trainer does."""
    trainer = Program(10, 1, 5.0, "/p", frozenset())
    loader = Program(11, 10, 6.0, "/p", frozenset())
    hints = {"/p/runs/a": Hint(folders=frozenset({"/p"}), began=9.0)}
    assert concluded([loader, trainer], hints) == {"/p/runs/a": trainer}


def test_tools_that_stand_in_a_project_train_nothing() -> None:
    """By script or by module."""
    tools = ("-m tensorboard.main", "/usr/bin/tensorboard --logdir x", "-u -m http.server", "/x/pylsp")
    trainers = ("train.py", "-m torch.distributed.run train.py", "-c pass", "-u train.py --mcp x")
    assert [text for text in (*tools, *trainers) if is_other(["python", *text.split()])] == list(tools)


def test_a_worker_of_a_test_run_is_no_trainer() -> None:
    """pytest's own processes work in the project's folder too."""
    assert is_other(["python", "-u", "-c", "import sys;exec(eval(sys.stdin.readline()))"])
    assert is_other(["python", "-m", "pytest", "tests"]) and not is_other(["python", "-c", "import train"])
