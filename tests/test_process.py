"""The process behind a run: the one that writes there, told from readers, workers and successors with its number."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from neatd.models import ProcessFact
from neatd.read.process import find_processes, is_alive
from tests.conftest import until

Start = Callable[..., subprocess.Popen[str]]
HOLD = "import sys; file = open(sys.argv[1], sys.argv[2]); print('ready', flush=True); sys.stdin.read()"
WAIT = "import sys; print('ready', flush=True); sys.stdin.read()"
needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells how a file is open")


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a Python program that says when it is ready and waits; it is ended after the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(code: str, *arguments: object, cwd: Path = Path("/")) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=cwd)
        started.append(process)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "a"
    folder.mkdir(parents=True)
    (folder / "metrics.jsonl").touch()
    return folder


@pytest.mark.parametrize("mode", ["a", "w", "r+"])
def test_the_process_that_holds_a_file_open_for_writing_is_found(start: Start, run: Path, mode: str) -> None:
    """With its start and command, by which it is known later."""
    process = start(HOLD, run / "metrics.jsonl", mode)
    fact = find_processes([run])[run]
    assert fact.pid == process.pid and "metrics.jsonl" in fact.command
    assert fact.started == psutil.Process(process.pid).create_time()


@needs_linux
def test_a_reader_is_not_the_runs_process(start: Start, run: Path) -> None:
    """`tail -f` in another window is not the training."""
    start(HOLD, run / "metrics.jsonl", "r")
    assert find_processes([run]) == {}


def test_a_python_process_that_names_the_folder_is_found(start: Start, run: Path) -> None:
    """By an argument, whole or after an equals sign, relative or not, or by the folder it works in."""
    for arguments, cwd in (
        ([run], Path("/")),
        ([f"--out={run}/"], Path("/")),
        (["runs/a"], run.parent.parent),
        ([], run),
    ):
        process = start(WAIT, *arguments, cwd=cwd)
        assert find_processes([run])[run].pid == process.pid, (arguments, cwd)
        process.kill()
        process.communicate()


def test_a_command_of_neats_own_is_not_the_training(run: Path, tmp_path: Path) -> None:
    """`neat run show runs/a` is Python and names the folder; when it ends, the run has not."""
    script = tmp_path / "neat"
    script.write_text(WAIT)
    command = [sys.executable, str(script), "run", "show", str(run)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        assert find_processes([run]) == {}


def test_a_program_that_is_no_python_does_not_count_by_its_arguments(run: Path) -> None:
    """An editor or a pager names the folder, too."""
    with subprocess.Popen(["sleep", "60"], cwd=run) as process:
        try:
            assert find_processes([run]) == {}
        finally:
            process.kill()


RENAMED = "import ctypes; ctypes.CDLL(None).prctl(15, b'pt_main_thread', 0, 0, 0)\n" + WAIT


@needs_linux
def test_a_process_that_torch_renamed_is_still_python(start: Start, run: Path) -> None:
    """torch calls the main thread of its processes pt_main_thread; the command tells."""
    process = start(RENAMED, run)
    assert psutil.Process(process.pid).name() == "pt_main_thread"
    assert find_processes([run])[run].pid == process.pid


FORK = """
import os, sys
file = open(sys.argv[1], "a")
children = [os.fork() for _ in range(2)] if os.fork() else []
if children and all(children):
    print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_the_trainer_is_found_and_not_its_workers(start: Start, run: Path) -> None:
    """Data loaders inherit the open file, have higher numbers, and end before the training does."""
    process = start(FORK, run / "metrics.jsonl")
    workers = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    assert len(workers) >= 2
    try:
        assert find_processes([run])[run].pid == process.pid
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGKILL)


def test_a_writer_comes_before_a_process_that_only_names_the_folder(start: Start, run: Path) -> None:
    """A script that watches the run was started first, and is not the training."""
    start(WAIT, run)
    writer = start(HOLD, run / "metrics.jsonl", "a")
    assert find_processes([run])[run].pid == writer.pid


def test_a_writer_belongs_to_the_innermost_run_around_its_file(start: Start, run: Path) -> None:
    """The project's folder may be a run itself, and one run may lie in another."""
    process = start(HOLD, run / "metrics.jsonl", "a")
    found = find_processes([run, run.parent, run.parent.parent, run.parent / "aa"])
    assert {folder: fact.pid for folder, fact in found.items()} == {run: process.pid}


def test_a_folder_reached_by_a_link_is_the_same_folder(start: Start, run: Path, tmp_path: Path) -> None:
    """What is asked for is what is answered."""
    link = tmp_path / "link"
    link.symlink_to(run)
    process = start(HOLD, run / "metrics.jsonl", "a")
    assert find_processes([link])[link].pid == process.pid


def test_nothing_wanted_looks_at_nothing_and_the_own_process_is_none(run: Path) -> None:
    """The daemon itself reads, and may stand, in the project."""
    assert find_processes([]) == {}
    with (run / "own.log").open("w"):
        assert find_processes([run]) == {}


def test_a_process_is_alive_until_it_ends(start: Start, run: Path) -> None:
    """Also while its parent has not asked for its end: a zombie trains nothing."""
    process = start(HOLD, run / "metrics.jsonl", "a")
    fact = find_processes([run])[run]
    assert is_alive(fact)
    process.kill()
    until(lambda: not is_alive(fact), "the end of the process")
    assert process.returncode is None  # not waited for yet: it is a zombie
    process.communicate()
    assert not is_alive(fact)


def test_another_process_with_the_same_number_is_not_the_same() -> None:
    """Process numbers are given again; the start time tells."""
    started = psutil.Process().create_time()
    assert is_alive(ProcessFact(pid=os.getpid(), started=started))
    assert not is_alive(ProcessFact(pid=os.getpid(), started=started - 60))
