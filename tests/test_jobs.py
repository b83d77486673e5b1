"""Jobs as real processes: started by a shim once, with what was asked for, and outliving everything around them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from neatd.errors import NeatError
from neatd.jobs import shim
from neatd.jobs.ending import stop
from neatd.jobs.launch import launch
from neatd.jobs.reconcile import observe
from tests.jobs_made import UNTIL_GO, Place, is_over, linux, posix, wait_for


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    if observe(place.dir).pid != os.getpid():  # which `claim` names
        stop(place.dir, 0.0)


# ---- how a job ends ----


def test_a_finished_job_is_finished(place: Place) -> None:
    """A program that ends well leaves code 0, its times and its peak memory."""
    place.start("pass")
    state = place.ended()
    assert (state.status, state.exit_code, state.reason) == ("finished", 0, "exit code 0")
    assert state.pid and state.started and state.ended and state.started <= state.ended
    if sys.platform != "win32":
        assert 1 << 20 < place.file(shim.EXIT)["maxrss_bytes"] < 1 << 30


def test_a_failed_job_tells_its_exit_code(place: Place) -> None:
    """A code above zero is a failure and the reason says which."""
    place.start("raise SystemExit(3)")
    state = place.ended()
    assert (state.status, state.exit_code, state.reason) == ("failed", 3, "exit code 3")


@posix
def test_a_killed_job_names_the_signal(place: Place) -> None:
    """A job that a signal ended is killed, with the signal's name."""
    place.start(UNTIL_GO)
    os.kill(observe(place.dir).pid, signal.SIGKILL)
    state = place.ended()
    assert (state.status, state.exit_code, state.reason) == ("killed", -9, "killed by SIGKILL")
    assert place.file(shim.EXIT)["signal"] == 9


@pytest.mark.parametrize(("code", "name"), [(130, "SIGINT"), (143, "SIGTERM")])
def test_a_shells_code_for_a_signal_is_killed(place: Place, code: int, name: str) -> None:
    """128 + n is how a program that tidies up first reports the signal that ended it."""
    place.start(f"raise SystemExit({code})")
    state = place.ended()
    assert (state.status, state.exit_code, state.reason) == ("killed", code, f"exit code {code} ({name})")


def test_a_command_that_is_not_there_fails_with_127(place: Place) -> None:
    """Launching a missing program raises nothing; the state says what could not be started."""
    launch(place.job("no-such-program-here", "x"), place.dir, place.log, {})
    state = place.ended()
    assert (state.status, state.exit_code) == ("failed", 127)
    assert state.reason.startswith("could not be started: ")
    assert "no-such-program-here" in state.reason


def test_a_folder_that_is_not_there_fails_with_127(place: Place) -> None:
    """A job whose working folder is gone ends at once and names the folder."""
    place.cwd.rmdir()
    place.start("pass")
    state = place.ended()
    assert (state.status, state.exit_code) == ("failed", 127)
    assert str(place.cwd) in state.reason


# ---- outliving ----

LAUNCHER = """
import sys, time
from pathlib import Path
from neatd.jobs.launch import launch
from neatd.models import Job
now = "2026-01-02T00:00:00Z"
command = (sys.executable, "-c", sys.argv[1])
folder = Path(sys.argv[2])
job = Job(id="j-1", project_id="p", name="n", command=command, cwd=str(folder / "work"), created_at=now, updated_at=now)
launch(job, folder / "jobs" / "j-1", folder / "logs" / "j-1.log", {})
print("launched", flush=True)
time.sleep(60)
"""


@posix
def test_exit_code_7_is_recovered_after_the_launcher_was_killed(place: Place, tmp_path: Path) -> None:
    """The launcher's whole process group gets SIGKILL; the job goes on, and its exit code is known."""
    program = UNTIL_GO + "sys.exit(7)"
    with subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, program, str(tmp_path)], stdout=subprocess.PIPE, start_new_session=True
    ) as launcher:
        assert launcher.stdout.readline() == b"launched\n"
        os.killpg(launcher.pid, signal.SIGKILL)
    assert observe(place.dir).status == "running"
    place.go()
    state = place.ended()
    assert (state.status, state.exit_code) == ("failed", 7)


