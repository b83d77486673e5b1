"""The process behind a run: the one that writes there, told from readers, workers and successors with its number."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from neatd.models import ProcessFact
from neatd.read.process import find_processes, is_alive
from neatd.read.processfacts import described, identity, libraries_of, started_by
from tests.conftest import until
from tests.fixtures import WAIT, Start

HOLD = "import sys; file = open(sys.argv[1], sys.argv[2]); print('ready', flush=True); sys.stdin.read()"
needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells how a file is open")


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


# ---- what the process tells of itself ----


def test_a_process_is_known_by_ticks_that_no_clock_moves() -> None:
    """The clock was set by an hour: by its start in unix seconds it would be another process."""
    fact = ProcessFact(pid=os.getpid(), started=psutil.Process().create_time() - 3600)
    assert not is_alive(fact)
    known = identity(os.getpid())
    assert is_alive(fact.model_copy(update=known)) == bool(known)


@needs_linux
def test_the_same_ticks_in_another_life_of_the_machine_are_another_process(start: Start, run: Path) -> None:
    """And the process that was found has both."""
    process = start(HOLD, run / "metrics.jsonl", "a")
    fact = find_processes([run])[run]
    assert fact.pid == process.pid and fact.start_ticks and fact.boot_id and is_alive(fact)
    assert not is_alive(fact.model_copy(update={"boot_id": "before"}))
    assert not is_alive(fact.model_copy(update={"start_ticks": fact.start_ticks + 1}))


@needs_linux
def test_of_the_environment_only_names_and_a_short_list_are_kept(tmp_path: Path) -> None:
    """A secret's value is nowhere in the fact, whatever its name; a place is told by its last part."""
    told = {
        "CUDA_VISIBLE_DEVICES": "0,1", "RANK": "3", "PYTORCH_CUDA_ALLOC_CONF": "max_split_size_mb:64", "NCCL_DEBUG": "INFO",
        "HF_TOKEN": "hf_secretsecret", "MY_PLAIN": "plain-value", "VIRTUAL_ENV": "/home/ana/envs/torch2/",
        "NCCL_AUTH_TOKEN": "q9X2mK7pL4vR8sT1", "TMUX": "/tmp/tmux-0/default,1,0",
    }  # fmt: skip
    code = "print('begun', flush=True); input()"  # a process that is only being made has no environment yet
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], env=told, cwd=tmp_path, **pipes) as process:
        assert process.stdout is not None and process.stdout.readline() == b"begun\n"
        fact = described(ProcessFact(pid=process.pid, started=0.0, command="python train.py"))
        process.communicate(b"\n")
    assert {"HF_TOKEN", "MY_PLAIN", "TMUX"} <= set(fact.env_names) and fact.started_by == "tmux"
    assert fact.env == {
        "CUDA_VISIBLE_DEVICES": "0,1", "RANK": "3", "PYTORCH_CUDA_ALLOC_CONF": "max_split_size_mb:64", "NCCL_DEBUG": "INFO",
        "NCCL_AUTH_TOKEN": "[secret removed]", "VIRTUAL_ENV": "torch2",
    }  # fmt: skip
    whole = fact.model_dump_json()
    assert not [value for value in ("hf_secret", "plain-value", "q9X2", "/home/ana") if value in whole]
    assert fact.cwd == str(tmp_path) and fact.host == platform.node() and "python" in fact.interpreter
    assert fact.command == "python train.py" and ProcessFact.model_validate_json(whole) == fact


def test_a_process_that_is_gone_tells_nothing_more() -> None:
    """The fact stays as it was, also when its number has another process now."""
    gone = ProcessFact(pid=2**22 + 1, started=0.0)
    assert described(gone) == gone
    other = ProcessFact(pid=os.getpid(), started=0.0, start_ticks=1, boot_id="x")
    assert described(other) == other


@pytest.mark.parametrize(
    ("names", "environment", "unit", "expected"),
    [
        (["bash", "tmux: server", "sshd", "systemd"], {}, "session-3.scope", "tmux"),
        (["bash", "SCREEN", "systemd"], {}, "", "screen"),
        (["bash", "sshd", "systemd"], {}, "session-3.scope", "ssh"),
        (["srun", "slurmstepd"], {}, "", "slurm"),
        (["bash", "gnome-terminal-", "systemd"], {}, "", "terminal"),
        (["jupyter-lab", "bash", "gnome-terminal-"], {}, "", "jupyter"),
        (["sh", "cron"], {}, "cron.service", "cron"),
        (["systemd"], {"TMUX": "x"}, "", "tmux"),
        (["systemd"], {"SLURM_JOB_ID": "7"}, "", "slurm"),
        (["systemd"], {"SSH_CONNECTION": "1 2 3 4"}, "session-1.scope", "ssh"),
        (["systemd"], {}, "training.service", "systemd"),
        (["systemd"], {}, "user@1000.service", ""),
        (["screensaver", "codec"], {"TMUX": ""}, "", ""),
    ],
)  # fmt: skip
def test_who_started_a_process_is_the_nearest_that_says_so(
    names: list[str], environment: dict[str, str], unit: str, expected: str
) -> None:
    """An ancestor first; a process that outlived its parent still has its environment, a service its unit."""
    assert started_by(names, environment, unit) == expected


def test_a_process_with_a_terminal_and_nothing_else_was_started_in_one() -> None:
    """Of a terminal emulator nobody has heard of."""
    assert started_by(["bash", "myterm"], {}, "", has_terminal=True) == "terminal"


def fake_maps(root: Path, torch: Path, *more: str) -> Path:
    (root / "77").mkdir(parents=True)
    lines = [f"7f{n:010x}-7f{n + 1:010x} r-xp 00000000 fe:00 123  {path}" for n, path in enumerate([
        "/usr/lib/x86_64-linux-gnu/libc.so.6", f"{torch}/lib/libtorch_cpu.so", *more])]  # fmt: skip
    (root / "77" / "maps").write_text("\n".join(lines) + "\n")
    return root


@pytest.mark.parametrize(
    ("mapped", "device"), [((), ""), (("/dev/nvidia-uvm", "/dev/nvidia0"), "cuda"), (("/dev/kfd",), "rocm")]
)
def test_the_torch_that_is_loaded_is_told_by_its_own_file(tmp_path: Path, mapped: tuple[str, ...], device: str) -> None:
    """Read as text and never run; which accelerator is held open stands beside it."""
    torch = tmp_path / "site-packages" / "torch"
    torch.mkdir(parents=True)
    (torch / "version.py").write_text(
        "from typing import Optional\n__all__ = ['x']\n__version__ = '2.13.0+cu128'\ndebug = False\n"
        "cuda: Optional[str] = '12.8'\ngit_version = 'abc'\nhip: Optional[str] = None\nraise SystemExit\n"
    )
    proc = fake_maps(tmp_path / "proc", torch, *mapped)
    assert libraries_of(77, proc) == ({"torch": "2.13.0+cu128", "cuda": "12.8"}, device)


def test_a_process_without_torch_has_none(tmp_path: Path) -> None:
    """Nor has one whose files may not be seen, or whose torch is not where it was."""
    assert libraries_of(1, tmp_path) == ({}, "")
    assert libraries_of(77, fake_maps(tmp_path / "proc", tmp_path / "gone" / "torch")) == ({}, "")
