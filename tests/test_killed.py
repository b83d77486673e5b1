"""SIGKILL at any moment: nothing is lost, nothing doubled, and every verdict is the one an unkilled daemon gives.

Every format is read at once: packed columns, narrow rows and their sealing, records with checksums, a table that is
written anew, a log, a database that grows.
"""

from __future__ import annotations

import json
import math
import random
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.conftest import Neat, until
from tests.fault_files import Jsonl, Lightning, Mlflow, every_format
from tests.fault_matrix import compare, contents, is_all_judged, kept_as, unread, wait_for
from tests.mother import Born

KILLS, LINES = 20, 4_800  # tests/bench/test_faults_bench.py kills longer


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


def progress(home: Path) -> tuple[int, int]:
    """(offsets read to, lines judged to) of all sources together, straight from the databases."""
    try:
        points = sqlite3.connect(f"file:{home / 'points.db'}?mode=ro", uri=True)
        records = sqlite3.connect(f"file:{home / 'neat.db'}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return 0, 0
    try:
        offset = points.execute('SELECT sum("offset") FROM reading').fetchone()[0]
        judged = records.execute("SELECT sum(seq) FROM judging").fetchone()[0]
        return offset or 0, judged or 0
    except sqlite3.OperationalError:
        return 0, 0
    finally:
        points.close()
        records.close()


LIFE = """
from neatd import daemon
from neatd.pipeline import loop, taking
taking.SEAL_ROWS = 40  # so that lives are long enough to seal what waits in the narrow table
loop.FULL_DISK_PAUSE_S = 1.0
daemon.main()
"""


class Lives:
    """Daemons of a home, one after the other."""

    def __init__(self, neat: Neat) -> None:
        self.neat = neat
        self.process: Born | None = None

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    def begin(self) -> None:
        self.process = Born([sys.executable, "-c", LIFE], env=self.neat.env)

    def end(self, how: int) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait()
        self.process = None

    def close(self) -> None:
        if self.process:
            self.end(signal.SIGKILL)


@contextmanager
def lives(neat: Neat) -> Iterator[Lives]:
    made = Lives(neat)
    try:
        yield made
    finally:
        made.close()


def read_all(neat: Neat, of: Lives, made: list[Jsonl], content: bytes) -> None:
    """Let one daemon live until all is read and judged."""
    of.begin()
    until(lambda: unread(neat.home, "runs/a", len(content)) == 0, "the curve read", 300)
    for one in made:
        wait_for(neat, one.run, one.expected(), 300)
    until(lambda: is_all_judged(neat.home), "all of it judged", 300)
    of.end(signal.SIGTERM)


@pytest.mark.timeout(400)
def test_twenty_kills_leave_what_an_unkilled_daemon_leaves(tmp_path: Path) -> None:
    """Of each format: points, numbers, attempts, events, snapshots, detectors; after 20 SIGKILLs with bytes unread."""
    compare_killed_and_unkilled(tmp_path, KILLS, LINES)


def compare_killed_and_unkilled(tmp_path: Path, kills: int, lines: int) -> None:
    """Two daemons read the same files, and one of them is killed so many times."""
    content = curve(lines)
    homes = []
    for name in ("control", "killed"):
        (tmp_path / name).mkdir()
        neat = Neat(tmp_path / name)
        neat.settings(read_bytes=8192, judge_lines=300, sweep_s=0.2, stall_s=3600)
        neat.call("neat", "init", "--yes")
        neat.metrics("runs/a", content)
        made = every_format(neat.root, lines // 8)
        for one in made:
            one.grow(share(one, lines, 1 if name == "control" else 0))
        homes.append((neat, made))
    (control, to_control), (killed, to_killed) = homes
    with lives(control) as of:
        read_all(control, of, to_control, content)
    with lives(killed) as of:
        kill(killed, of, kills, to_killed, lines, len(content))
        read_all(killed, of, to_killed, content)
    expected, found = contents(control.home), contents(killed.home)
    compare(found, expected)
    assert set(expected) == {"runs/a", *(one.run for one in to_control)}
    assert len(expected["runs/a"]["events"]) > 10 and len(expected["runs/a"]["points"]) > lines
    kept = kept_as(killed.home)  # packed at once; and sealed, whether neighbours are alike or not
    assert {run for run in kept if "chunk" in kept[run]} >= {"runs/packed", "runs/narrow", "runs/a"}
    a_vanished_file_changes_nothing(killed)


def share(one: Jsonl, lines: int, part: float) -> int:
    """How many rows a file has: those of some formats are all there when the first daemon begins, the others grow."""
    if isinstance(one, Lightning | Mlflow):
        return int(lines // 8 * part)
    return lines if type(one) is Jsonl else lines // 4


def kill(killed: Neat, of: Lives, kills: int, made: list[Jsonl], lines: int, size: int) -> None:
    """Daemons that are killed one after the other, each before the end of the file, while other files grow."""
    before = (0, 0)
    for number in range(kills):
        of.begin()
        for one in made:
            one.grow(share(one, lines, (number + 1) / kills))
        # Alternately right after reading and right after judging moved on, so that both cursors are cut.
        until(
            lambda was=before, which=number % 2: progress(killed.home)[which] > was[which],
            f"progress before kill {number}",
        )
        of.end(signal.SIGKILL)
        before = progress(killed.home)
        assert unread(killed.home, "runs/a", size) > 0, f"kill {number} came after the end of the file"


def a_vanished_file_changes_nothing(neat: Neat) -> None:
    """What is told of the run stays as it was when its file is gone."""
    shown = neat.show("runs/a")
    (neat.root / "runs" / "a" / "metrics.jsonl").unlink()
    missing = "SELECT sum(is_missing) FROM reading"
    with lives(neat) as of, closing(sqlite3.connect(neat.home / "points.db")) as points:
        of.begin()
        until(lambda: points.execute(missing).fetchone()[0], "the daemon to see it gone")
        of.end(signal.SIGTERM)
    after = neat.show("runs/a")
    assert {name: (shown[name], after[name]) for name in shown if shown[name] != after[name]} == {}
