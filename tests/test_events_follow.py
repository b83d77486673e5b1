"""`neat events --follow`: each new event is one line, once, in order; and no follower outlives whom it is for."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from neatd.models import Run
from neatd.store import backup
from neatd.store.connection import transaction
from tests.cli_place import Cli
from tests.conftest import until
from tests.cost import slowness
from tests.mother import Born

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and hang-ups are told otherwise there")
COMMAND = [sys.executable, "-c", "from neatd.cli.main import main; main()", "events", "--follow"]
KEY = "ghp_" + "1234567890abcdefghijABCDEFGHIJ123456"
# Starts a follower, and something else that holds the pipe open; says who they are, and waits to be killed.
PARENT = """
import json, subprocess, sys, time
follower = subprocess.Popen(json.loads(sys.argv[1]), stdout=1, stderr=2)
holder = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stdout=1)
print(json.dumps([follower.pid, holder.pid]), file=sys.stderr, flush=True)
time.sleep(600)
"""
# Writes a hundred events, each in a transaction of its own.
WRITER = """
import os, sqlite3, sys
store = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
row = dict(zip(*[iter(sys.argv[2:])] * 2))
for number in range(100):
    row |= {"id": "e-" + os.urandom(8).hex(), "dedupe": os.urandom(8).hex()}
    names = ", ".join(row)
    store.execute(f"INSERT INTO event ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
"""


class Follower:
    """A follower as a process, and the lines that it writes."""

    def __init__(self, *words: str) -> None:
        self.process = Born([*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self.process.stdout and self.process.stderr
        self.out, self.err, self._read = self.process.stdout, self.process.stderr, b""

    def line(self, wait_s: float = 30.0) -> str:
        """The next one; "" when none comes in time."""
        deadline = time.monotonic() + wait_s
        while b"\n" not in self._read:
            ready, _, _ = select.select([self.out], [], [], max(0.0, deadline - time.monotonic()))
            new = os.read(self.out.fileno(), 1 << 16) if ready else b""
            if not new:
                return ""
            self._read += new
        line, _, self._read = self._read.partition(b"\n")
        return line.decode() + "\n"

    def shape(self) -> dict[str, Any]:
        return dict(json.loads(self.line()))

    def ended(self, number: int = 0, wait_s: float = 30.0) -> tuple[int, str]:
        """(the exit code, what stood on stderr), after a signal if one is named."""
        if number:
            self.process.send_signal(number)
        return self.process.wait(timeout=wait_s), self.err.read().decode()


@contextlib.contextmanager
def following(*words: str) -> Iterator[Follower]:
    found = Follower(*words)
    try:
        yield found
    finally:
        found.process.kill()
        found.process.wait()
        found.out.close()
        found.err.close()


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


@pytest.fixture
def made(cli: Cli) -> Run:
    return cli.add_run("runs/a", {"loss": [1.0]})


def last_id(cli: Cli) -> str:
    with cli.store() as store:
        return str(store.execute("SELECT id FROM event ORDER BY rowid DESC").fetchone()[0])


@contextlib.contextmanager
def follower(cli: Cli, made: Run, *words: str) -> Iterator[Follower]:
    """One that has begun to follow, and has told one event called `first`."""
    cli.add_event(made, "old", 1, 1.0)
    since = last_id(cli)
    cli.add_event(made, "first", 2, 1.0)
    with following("--since", since, *words) as found:
        assert "first" in found.line()
        yield found


def add_raw(cli: Cli, message: str, **fields: object) -> None:
    """An event as a hand or an older version may have written it."""
    row = {
        "id": f"e-{os.urandom(8).hex()}", "project_id": None, "rule": "raw", "started_at": "2026-03-01T12:00:00+00:00",
        "created_at": "2026-03-01T12:00:00.000000+00:00", "severity": "warning", "message": message,
        "dedupe": os.urandom(8).hex(), **fields,
    }  # fmt: skip
    with cli.store() as store:
        marks = ", ".join("?" * len(row))
        store.execute(f"INSERT INTO event ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))


def copy_event(cli: Cli, changes: list[dict[str, object]]) -> None:
    """The one event there is once more for each of `changes`, in one transaction."""
    with cli.store() as store, transaction(store):
        row = dict(store.execute("SELECT * FROM event").fetchone())
        for number, change in enumerate(changes):
            new = row | {"id": f"e-{number:016d}", "dedupe": f"k{number}", **change}
            store.execute(f"INSERT INTO event ({', '.join(new)}) VALUES ({', '.join('?' * len(new))})", [*new.values()])


def test_each_event_is_told_once_and_in_order(cli: Cli, made: Run) -> None:
    """Also hundreds that came before it looked, and those that come in one after another."""
    cli.add_event(made, "spike", 0, 1.0)
    since = last_id(cli)
    copy_event(cli, [{"step": n} for n in range(1, 1201)])
    with following("--since", since, "--json") as found:
        assert [found.shape()["step"] for _ in range(1200)] == list(range(1, 1201))
        for step in range(1201, 1221):
            cli.add_event(made, "spike", step, 1.0)
        assert [found.shape()["step"] for _ in range(20)] == list(range(1201, 1221))
        assert found.line(wait_s=1.2) == ""  # two more looks


@pytest.mark.parametrize("words", [(), ("--json",)], ids=["text", "json"])
def test_a_line_is_flat_redacted_and_names_run_and_event(cli: Cli, made: Run, words: tuple[str, ...]) -> None:
    """Line ends of every kind, escapes and keys reach nobody."""
    with follower(cli, made, *words) as found:
        add_raw(cli, f"one\ntwo\r\x1b[31m\x07three\u2028four\x85 {KEY}", run_id=made.id)
        line = found.line()
    assert line.count("\n") == 1 and line.endswith("\n") and len(line.splitlines()) == 1
    said = json.loads(line)["message"] if words else line
    assert "one two" in said and "three four" in said and KEY not in line and "\x1b" not in said
    assert words or ("warning raw in runs/a: " in line and "(e-" in line)


def test_a_run_and_a_severity_are_chosen(cli: Cli, made: Run) -> None:
    """What is of another run, of another project or less grave is left out."""
    other = cli.add_run("runs/b", {"loss": [1.0]})
    with follower(cli, made, "--run", "a", "--severity", "warning", "--json") as found:
        cli.add_event(other, "of another", 3, 1.0)
        cli.add_event(made, "less grave", 4, 1.0, severity="info")
        add_raw(cli, "of another project", project_id="another")
        cli.add_event(made, "last", 5, 1.0, severity="critical")
        assert found.shape()["rule"] == "last"


def test_an_event_of_a_run_that_is_not_known_is_told(cli: Cli, made: Run) -> None:
    """As of one that another machine made."""
    with follower(cli, made) as found:
        add_raw(cli, "lone", run_id="ru-0000000000000000")
        assert "warning raw: lone" in found.line()


def test_a_place_that_is_not_known_is_a_mistake(cli: Cli, made: Run) -> None:
    """Without --follow the option shortens the list."""
    cli.add_event(made, "old", 1, 1.0)
    since = last_id(cli)
    cli.add_event(made, "new", 2, 1.0)
    assert [one["rule"] for one in cli.json("events", "--since", since)] == ["new"]
    assert "no event's id begins with" in cli.refused("events", "--since", "e-none")
    assert "no event's id begins with" in cli.refused("events", "--follow", "--since", "")
    assert "several events" in cli.refused("events", "--since", "e")


def test_it_ends_with_its_reader_without_an_event(cli: Cli, made: Run) -> None:
    """Nothing has to be written to see that nobody reads."""
    with follower(cli, made) as found:
        found.out.close()
        assert found.ended()[0] == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_signals_end_it(cli: Cli, made: Run, number: int, code: int) -> None:
    """As other commands: without a traceback."""
    with follower(cli, made) as found:
        ended, said = found.ended(number)
    assert ended == code and "Traceback" not in said


@pytest.mark.parametrize("between", [[], ["sh", "-c", '"$@"; true', "sh"]], ids=["directly", "by a shell"])
def test_it_is_gone_when_its_parent_was_killed(cli: Cli, made: Run, between: list[str]) -> None:
    """Within 2 s, though another process holds its stdout open."""
    words = json.dumps([*between, *COMMAND])
    read, write = os.pipe()
    parent = subprocess.Popen([sys.executable, "-c", PARENT, words], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert parent.stderr
    line = next(one for one in parent.stderr if one.startswith("["))
    started, holder = map(psutil.Process, json.loads(line))
    try:
        cli.add_event(made, "old", 1, 1.0)
        with os.fdopen(read) as pipe:
            told = threading.Thread(target=pipe.readline)
            told.start()
            step = iter(range(2, 100_000))

            def is_told() -> bool:
                cli.add_event(made, "new", next(step), 1.0)
                return not told.is_alive()

            until(is_told, "a line")
            family = [started, *started.children(recursive=True)]
            followers = [one for one in family if "--follow" in one.cmdline()]
            parent.kill()
            parent.wait()
            begun = time.monotonic()
            until(lambda: not any(_is_alive(one) for one in followers), "the follower's end")
            assert followers and time.monotonic() - begun < 10  # its clock ticks every half second
            assert _is_alive(holder)
    finally:
        holder.kill()
        parent.stderr.close()


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_reader_that_reads_nothing_keeps_it_from_no_end(cli: Cli, made: Run) -> None:
    """It hangs in a full pipe, and a signal ends it with exit code 0."""
    cli.add_event(made, "old", 1, 1.0)
    since = last_id(cli)
    copy_event(cli, [{"message": "x" * 5000}] * 200)
    read, write = os.pipe()
    process = Born([*COMMAND, "--since", since], stdout=write, stderr=subprocess.DEVNULL)
    os.close(write)
    os.read(read, 1)
    until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_SLEEPING, "a full pipe")
    process.terminate()
    assert process.wait(timeout=30) == 0
    os.close(read)


def test_a_restored_store_is_followed_and_nothing_is_told_twice(cli: Cli, made: Run) -> None:
    """Neither what stood in the backup, nor what is judged once more; what is new in it is told."""
    with follower(cli, made, "--json") as found:
        backup.back_up(cli.home)
        cli.add_event(made, "after the backup", 3, 1.0)
        assert found.shape()["rule"] == "after the backup"
        cli.ok("restore", "--yes")
        cli.add_event(made, "after the backup", 3, 1.0)  # judged once more
        cli.add_event(made, "new in it", 4, 1.0)
        assert found.shape()["rule"] == "new in it"
        cli.add_event(made, "last", 5, 1.0)
        assert found.shape()["rule"] == "last"


def test_a_store_that_is_moved_away_and_back_is_waited_for(cli: Cli, made: Run) -> None:
    """No new one is made in its place."""
    with follower(cli, made, "--json") as found:
        with cli.store() as store:
            store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        path, away = cli.home / "neat.db", cli.home / "away.db"
        path.rename(away)
        assert found.line(wait_s=1.2) == "" and found.process.poll() is None and not path.exists()  # it looked twice
        away.rename(path)
        cli.add_event(made, "new", 3, 1.0)
        assert found.shape()["rule"] == "new" and found.process.poll() is None


def test_a_locked_store_is_waited_for(cli: Cli, made: Run) -> None:
    """Nobody may read it for a while; then all is told."""
    with cli.store() as store:
        store.execute("PRAGMA journal_mode = DELETE")  # where a writer keeps readers out
    with follower(cli, made, "--json") as found, cli.store() as store:
        store.execute("BEGIN EXCLUSIVE")
        row = dict(store.execute("SELECT * FROM event WHERE rule = 'first'").fetchone())
        row |= {"id": "e-" + "1" * 16, "rule": "locked", "dedupe": "locked"}
        store.execute(f"INSERT INTO event ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))
        assert found.line(wait_s=2.5) == "" and found.process.poll() is None  # it looked in vain
        store.execute("COMMIT")
        assert found.shape()["rule"] == "locked"


def test_a_damaged_store_ends_it_with_an_error(cli: Cli, made: Run) -> None:
    """Which file, and what to do."""
    with follower(cli, made) as found:
        broken = cli.home / "broken.db"
        broken.write_bytes(b"no database " * 1000)
        for name in ("neat.db-wal", "neat.db-shm"):
            (cli.home / name).unlink(missing_ok=True)
        broken.replace(cli.home / "neat.db")
        code, said = found.ended()
    assert code == 1 and "error: the store cannot be read" in said and "hint: " in said and "Traceback" not in said


def test_no_transaction_is_open_between_looks(cli: Cli, made: Run) -> None:
    """The log can be brought into the database whole while somebody follows."""
    with follower(cli, made), cli.store() as store:
        cli.add_event(made, "new", 3, 1.0)

        def is_whole() -> bool:
            return tuple(store.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()) == (0, 0, 0)

        until(is_whole, "a checkpoint that nobody hinders")


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="needs the kernel's nanoseconds")
def test_it_costs_next_to_nothing_while_nothing_happens(cli: Cli, made: Run) -> None:
    """Under half a percent of a core."""
    with follower(cli, made) as found:

        def used_s() -> float:
            tasks = Path(f"/proc/{found.process.pid}/task").glob("*/schedstat")
            return sum(int(one.read_text().split()[0]) for one in tasks) / 1e9

        begun, used = time.monotonic(), used_s()
        until(lambda: time.monotonic() - begun > 3, "three seconds")
        share = (used_s() - used) / (time.monotonic() - begun)
    print(f"{100 * share:.3f} % of a core")
    assert share < 0.005 * slowness()


def test_what_several_processes_write_at_once_is_told_in_the_order_of_the_store(cli: Cli, made: Run) -> None:
    """Nothing is missed between two commits."""
    row = {
        "rule": "raw", "started_at": "2026-03-01T12:00:00+00:00", "severity": "warning", "message": "x",
        "created_at": "2026-03-01T12:00:00.000000+00:00",
    }  # fmt: skip
    words = [word for pair in row.items() for word in pair]
    with follower(cli, made, "--json") as found:
        writers = [
            subprocess.Popen([sys.executable, "-c", WRITER, str(cli.home / "neat.db"), *words]) for _ in range(3)
        ]
        told = [found.shape()["id"] for _ in range(300)]
        assert [writer.wait(timeout=30) for writer in writers] == [0, 0, 0]
    with cli.store() as store:
        written = [one[0] for one in store.execute("SELECT id FROM event WHERE rule = 'raw' ORDER BY rowid")]
    assert told == written
