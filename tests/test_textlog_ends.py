"""How a text log ends: a traceback or a word of its end is kept, wherever the log was cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from neatd.read.formats.logends import LONGEST, says_done
from neatd.read.formats.textlog import LONGEST_LINE, feed
from neatd.read.lastwords import END_BYTES, LastWords, last_words

ROWS = b"step 1 loss 0.5\nstep 2 loss 0.4\n"
TRACEBACK = b"""Traceback (most recent call last):
  File "train.py", line 3, in <module>
    step = 3; loss = 0.2
IndexError: list index out of range
"""
CHAINED = TRACEBACK + b"\nDuring handling of the above exception, another exception occurred:\n\n" + TRACEBACK.replace(
    b"IndexError: list index out of range", b"torch.cuda.OutOfMemoryError: CUDA"
)  # fmt: skip
BAR = b" 5%|#    | 5/100 [00:01<00:20,  4.9it/s]"
RANKS = b"[rank0]: Traceback (most recent call last):\n[rank1]: Other\n[rank0]:   File x\n[rank0]: ValueError: bad\n"
GROUP = b"  + Exception Group Traceback (most recent call last):\n  |   File x\n  | ExceptionGroup: two (2 sub-exceptions)\n"


def fed(data: bytes, *cuts: int) -> tuple[list[Any], dict[str, Any]]:
    """(rows, state) of a log that came in parts; the state goes through JSON as in the store."""
    state: dict[str, Any] = {}
    rows: list[Any] = []
    seq, left, at = 0, b"", 0
    for cut in (*cuts, len(data)):
        left, at = left + data[at:cut], cut
        found = feed(left, state, seq, "")
        left, state, seq = left[found.consumed :], json.loads(json.dumps(found.state)), found.seq
        rows += found.rows
    return rows, state


@pytest.mark.parametrize(
    ("end", "traceback", "done"),
    [
        (TRACEBACK, "IndexError: list index out of range", None),
        (BAR + TRACEBACK, "IndexError: list index out of range", None),
        (CHAINED, "torch.cuda.OutOfMemoryError: CUDA", None),
        (TRACEBACK.replace(b"IndexError: list index out of range", b"KeyboardInterrupt"), "KeyboardInterrupt", None),
        (TRACEBACK.replace(b"IndexError: list index out of range", b"queue.Empty"), "queue.Empty", None),
        (RANKS, "ValueError: bad", None),
        (GROUP, "ExceptionGroup: two (2 sub-exceptions)", None),
        (TRACEBACK + b"retrying\n", "IndexError: list index out of range", None),
        (TRACEBACK + b"step 3 loss 0.3\n", None, None),
        (TRACEBACK + b"Training finished.\n", None, "Training finished."),
        (TRACEBACK[:-40], None, None),
        (b"Training complete!\n\n  \n", None, "Training complete!"),
        (b"done\nstep 3 loss 0.3\n", None, None),
        (b"done\nsaved to x\n", None, None),
        (BAR + b"\ndone\r\n", None, "done"),
        (b"x" * (LONGEST_LINE + 9) + b" done\n", None, None),
    ],
)
def test_the_end_of_a_log_is_kept_wherever_it_is_cut(end: bytes, traceback: str | None, done: str | None) -> None:
    """A row clears it; what is quoted within a traceback is no row."""
    data = ROWS + end
    rows, state = fed(data)
    assert (state.get("traceback"), state.get("done")) == (traceback, done)
    assert [row.values for row in rows][:2] == [{"loss": 0.5}, {"loss": 0.4}] and len(rows) == 2 + end.count(
        b"step 3 loss"
    )
    every = range(len(data)) if len(data) < 2000 else range(0, len(data), 9999)
    assert all(fed(data, cut) == (rows, state) for cut in every)


def test_a_traceback_is_kept_short_and_without_secrets() -> None:
    """A message may quote anything."""
    token = b"hf_" + b"aB3dE5gH7jK9mN1pQ3sT5vW7yZ2bC4dF6"
    end = TRACEBACK.replace(b"list index out of range", b"no access with token " + token + b" " + b"x" * 900)
    kept = fed(ROWS + end)[1]["traceback"]
    assert kept.startswith("IndexError: no access") and token.decode() not in kept and len(kept) <= LONGEST


@pytest.mark.parametrize(
    "line",
    [
        "done", "Done.", "finished", "Training complete!", "training finished in 3 s", "All done!", "Finished training.",
        "2026-01-01 10:00:00,123 - train - INFO - Training complete", "INFO:root:training done", "=== Training Finished ===",
        "Training done. Best val loss: 0.3", "[12:00:00] training completed successfully", "Training has finished",
    ],
)  # fmt: skip
def test_a_line_that_says_that_the_training_is_done(line: str) -> None:
    """By itself or behind a log line's head."""
    assert says_done(line)


@pytest.mark.parametrize(
    "line",
    [
        "Epoch 3 done", "evaluation: done", "Loading data... done", "finished epoch 3", "training step 3 finished", "undone",
        "INFO: done", "saving done", "not done", "done with errors", "Training finished with errors", "Validation finished",
        "download complete", "100% done", "training not finished", "",
    ],
)  # fmt: skip
def test_a_line_that_says_that_something_else_is_done(line: str) -> None:
    """A part of a training, another thing, or nothing."""
    assert not says_done(line)


# ---- logs beside a run ----


def test_the_last_words_are_those_of_a_log_in_the_folder(tmp_path: Path) -> None:
    """A traceback of any log comes before an end that another one tells; other files are not read."""
    assert last_words(tmp_path) == last_words(tmp_path / "none") == LastWords()
    (tmp_path / "notes.txt").write_bytes(TRACEBACK)
    assert last_words(tmp_path) == LastWords()
    (tmp_path / "b.out").write_bytes(b"Training complete\n")
    assert last_words(tmp_path) == LastWords("", "Training complete", "b.out")
    log = tmp_path / "train.err"
    log.write_bytes(b"x\n" * 50_000 + TRACEBACK[:-1])
    assert last_words(tmp_path) == LastWords("IndexError: list index out of range", "", "train.err")
    assert (
        last_words(tmp_path, known={log}).done and last_words(tmp_path, since=log.stat().st_mtime + 99) == LastWords()
    )


def test_a_traceback_longer_than_what_is_read_is_known_by_its_lines(tmp_path: Path) -> None:
    """Its head lies before the end that is read."""
    deep = b'  File "train.py", line 3, in f\n    f()\n' * (END_BYTES // 20)
    (tmp_path / "train.log").write_bytes(TRACEBACK[:35] + deep + b"RecursionError: maximum depth\n")
    assert last_words(tmp_path).traceback == "RecursionError: maximum depth"


def test_a_log_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    """It may lead anywhere."""
    (tmp_path / "secret").write_bytes(TRACEBACK)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "train.log").symlink_to(tmp_path / "secret")
    assert last_words(tmp_path / "run") == LastWords()
