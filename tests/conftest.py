"""What the black-box tests share: a project with a NEAT_HOME of its own, the two commands as a person types them, and
waiting for a condition. Loaded before any test: it keeps several processes of tests out of each other's way."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, settings

from neatd import control, lifesign
from neatd.cli import main
from neatd.who import VARIABLES
from tests.cli_place import user_home
from tests.fixtures import db, module_place, place, start  # noqa: F401
from tests.mother import bear, run_born
from tests.page.browsers import are_left_out, why_left_out
from tests.projects_made import put_project

PROGRAMS = {"neat": "main", "neatd": "neatd_main"}

# Half of the time of a `neat` that a test starts is compiling; compiled once, it is read by all that follow.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Who is started in the background, by `make test &`, ignores Ctrl-C, and so would all that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# xdist tells its workers the width of its own terminal; what neat does without one is what the tests are about.
os.environ.pop("COLUMNS", None)
# One thread of torch a test: the cores are busy with other tests. Has to be said before torch is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# How long a machine takes to make an example says nothing of the program.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
# Collecting makes a million objects that stay: a tenth of its time went into looking for others among them.
gc.disable()
_COUNT = count()
LONG_FILES = ("test_wheel.py", "test_trainer_lm.py", "test_rules_jump.py", "test_killed.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means: the cores this process may use, at most eight: each worker of tests costs 0.5 GB."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = Path("/sys/fs/cgroup/cpu.max")  # a container's share: microseconds of a core, of how many; or max
    quota, period = limit.read_text().split() if limit.is_file() else ("max", "1")
    return max(1, min(8, usable, usable if quota == "max" else int(quota) // int(period)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first: two of them share what takes half a minute to make, two others load torch, and a worker takes
    others' last tests."""
    items.sort(key=lambda item: item.path.name not in LONG_FILES)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was left out is said, in one line."""
    if are_left_out():
        terminalreporter.write_line(f"The tests of the page in a browser were left out: {why_left_out()}.")


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def until(is_true: Callable[[], Any], what: str, wait_s: float = 60.0) -> Any:
    """The first true answer of `is_true`; fails the test naming `what` when none comes in time.

    What takes long to ask is asked less often: on two cores, who asks keeps from its work the one who is to answer.
    """
    deadline = time.monotonic() + wait_s
    while True:
        begun = time.monotonic()
        found = is_true()
        if found:
            return found
        assert begun < deadline, f"waited {wait_s} s in vain for {what}"
        time.sleep(min(0.2, max(0.02, 3 * (time.monotonic() - begun))))


def put_text(path: Path, text: str) -> None:
    """Write a file whole, as editors do: whoever reads it meanwhile sees the old text or the new one, never half of it."""
    beside = path.with_name(f".{path.name}.beside")
    beside.write_text(text)
    beside.replace(path)


def bind_root_to_permissions() -> None:
    """For `preexec_fn`: takes root's power over file permissions from the child, so that a closed folder is closed."""
    if os.name == "posix" and os.getuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