@posix
def test_neither_zombie_nor_shim_is_left_behind(place: Place) -> None:
    """The shim is never our child, so it cannot become our zombie; when the job has ended both processes have."""
    place.start(UNTIL_GO)
    own, job = place.shim(), observe(place.dir).pid
    assert {own.pid, job}.isdisjoint(p.pid for p in psutil.Process().children(recursive=True))
    assert os.getsid(job) == job
    place.go()
    assert place.ended().status == "finished"
    wait_for(lambda: is_over(own.pid))
    assert not psutil.pid_exists(job)  # its shim reaped it


@posix
def test_the_shim_survives_the_signals_of_a_shutdown(place: Place) -> None:
    """SIGTERM, SIGINT and SIGHUP to the shim change nothing: the job's own end decides."""
    place.start(UNTIL_GO + "sys.exit(5)")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        place.shim().send_signal(number)
    place.go()
    assert place.ended().exit_code == 5


@posix
def test_an_exit_code_waits_until_it_can_be_written(place: Place) -> None:
    """While exit.json cannot be written the job is still running; its code is there once it can."""
    place.start(UNTIL_GO + "sys.exit(4)")
    job = observe(place.dir).pid
    (place.dir / shim.EXIT).mkdir()  # a file cannot replace a folder, whoever runs this
    place.go()
    attempts: set[int] = set()
    wait_for(lambda: attempts.update(t.stat().st_mtime_ns for t in place.dir.glob(".exit.json.*")) or len(attempts) > 1)
    assert is_over(job)
    state = observe(place.dir)
    assert (state.status, state.reason) == ("running", "the process has ended, its exit code is being written")
    (place.dir / shim.EXIT).rmdir()
    assert place.ended().exit_code == 4


# ---- once ----


def test_a_running_job_is_not_started_twice(place: Place) -> None:
    """A second launch of the same directory returns, runs nothing and keeps the first one's spec."""
    program = "open('count', 'a').write('x')\n" + UNTIL_GO
    place.start(program)
    first = observe(place.dir).pid
    place.start(program + "# another")
    assert observe(place.dir).pid == first
    assert place.file(shim.SPEC)["command"][-1] == program
    place.go()
    place.ended()
    assert (place.cwd / "count").read_text() == "x"


def test_an_ended_job_is_not_started_again(place: Place) -> None:
    """A shim that finds exit.json leaves at once, even if start.json is gone."""
    place.start("open('count', 'a').write('x')")
    place.ended()
    (place.dir / shim.START).unlink()
    subprocess.run([sys.executable, "-I", "-S", shim.__file__, str(place.dir)], check=True, timeout=20)
    assert (place.cwd / "count").read_text() == "x"


def test_a_shim_leaves_when_another_holds_the_lock(place: Place) -> None:
    """Whoever holds the lock is starting the job: a second shim ends with nothing done."""
    place.spec("open('count', 'a').write('x')")
    lock = shim.take_lock(place.dir / shim.LOCK)
    assert lock is not None
    subprocess.run([sys.executable, "-I", "-S", shim.__file__, str(place.dir)], check=True, timeout=20)
    os.close(lock)
    assert observe(place.dir).status == "queued"
    assert not (place.cwd / "count").exists()


def test_eight_shims_at_once_start_one_job(place: Place) -> None:
    """Of shims started at the same moment one stays with the job and the others leave."""
    place.spec("open('count', 'a').write('x')\n" + UNTIL_GO)
    shims = [subprocess.Popen([sys.executable, "-I", "-S", shim.__file__, str(place.dir)]) for _ in range(8)]
    wait_for(lambda: sum(s.poll() is None for s in shims) == 1)
    place.go()
    assert [s.wait(20) for s in shims] == [0] * 8
    assert place.ended().status == "finished"
    assert (place.cwd / "count").read_text() == "x"


