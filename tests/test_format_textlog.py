"""Lines and pieces of logs: where they end, that every cut gives the same rows, and that no line takes the memory."""

from __future__ import annotations

import json
import logging
import random
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from neatd.read.formats.textlog import LONGEST_LINE, feed
from neatd.read.rows import Fed, Parsed
from tests.cost import at_most
from tests.textlog_families import FAMILIES
from tests.textlog_noise import NOISE
from tests.written_files import case_id, expected, written

BAR = "Epoch 1/9:  10%|#         | {n}/{total} [00:01<00:09,  9.5it/s, loss={loss}]"


def read(data: bytes) -> Fed:
    return feed(data, {}, 0, "")


def in_pieces(data: bytes, sizes: list[int]) -> tuple[list[Parsed], dict[str, Any], int, int]:
    """(rows, what is told, bytes used up, the most that waited), as the daemon reads a file that grows by `sizes`."""
    rows, told, state, seq, at, end, waited = [], {}, {}, 0, 0, 0, 0
    for size in sizes:
        end = min(end + size, len(data))
        fed = feed(data[at:end], json.loads(json.dumps(state, allow_nan=False)), seq, "")
        rows, told, state, seq, at = rows + fed.rows, told | fed.told, fed.state, fed.seq, at + fed.consumed
        waited = max(waited, end - at)
    return rows, told, at, waited


def mixed() -> bytes:
    """All families and all noise, in one log, with all ends of lines."""
    lines = [line for text, _ in FAMILIES.values() for line in text.split("\n")] + NOISE
    random.Random(3).shuffle(lines)
    ends = random.Random(4).choices(["\n", "\n", "\r\n", "\r", "\r\r\n", "\n\n", "\b\b\b\r", " \r"], k=len(lines))
    return "".join(line + end for line, end in zip(lines, ends, strict=True)).encode() + b"\nepoch 3 loss \xff 0.5\n"


LOGS = written("log-torchtune") + written("log-transformers") + written("log-keras") + written("log-lightning")
LOGS += written("log-tqdm")


@pytest.mark.parametrize("folder", LOGS, ids=case_id)
def test_what_a_real_library_printed_is_what_it_logged(folder: Path) -> None:
    """Every series, step by step; printed numbers have three digits that count, or four behind the point."""
    wanted = expected(folder)["out.log"]
    fed = read((folder / "out.log").read_bytes())
    found: dict[str, list[tuple[int, float]]] = {}
    for row in fed.rows:
        for name, value in row.values.items():
            found.setdefault(name, []).append((row.step, value))
    assert set(found) - set(wanted["series"]) <= {"epoch"}
    is_counted = any(row.is_counted for row in fed.rows)  # transformers without its bar prints no step
    for name, points in wanted["series"].items():
        assert [value for _, value in found[name]] == pytest.approx(
            [one for _, one in points], 5.1e-3, 6e-4, nan_ok=True
        )
        assert is_counted or [step for step, _ in found[name]] == [step for step, _ in points]
    assert {**fed.told, **wanted["told"]} == fed.told


@pytest.mark.slow
@pytest.mark.parametrize("folder", LOGS, ids=case_id)
def test_a_real_log_read_byte_by_byte_gives_the_same(folder: Path) -> None:
    """As it grows under a daemon that is quick."""
    data = (folder / "out.log").read_bytes()
    whole = read(data)
    rows, told, used, _ = in_pieces(data, [1] * len(data))
    assert repr(rows) == repr(whole.rows) and told == whole.told and used == whole.consumed


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_random_pieces_of_everything_give_the_same(seed: int) -> None:
    """Families and noise in any order, all ends of lines, pieces of 1 byte to 3 kB."""
    data, chance = mixed(), random.Random(seed)
    whole = read(data)
    sizes = [chance.choice([1, 7, 300, 3000, 3000]) for _ in range(len(data))]
    rows, told, used, _ = in_pieces(data, sizes)
    assert repr(rows) == repr(whole.rows) and told == whole.told and used == whole.consumed
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1)) and len(rows) > 50