class Neat:
    """A project in `root` whose store is in `home`."""

    def __init__(self, base: Path) -> None:
        self.root, self.home = base / "project", base / "home"
        self.root.mkdir()
        self.home.mkdir()

    @property
    def env(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key not in ("CLAUDECODE", "NEAT_HOME")}
        user = user_home(self.home.parent)
        return kept | {"NEAT_HOME": str(self.home), "HOME": str(user), "COLUMNS": "160"}

    def call(self, *words: str, check: bool = True, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run `neat …` or `neatd …` in the project, as an own process."""
        program = f"from neatd.cli.main import {PROGRAMS[words[0]]} as run; run()"
        done = run_born(
            [sys.executable, "-c", program, *words[1:]], cwd=self.root, env=self.env, text=True, capture_output=True,
            timeout=90, input=stdin,
        )  # fmt: skip
        if check:
            assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done

    def ask(self, *words: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of a command in this process: who waits for a condition asks many times a second."""
        out, err = StringIO(), StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.root)
            patch.delenv("CLAUDECODE", raising=False)
            for name in ("NEAT_HOME", "HOME", "COLUMNS"):
                patch.setenv(name, self.env[name])
            code = main.run(main.neat if words[0] == "neat" else main.neatd, words[1:])
        return code, out.getvalue(), err.getvalue()

    def json(self, *words: str) -> Any:
        """The JSON answer of a command, asked in this process."""
        code, out, err = self.ask(*words, "--json")
        assert code == 0, f"{words}: {out}{err}"
        return json.loads(out)

    def settings(self, **values: object) -> None:
        """Write NEAT_HOME/settings.yaml. A daemon that a busy machine makes slow looks at its folders less often, up to a
        minute apart: longer than a test waits. Here it looks every second; and hundreds of daemons start no page for nobody."""
        usual: dict[str, object] = {"full_sweep_s": 1.0, "page_ready": "false"}
        lines = [f"{name}: {value}" for name, value in (usual | values).items()]
        (self.home / "settings.yaml").write_text("\n".join(lines) + "\n")

    def metrics(self, run: str, *lines: object, mode: str = "a") -> Path:
        """Write lines into a run's metrics.jsonl: strings and bytes as they are, others as JSON."""
        path = self.root / run / "metrics.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode + "b") as file:
            for line in lines:
                raw = (
                    line if isinstance(line, bytes) else (line if isinstance(line, str) else json.dumps(line)).encode()
                )
                file.write(raw if isinstance(line, bytes) else raw + b"\n")
        return path

    def show(self, run: str) -> Any:
        """`neat run show` as JSON."""
        return self.json("neat", "run", "show", run)

    def values(self, run: str, metric: str) -> list[tuple[int, Any]]:
        """(step, value) of a series as `neat series` prints it; [] while the run or the series is not known."""
        code, out, _ = self.ask("neat", "series", run, metric, "--json")
        return [(step, value) for step, value, _ in json.loads(out)] if code == 0 else []

    def wait_for_points(self, run: str, metric: str, count: int) -> list[tuple[int, Any]]:
        """The series once it has `count` points."""
        found: list[tuple[int, Any]] = []

        def is_there() -> bool:
            found[:] = self.values(run, metric)
            return len(found) >= count

        until(is_there, f"{count} points of {metric} in {run}, not {len(found)}")
        return found

    def wait_for_event(self, rule: str) -> dict[str, Any]:
        """The newest event of a rule, once there is one."""

        def found() -> Any:
            return next((one for one in self.json("neat", "events") if one["rule"] == rule), None)

        event: dict[str, Any] = until(found, f"an event of {rule}")
        return event

    def wait_for_event_in_store(self, rule: str) -> str:
        """The message of an event of a rule, read past the commands (which may refuse a broken project)."""

        def found() -> str:
            records = sqlite3.connect(self.home / "neat.db")
            row = records.execute("SELECT message FROM event WHERE rule = ?", (rule,)).fetchone()
            records.close()
            return row[0] if row else ""

        return str(until(found, f"an event of {rule} in the store"))

    def start(self) -> int:
        """A daemon that watches and answers, as `neatd start` makes it (tests/test_daemon.py types that); returns its pid."""
        if not self.is_alive():
            born = bear(self.home, self.env)

            def has_begun() -> bool:
                assert psutil.pid_exists(born), control.log_path(self.home).read_text()
                return self.is_alive() and lifesign.read_state(self.home).get("pid") == born

            until(has_begun, "the daemon")
        return control.start(self.home)[0]

    def is_alive(self) -> bool:
        return lifesign.is_running(self.home)


@pytest.fixture(autouse=True)
def of_no_session() -> Iterator[None]:
    """A person runs the tests, also when an assistant does; what a hook tells its own process ends with the test."""
    told = {name: os.environ.pop(name) for name in VARIABLES if name in os.environ}
    yield
    for name in VARIABLES:
        os.environ.pop(name, None)
    os.environ.update(told)


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the test's own. pytest's looks through those of all tests before: 8 ms of each of the last thousand."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    path = tmp_path_factory.getbasetemp() / f"{name}-{next(_COUNT)}"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def neat(tmp_path: Path) -> Iterator[Neat]:
    """An initialised project; a daemon that the test started is ended after it."""
    made = Neat(tmp_path)
    made.settings(sweep_s=0.2, checkpoint_rest_s=0.3)
    assert put_project(made.root, made.home, user_home(tmp_path))
    yield made
    control.stop(made.home)
