"""Files that are cut, rotated, replaced, enormous or written in pieces: each value of them is in the store once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.conftest import put_text, until
from tests.fault_files import Lightning, Narrow, Points, TensorBoard, Text
from tests.fault_matrix import check, count, wait_for
from tests.fault_place import Place, curve, lines

posix = pytest.mark.skipif(os.name == "nt", reason="signals that halt a process, and names of any bytes")
MOST_MEMORY = 300 << 20
LONG_LINE = 200 << 20


# ---- cut, rotated, replaced ----


def cut_to_nothing(path: Path) -> Points:
    with path.open("r+b") as file:
        file.truncate(0)
    path.write_bytes(lines(curve(1, 30, "other")))
    return curve(1, 30, "other")


def cut_to_the_middle(path: Path) -> Points:
    with path.open("r+b") as file:
        file.truncate(len(lines(curve(1, 40))))
    return curve(1, 40)


def cut_and_grown_past_the_offset(path: Path) -> Points:
    path.write_bytes(lines(curve(1, 300, "other")))
    return curve(1, 300, "other")


def cut_within_a_line_and_grown(path: Path) -> Points:
    with path.open("r+b") as file:
        file.truncate(len(lines(curve(1, 40))) + 7)
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + lines(curve(41, 300, "other")))
    return curve(1, 40) + curve(41, 300, "other")


def replaced_by_the_same(path: Path) -> Points:
    beside = path.with_name(".beside")
    shutil.copyfile(path, beside)
    with beside.open("ab") as file:
        file.write(lines(curve(101, 130)))
    beside.replace(path)
    return curve(1, 130)


def replaced_by_another(path: Path) -> Points:
    put_text(path, lines(curve(1, 120, "other")).decode())
    return curve(1, 120, "other")


def renamed_with_bytes_unread(path: Path) -> Points:
    with path.open("ab") as file:
        file.write(lines(curve(101, 120)))
    path.rename(path.with_name(path.name + ".1"))
    path.write_bytes(lines(curve(121, 150)))
    return curve(1, 150)


def copied_and_cut_with_bytes_unread(path: Path) -> Points:
    with path.open("ab") as file:
        file.write(lines(curve(101, 120)))
    shutil.copyfile(path, path.with_name(path.name + ".1"))
    with path.open("r+b") as file:
        file.truncate(0)
        file.write(lines(curve(121, 150)))
    return curve(1, 150)


def renamed_with_all_read(path: Path) -> Points:
    path.rename(path.with_name(path.name + ".2026-01-01"))
    path.write_bytes(lines(curve(101, 150)))
    return curve(1, 150)


def touched_long_ago(path: Path) -> Points:
    with path.open("ab") as file:
        file.write(lines(curve(101, 130), time=1.0e9))  # and the times within go back
    os.utime(path, (1.1e9, 1.1e9))
    return curve(1, 130)


ONE_ATTEMPT = (
    replaced_by_the_same, renamed_with_bytes_unread, copied_and_cut_with_bytes_unread, renamed_with_all_read,
    touched_long_ago,
)  # fmt: skip
TWO_ATTEMPTS = (
    cut_to_nothing, cut_to_the_middle, cut_and_grown_past_the_offset, cut_within_a_line_and_grown, replaced_by_another,
)  # fmt: skip


@posix
@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
@pytest.mark.parametrize("change", [*ONE_ATTEMPT, *TWO_ATTEMPTS])
def test_a_file_that_is_changed_behind_its_reader(place: Place, change: Callable[[Path], Points], is_up: bool) -> None:
    """What it held and holds is there once; only other content is another attempt. Read or killed and read again."""
    run = f"{change.__name__}-{is_up}"
    path = place.folder(run) / "metrics.jsonl"
    path.write_bytes(lines(curve(1, 100)))
    place.holds(run, curve(1, 100))
    if is_up:
        with place.halted():
            ought = change(path)
    else:
        place.down()
        ought = change(path)
        place.up()
    place.holds(run, ought)
    assert place.attempts(run) == (1 if change in ONE_ATTEMPT else 2)


@posix
def test_logs_that_rotate_are_read_to_their_ends_in_their_order(place: Place) -> None:
    """Twice renamed with bytes unread, then a life later once more: a log's values are there once, in one attempt."""
    folder = place.folder("rotated-log")
    writer = Text(place.neat.root)
    writer.path, writer.run = folder / "train.log", "runs/rotated-log"

    def rotate() -> None:
        for number in (3, 2, 1, 0):
            old = folder / (f"train.log.{number}" if number else "train.log")
            if old.exists():
                old.rename(folder / f"train.log.{number + 1}")

    writer.grow(50)
    wait_for(place.neat, writer.run, writer.expected())
    for rows in (60, 80):
        with place.halted():
            writer.grow(rows)
            rotate()
            writer.grow(rows + 10)
        wait_for(place.neat, writer.run, writer.expected())
    place.down()
    writer.grow(100)
    rotate()
    writer.grow(120)
    rotate()
    writer.grow(130)
    place.up()
    wait_for(place.neat, writer.run, writer.expected())
    assert place.attempts("rotated-log") == 1


