"""SIGKILL at any moment: nothing is lost, nothing doubled, and every verdict is the one an unkilled daemon gives."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.conftest import Neat, until

KILLS = 50
LINES = 24_000


def curve(lines: int) -> bytes:
    """Metrics with everything a judge looks at: noise, spikes, NaN, a restart from an earlier step, evaluations."""
    rng = random.Random(7)
    text = []
    for number in range(1, lines + 1):
        step = number if number < lines * 3 // 4 else number - lines // 4  # the last quarter goes back
        loss = 1 + 3 * math.exp(-step / 900) + rng.gauss(0, 0.02)
        if number % 1500 == 0:
            loss *= 4
        line: dict[str, object] = {"step": step, "time": 1.7e9 + number, "train/loss": loss, "lr": 0.001}
        if number % 2200 == 0:
            line["train/loss"] = math.nan
        if number % 100 == 0:
            line |= {
                "val/loss": loss * 1.1,
                "val/accuracy": min(0.9, 0.5 + step / 9000) - (0.2 if number % 3700 == 0 else 0),
            }
        text.append(json.dumps(line))
    return ("\n".join(text) + "\n").encode()


def state(home: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every point and every event of a home, without what depends on the clock and on random ids."""
    points = sqlite3.connect(home / "points.db")
    records = sqlite3.connect(home / "neat.db")
    found = {
        "points": points.execute(
            "SELECT s.name, p.seq, p.step, p.value, p.time, p.attempt FROM point p JOIN series s ON s.id = p.series_id"
            " ORDER BY s.name, p.seq"
        ).fetchall(),
        "series": points.execute(
            "SELECT name, points, first_step, last_step, last, min, min_step, max, max_step, nonfinite"
            " FROM series ORDER BY name"
        ).fetchall(),
        "attempts": points.execute("SELECT attempt, from_seq, from_step FROM attempt ORDER BY attempt").fetchall(),
        "events": records.execute(
            "SELECT rule, metric, step, started_at, severity, value, score, threshold, message, details FROM event"
            " ORDER BY rule, metric, step, started_at"
        ).fetchall(),
        "snapshots": records.execute("SELECT count(*) FROM snapshot").fetchall(),
    }
    points.close()
    records.close()
    return found


def progress(home: Path) -> tuple[int, int]:
    """(offset read to, line judged to), straight from the databases."""
    try:
        points = sqlite3.connect(f"file:{home / 'points.db'}?mode=ro", uri=True)
        records = sqlite3.connect(f"file:{home / 'neat.db'}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return 0, 0
    try:
        offset = points.execute('SELECT max("offset") FROM reading').fetchone()[0]
        judged = records.execute("SELECT max(seq) FROM judging").fetchone()[0]
        return offset or 0, judged or 0
    except sqlite3.OperationalError:
        return 0, 0
    finally:
        points.close()
        records.close()


LIVES = """
import os, sys
from neatd import daemon

while sys.stdin.read(1):
    pid = os.fork()
    if pid == 0:
        daemon.main()
        os._exit(0)
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("over", flush=True)
"""


class Lives:
    """Daemons of a home, one after the other: processes of their own, born of one that has loaded the code before."""

    def __init__(self, neat: Neat) -> None:
        self.mother = subprocess.Popen(
            [sys.executable, "-c", LIVES], env=neat.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, bufsize=1,
        )  # fmt: skip
        self.pid = 0

    def begin(self) -> None:
        assert self.mother.stdin is not None and self.mother.stdout is not None
        self.mother.stdin.write(".")
        self.mother.stdin.flush()
        self.pid = int(self.mother.stdout.readline())

    def end(self, how: int) -> None:
        os.kill(self.pid, how)
        assert self.mother.stdout is not None and self.mother.stdout.readline() == "over\n"
        self.pid = 0

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
        self.mother.communicate(timeout=30)


@contextmanager
def lives(neat: Neat) -> Iterator[Lives]:
    made = Lives(neat)
    try:
        yield made
    finally:
        made.close()


def read_all(neat: Neat, of: Lives) -> None:
    """Let one daemon live until all is read and judged."""
    of.begin()
    until(lambda: progress(neat.home)[1] >= LINES, "the whole file judged", 90)
    of.end(signal.SIGTERM)


@pytest.mark.timeout(400)
def test_fifty_kills_leave_what_an_unkilled_daemon_leaves(tmp_path: Path) -> None:
    """Points, numbers, attempts, events and snapshots are equal after 50 SIGKILLs, each before the end of the file."""
    content = curve(LINES)
    homes = []
    for name in ("control", "killed"):
        (tmp_path / name).mkdir()
        neat = Neat(tmp_path / name)
        neat.settings(read_bytes=16_384, judge_lines=150, sweep_s=0.2, stall_s=3600)
        neat.call("neat", "init", "--yes")
        neat.metrics("runs/a", content)
        homes.append(neat)
    control, killed = homes
    with lives(control) as of:
        read_all(control, of)
    with lives(killed) as of:
        kill_and_read(killed, of, len(content))
    expected, found = state(control.home), state(killed.home)
    for what in expected:
        assert found[what] == expected[what], what
    assert len(expected["events"]) > 10 and len(expected["points"]) > LINES
    a_vanished_file_changes_nothing(killed)


def kill_and_read(killed: Neat, of: Lives, size: int) -> None:
    """Fifty daemons that are killed before the end of the file, and one that comes to it."""
    before = (0, 0)
    for kill in range(KILLS):
        of.begin()
        # Alternately right after reading and right after judging moved on, so that both cursors are cut.
        until(
            lambda was=before, which=kill % 2: progress(killed.home)[which] > was[which], f"progress before kill {kill}"
        )
        of.end(signal.SIGKILL)
        before = progress(killed.home)
        assert before[0] < size, f"kill {kill} came after the end of the file"
    read_all(killed, of)


def a_vanished_file_changes_nothing(neat: Neat) -> None:
    """What is told of the run stays as it was when its file is gone."""
    shown = neat.show("runs/a")
    (neat.root / "runs" / "a" / "metrics.jsonl").unlink()
    missing = "SELECT is_missing FROM reading"
    with lives(neat) as of, closing(sqlite3.connect(neat.home / "points.db")) as points:
        of.begin()
        until(lambda: points.execute(missing).fetchone()[0], "the daemon to see it gone")
        of.end(signal.SIGTERM)
    after = neat.show("runs/a")
    assert {name: (shown[name], after[name]) for name in shown if shown[name] != after[name]} == {}