def test_launching_from_four_threads_starts_one_job(place: Place) -> None:
    """Concurrent launches all return, and one process runs."""
    errors: list[NeatError] = []

    def start() -> None:
        try:
            place.start("open('count', 'a').write('x')\n" + UNTIL_GO)
        except NeatError as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    place.go()
    assert (errors, place.ended().status) == ([], "finished")
    assert (place.cwd / "count").read_text() == "x"


@posix
def test_a_start_is_on_record_before_the_command_runs(place: Place) -> None:
    """The command's first act can read its own start.json: no crash can hide a job that ran."""
    program = "import json, os, sys; sys.exit(json.load(open(sys.argv[1]))['pid'] != os.getpid())"
    place.start(program, str(place.dir / shim.START))
    assert place.ended().status == "finished"


# ---- what the command gets ----


def test_arguments_arrive_literally(place: Place) -> None:
    """Spaces, quotes, newlines, globs and non-ASCII pass through no shell."""
    arguments = ["a b", "it's", 'say "no"', "$HOME", "*", "", "two\nlines", "é ∂", "--x=1; rm -rf ."]
    place.start("import json, sys; json.dump(sys.argv[1:], open('argv', 'w'))", *arguments)
    place.ended()
    assert json.loads((place.cwd / "argv").read_text()) == arguments


def test_the_log_receives_both_outputs_after_what_it_held(place: Place) -> None:
    """stdout and stderr are appended to the log while the job runs, unbuffered; stdin is empty."""
    place.log.parent.mkdir()
    place.log.write_text("before\n")
    place.start("import sys\nprint('out', repr(sys.stdin.read()))\nprint('err', file=sys.stderr)\n" + UNTIL_GO)
    wait_for(lambda: place.log.read_text().splitlines() == ["before", "out ''", "err"])
    assert observe(place.dir).status == "running"


def test_the_environment_is_ours_and_the_jobs(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job sees the launcher's variables, those given, and its id; the given ones may turn buffering on."""
    monkeypatch.setenv("OURS", "1")
    monkeypatch.setenv("NEAT_JOB_ID", "j-parent")
    names = ["OURS", "GIVEN", "NEAT_JOB_ID", "PYTHONUNBUFFERED"]
    program = f"import os; open('env', 'w').write(' '.join(os.environ[n] for n in {names}))"
    place.start(program, env={"GIVEN": "2", "PYTHONUNBUFFERED": "0"})
    place.ended()
    assert (place.cwd / "env").read_text() == "1 2 j-1 0"


@posix
def test_a_launcher_that_ignores_signals_does_not_pass_that_on(place: Place) -> None:
    """Ignored and blocked signals are inherited through exec; a job must be stoppable all the same."""
    old = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        place.start(UNTIL_GO)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
        signal.signal(signal.SIGTERM, old)
    os.kill(observe(place.dir).pid, signal.SIGTERM)
    assert place.ended().reason == "killed by SIGTERM"


@linux
def test_no_descriptor_of_the_launcher_reaches_the_job(place: Place, tmp_path: Path) -> None:
    """An inheritable file of ours is not open in the shim or the job, whose own are stdin, the log and the lock."""
    with (tmp_path / "ours").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        place.start("print('up')" + UNTIL_GO)
        wait_for(lambda: place.log.read_text() == "up\n")  # until then it may be the shim's child before its exec
        for pid in (place.shim().pid, observe(place.dir).pid):
            targets = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
            assert str(tmp_path / "ours") not in targets
        assert sorted(set(targets)) == sorted(["/dev/null", str(place.log)])


def test_a_job_directory_that_cannot_be_made_is_an_error_with_a_hint(place: Place) -> None:
    """A file where the directory should be raises NeatError naming it."""
    place.dir.parent.touch()
    with pytest.raises(NeatError) as caught:
        place.start("pass")
    assert str(place.dir) in caught.value.message
    assert caught.value.hint