def test_a_table_that_is_written_anew_at_full_speed_is_one_attempt(place: Place) -> None:
    """Lightning's, whose keys appear while it is read: half of a file is no other file."""
    writer = Lightning(place.neat.root, 600)
    for rows in range(20, 620, 20):
        writer.grow(rows)
    wait_for(place.neat, writer.run, writer.expected())
    assert place.attempts("csv") == 1


# ---- written in pieces ----


@posix
def test_files_that_grow_at_random_bytes_while_they_are_read(place: Place) -> None:
    """Cut within lines, within characters and within records by a writer at full speed: as if they had come at once."""
    made = place.neat.home.parent / "made"  # where nobody watches
    writers = [Narrow(made), TensorBoard(made), Text(made)]
    for one in writers:
        one.grow(1500)
        place.folder(Path(one.run).name)
    pieces = {str(one.path): str(place.neat.root / one.run / one.file) for one in writers}
    done = subprocess.run([sys.executable, "-c", WRITER, json.dumps(pieces)], check=True, timeout=60)
    assert done.returncode == 0
    for one in writers:
        wait_for(place.neat, one.run, one.expected())
        assert place.attempts(Path(one.run).name) == 1


WRITER = """
import json, pathlib, random, sys
rng = random.Random(5)
files = [(pathlib.Path(a).read_bytes(), open(b, "ab", buffering=0)) for a, b in json.loads(sys.argv[1]).items()]
while files:
    n = rng.randrange(len(files))
    data, file = files[n]
    size = rng.choice((1, 3, 40, 700, 5000))
    file.write(data[:size])
    files[n] = (data[size:], file)
    if not data:
        files.pop(n)
"""


# ---- odd names, wide and long ----


@posix
def test_names_of_any_bytes_harm_nothing(place: Place) -> None:
    """Folders and files that are not UTF-8, beside a run and in it: the run is read, and the walk tells of them."""
    folder = place.folder("odd-names")
    for odd in (b"\xff\xfe", b"caf\xe9"):
        beside = os.path.join(os.fsencode(folder.parent), odd)  # noqa: PTH118 - bytes are no Path
        within = os.path.join(os.fsencode(folder), odd)  # noqa: PTH118
        os.makedirs(beside, exist_ok=True)  # noqa: PTH103
        os.makedirs(within, exist_ok=True)  # noqa: PTH103
        for at in (beside, within, os.fsencode(folder)):
            for name in (b"metrics.jsonl", odd + b".jsonl", odd + b".csv", odd + b".log", odd + b".pt"):
                if at != os.fsencode(folder) or name != b"metrics.jsonl":
                    Path(os.fsdecode(os.path.join(at, name))).write_bytes(lines(curve(1, 5)))  # noqa: PTH118
    path = folder / "metrics.jsonl"
    path.write_bytes(lines(curve(1, 50)))
    place.holds("odd-names", curve(1, 50))
    with path.open("ab") as file:
        file.write(lines(curve(51, 60)))
    place.holds("odd-names", curve(1, 60))
    assert "UTF-8" in place.neat.wait_for_event("watch-limited")["message"]
    assert place.neat.wait_for_event("folder-unreadable")


@pytest.mark.slow
def test_a_table_of_ten_thousand_columns_that_grows(place: Place) -> None:
    """Every cell of it, and a half row is no row."""
    path = place.folder("wide") / "metrics.csv"
    names = [f"layer{n}/norm" for n in range(9_999)]

    def row(step: int) -> str:
        return ",".join([str(step), *(f"{step + n / 16}" for n in range(len(names)))]) + "\n"

    path.write_text(",".join(["step", *names]) + "\n" + row(1) + row(2)[:40_000])
    until(lambda: count(place.neat.home, "runs/wide") >= 9_999, "the first row")
    with path.open("a") as file:
        file.write(row(2)[40_000:])
        for step in range(3, 9):
            file.write(row(step))
    wait_for(place.neat, "runs/wide", {name: [(s, s + n / 16) for s in range(1, 9)] for n, name in enumerate(names)})


@pytest.mark.slow
@posix
def test_a_line_without_end_takes_no_memory(place: Place) -> None:
    """Passed over once, with the good lines before and after it read."""
    read_past_a_long_line(place, LONG_LINE)


def read_past_a_long_line(place: Place, size: int) -> None:
    """A hole of zeros in a file is one line of it. Each life begins with little memory."""
    place.down()
    place.up()
    path = place.folder(f"long-{size}") / "metrics.jsonl"
    path.write_bytes(lines(curve(1, 10)))
    place.holds(path.parent.name, curve(1, 10))
    with path.open("r+b") as file:
        file.truncate(size)
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + lines(curve(11, 30)))
    process, peak = psutil.Process(place.lives.pid), 0

    def is_read() -> bool:
        nonlocal peak
        peak = max(peak, process.memory_info().rss)
        return count(place.neat.home, f"runs/{path.parent.name}") == 30

    until(is_read, "the lines behind it", 300)
    check(place.neat.home, f"runs/{path.parent.name}", {"loss": curve(1, 30)})
    assert peak < MOST_MEMORY
    assert place.neat.show(f"runs/{path.parent.name}")["bad_lines"] == 1