def test_a_line_without_its_end_waits() -> None:
    """It may go on."""
    assert read(b"step 1 loss 0.5") == Fed([], 0, 0, {})
    fed = read(b"step 1 loss 0.5\nstep 2 loss 0.2")
    assert (len(fed.rows), fed.consumed, fed.seq) == (1, 16, 1)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n"])
def test_every_end_of_a_line_is_one(end: str) -> None:
    """Windows writes two characters, some terminals three."""
    fed = read(f"step 1 loss 0.5{end}step 2 loss 0.25{end}".encode())
    assert [(row.step, row.values) for row in fed.rows] == [(1, {"loss": 0.5}), (2, {"loss": 0.25})]


def test_a_carriage_return_at_the_end_waits_for_what_follows() -> None:
    """A newline would make it a line's end."""
    assert read(b"step 1 loss 0.5\r").consumed == 0
    assert read(b"step 1 loss 0.5\rx").consumed == 16


@pytest.mark.slow
def test_an_endless_bar_is_used_up_as_it_comes() -> None:
    """No newline for hours: one row a step, and never more than a state or two waiting."""
    states = [BAR.format(n=n, total=5000, loss=n / 8192) for n in range(1, 2001) for _ in range(3)]
    data = "\r".join(states).encode()
    rows, told, used, waited = in_pieces(data, [97] * (len(data) // 97 + 1))
    assert [(row.step, row.values["loss"]) for row in rows] == [(n, n / 8192) for n in range(1, 2000)]
    assert used == len(data) and waited < 200 and told == {"planned_epochs": 9.0}


def test_the_last_state_of_a_step_counts() -> None:
    """Lightning draws a step with the loss before it, then with its own."""
    states = [
        BAR.format(n=1, total=9, loss=1.5),
        BAR.format(n=2, total=9, loss=1.5),
        BAR.format(n=2, total=9, loss=0.5),
    ]
    assert [row.values["loss"] for row in read("\r".join(["", *states, "\n"]).encode()).rows] == [1.5, 0.5]


def test_a_bar_that_shows_a_loss_before_its_first_step_shows_each_a_step_early() -> None:
    """`set_postfix` redraws before the loop counts: then the first state of a step is its own."""
    states = [(0, 1.5), (1, 1.5), (1, 0.5), (2, 0.5), (2, 0.25), (3, 0.25)]
    text = "\r".join(["", *(BAR.format(n=n, total=3, loss=loss) for n, loss in states), "\n"])
    assert [(row.step, row.values["loss"]) for row in read(text.encode()).rows] == [(1, 1.5), (2, 0.5), (3, 0.25)]


def test_a_printed_line_that_is_drawn_over_counts_once_a_step() -> None:
    """`print(..., end="\\r")`."""
    text = "step 1 loss 0.5\rstep 1 loss 0.5\rstep 2 loss 0.25\rstep 2 loss 0.25\n"
    assert [row.step for row in read(text.encode()).rows] == [1, 2]


def test_colours_and_cursors_are_no_text() -> None:
    """CSI, OSC and single escapes."""
    text = "\x1b[1;32mstep\x1b[0m 1 \x1b]8;;http://a\x07loss\x1b]8;;\x07 \x1b[K0.5\x1b[?25h\x1b(B\n"
    assert [(row.step, row.values) for row in read(text.encode()).rows] == [(1, {"loss": 0.5})]


def test_bytes_that_are_not_utf_8_stop_nothing() -> None:
    """Latin-1, a cut character, zeros of a hole in the file."""
    fed = read(b"\xe4\xf6 step 1 loss 0.5\n" + b"\0" * 50 + b"step 2 loss 0.25\n\xe2\x94 step 3 loss 0.125\n")
    assert [row.step for row in fed.rows] == [1, 2, 3]


@pytest.mark.parametrize("inside", [b"", b"\r", b"9.5it/s]", b"\xff"])
@pytest.mark.parametrize("piece", [1000, LONGEST_LINE - 1, LONGEST_LINE, LONGEST_LINE + 1, 10**6])
def test_a_line_of_a_megabyte_is_passed_over(piece: int, inside: bytes) -> None:
    """It gives nothing however it comes, and what is behind it is read."""
    long = b"step 7 loss 0.5 " + b"x" * (LONGEST_LINE + 100) + inside + b" step 8 loss 0.5 " + b"y" * 400_000
    data = b"step 1 loss 0.5\n" + long + b"\r\nstep 2 loss 0.25\n"
    rows, _, used, waited = in_pieces(data, [piece] * (len(data) // piece + 1))
    assert repr(rows) == repr(read(data).rows) and used == len(data) and waited <= LONGEST_LINE
    assert [row.step for row in rows] == [1, 2]


def test_what_a_line_says_a_million_times_over_takes_no_memory() -> None:
    """The state stays small: bars, counters, classes are bounded."""
    bars = "".join(f"thing{n} epoch {n}: 50%|# | 5/{n + 9} [00:01<00:09, 1it/s, loss=0.5]\n" for n in range(500))
    epochs = "".join(f"epoch {n} val [{n}/{n + 5}] loss 0.5\n" for n in range(500))
    dice = "2024-05-01 12:00:00.1: Epoch 3\n2024-05-01 12:00:00.1: Pseudo dice [" + "0.5, " * 3000 + "]\n"
    assert len(json.dumps(read((bars + epochs + dice).encode()).state)) < 16_000


def test_hostile_lines_take_no_time() -> None:
    """Nested brackets, endless digits, half a bar a thousand times: each line is bounded, each pattern linear."""

    hostile = ["{'loss':" + "[" * 5000 + "}", "{" * 8000 + "loss" + "}" * 8000, "step " * 12_000, "loss=" + "9" * 60_000,
               "step 1 " + "loss 0.5 " * 6000, "it/s" * 15_000, "1%|" + "|" * 3000 + "1/2 [loss=0.5", "[1/" * 20_000 + "loss",
               "epoch 1 " * 8000, "{'loss': " + "-" * 9000 + "1}", "a" * 60_000 + " loss",
               "iteration 1/ 2 |" + "lm loss: |" * 6000,
               "{'loss': 1" + "0" * 5000 + "}", "| epoch 1 | " + "x 1 |" * 10_000, "Step 1 | " + "a:1 " * 15_000]  # fmt: skip
    with at_most(2):
        fed = read("\n".join([*hostile, ""]).encode())
    assert len(fed.rows) < len(hostile)


def test_pythons_own_logging_and_printing() -> None:
    """The logging module with its usual format, print of a dict, and a dict with NaN."""
    out = StringIO()
    logger = logging.Logger("train")
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger.addHandler(handler)
    for step in range(1, 4):
        logger.info("step %d loss %.4f", step, 1 / step)
    print({"step": 4, "loss": float("nan"), "inf": float("-inf")}, file=out)
    rows = read(out.getvalue().encode()).rows
    assert [(row.step, row.time) for row in rows] == [(1, None), (2, None), (3, None), (4, None)]
    assert repr(rows[3].values) == "{'loss': nan, 'inf': -inf}" and rows[1].values == {"loss": 0.5}


def test_a_process_with_a_buffered_stdout() -> None:
    """Both streams in one pipe, as `> log 2>&1` makes them."""
    program = "import sys\nfor n in range(3):\n print(f'epoch {n}: loss={1/(n+1)}')\n print('warn', file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
    assert [(row.step, row.values["loss"]) for row in read(done.stdout).rows] == [(0, 1.0), (1, 0.5), (2, 1 / 3)]


def test_a_state_given_is_not_changed() -> None:
    """The caller may feed the same bytes again when the transaction failed."""
    state = read(b"2024-05-01 12:00:00.1: Epoch 3\n2024-05-01 12:00:00.1: train_loss 0.5\n").state
    before = json.dumps(state)
    again = [feed(b"2024-05-01 12:00:00.1: Epoch time: 3.5 s\n", state, 0, "") for _ in range(2)]
    assert json.dumps(state) == before and again[0] == again[1] and len(again[0].rows) == 1
