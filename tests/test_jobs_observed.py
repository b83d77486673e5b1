"""What became of a job, told from what it left on the disk and from living processes; and how one is stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


# ---- evidence ----


def test_a_job_without_a_start_is_queued(place: Place) -> None:
    """Nothing written, or not even a directory, means it was never started."""
    assert observe(place.dir).status == "queued"


def test_a_torn_exit_code_counts_as_none(place: Place) -> None:
    """Every strict prefix of exit.json, and an empty one, leaves the job lost as if the file were not there."""
    place.start("pass")
    place.ended()
    wait_for(lambda: is_over(place.file(shim.START)["shim_pid"]))
    whole = (place.dir / shim.EXIT).read_bytes()
    for cut in range(len(whole)):
        (place.dir / shim.EXIT).write_bytes(whole[:cut])
        assert observe(place.dir).status == "lost"


def test_a_torn_start_counts_as_none(place: Place) -> None:
    """Half a start.json tells nothing about a process."""
    place.claim()
    whole = (place.dir / shim.START).read_bytes()
    (place.dir / shim.START).write_bytes(whole[:-1])
    assert observe(place.dir).status == "queued"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
start_files = st.dictionaries(
    st.sampled_from(["pid", "started", "ticks", "boot_id", "shim_pid", "shim_started", "shim_ticks", "code", "ended"]),
    json_values | st.integers(min_value=1),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=start_files, ending=json_values | start_files, tail=st.binary(max_size=3))
def test_no_content_makes_observe_raise(tmp_path: Path, start: object, ending: object, tail: bytes) -> None:
    """Whatever the two files hold, a state comes back."""
    (tmp_path / shim.START).write_text(json.dumps(start))
    (tmp_path / shim.EXIT).write_bytes(json.dumps(ending).encode() + tail)
    assert observe(tmp_path).reason


def test_a_living_process_of_the_same_start_is_running(place: Place) -> None:
    """The shim is gone but the job lives: running, with the warning that its code will stay unknown."""
    place.claim()
    state = observe(place.dir)
    assert (state.status, state.pid) == ("running", os.getpid())
    assert "exit code will stay unknown" in state.reason


def test_without_ticks_the_start_time_decides(place: Place) -> None:
    """Where the system has no start ticks, the clock noted at the start tells the process from a later one."""
    place.claim(ticks=None)
    assert observe(place.dir).status == "running"
    place.claim(ticks=None, started=psutil.Process().create_time() - 60, boot_id=shim.boot_id() or "")
    assert observe(place.dir).status == "lost"


@linux
def test_a_reused_pid_is_lost_and_never_signalled(place: Place) -> None:
    """A living process under the job's pid that started one tick later is another one: stop does not touch it."""
    with subprocess.Popen([sys.executable, "-c", UNTIL_GO], cwd=place.cwd, start_new_session=True) as other:
        place.claim(pid=other.pid, ticks=shim.start_ticks(other.pid) - 1)
        state = stop(place.dir, 0.1)
        assert (state.status, state.reason) == ("lost", "the process is gone and left no exit code")
        place.go()
        assert other.wait(20) == 0


@linux
def test_a_zombie_has_ended(place: Place) -> None:
    """A process that ended and was not reaped is not running."""
    with subprocess.Popen([sys.executable, "-c", "pass"]) as child:
        ticks = shim.start_ticks(child.pid)
        place.claim(pid=child.pid, ticks=ticks)
        wait_for(lambda: shim.proc_stat(child.pid)[0] == "Z")
        assert observe(place.dir).status == "lost"


@linux
def test_another_boot_is_interrupted(place: Place) -> None:
    """After a restart of the machine no process can be the job, whatever its pid says."""
    place.claim(boot_id="00000000-0000-0000-0000-000000000000")
    state = observe(place.dir)
    assert (state.status, state.reason) == ("interrupted", "the machine restarted")


def test_a_start_before_this_boot_is_interrupted(place: Place) -> None:
    """Where the system has no boot id, a start before the boot tells the same."""
    place.claim(boot_id="", ticks=None, started=psutil.boot_time() - 60)
    assert observe(place.dir).status == "interrupted"


@posix
def test_a_job_whose_shim_died_runs_on_and_is_then_lost(place: Place) -> None:
    """SIGKILL to the shim: the job is running while it lives, and afterwards lost, since nobody saw its code."""
    place.start(UNTIL_GO)
    own = place.shim()
    own.kill()
    wait_for(lambda: is_over(own.pid))
    assert observe(place.dir).status == "running"
    place.go()
    state = place.ended()
    assert (state.status, state.exit_code) == ("lost", None)
    assert state.reason == "the process is gone and left no exit code"


@posix
def test_a_job_that_just_ended_is_never_called_lost(place: Place) -> None:
    """Between the end of the process and exit.json the shim's life keeps the verdict open."""
    for _ in range(5):
        place.start("raise SystemExit(9)")
        seen = [observe(place.dir).status]
        wait_for(lambda seen=seen: seen.append(observe(place.dir).status) or seen[-1] != "running")
        assert set(seen) <= {"running", "failed"}
        for name in (shim.START, shim.EXIT):
            (place.dir / name).unlink()


# ---- stopping ----


@posix
def test_stop_lets_a_job_tidy_up(place: Place) -> None:
    """SIGTERM comes first, and a job that answers it ends with its own code."""
    program = (
        "import signal, sys\n"
        "def end(*_): open('saved', 'w').close(); sys.exit(143)\n"
        "signal.signal(signal.SIGTERM, end); open('ready', 'w').close()\n"
    )
    place.start(program + UNTIL_GO)
    wait_for((place.cwd / "ready").exists)
    state = stop(place.dir, 20)
    assert (state.status, state.reason) == ("killed", "exit code 143 (SIGTERM)")
    assert (place.cwd / "saved").exists()


DEAF = """
import os, signal, subprocess, sys
def start(name, **options): return subprocess.Popen([sys.executable, "deaf.py", name], **options)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
name = sys.argv[1]
if name == "maker": sys.exit(start("orphan") and 0)
if name == "job": start("maker").wait(); start("child", start_new_session=True)
if name == "child": start("grandchild", start_new_session=True)
with open(name, "w") as file: file.write(str(os.getpid()))
os.rename(name, name + ".pid")
"""


@posix
def test_stop_kills_what_ignores_it_with_all_descendants(place: Place) -> None:
    """Deaf to SIGTERM: the job, an orphan in its group, a child and its child in sessions of their own. None is left."""
    (place.cwd / "deaf.py").write_text(DEAF + UNTIL_GO)
    launch(place.job(sys.executable, "deaf.py", "job"), place.dir, place.log, {})
    files = [place.cwd / f"{name}.pid" for name in ("job", "orphan", "child", "grandchild")]
    wait_for(lambda: all(f.exists() for f in files))
    state = stop(place.dir, 0.1)
    assert (state.status, state.reason) == ("killed", "killed by SIGKILL")
    assert all(is_over(int(f.read_text())) for f in files)


def test_stop_leaves_an_ended_job_as_it_is(place: Place) -> None:
    """Stopping what has finished returns its state."""
    place.start("pass")
    place.ended()
    assert stop(place.dir, 0.1).status == "finished"
