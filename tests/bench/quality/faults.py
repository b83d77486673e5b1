"""The planted faults: their kinds, their strengths, and when one is active.

The strengths below were fixed before any rule was tuned on these runs, and are not changed after: a rule that misses a
fault is a miss, never a reason for a stronger fault. Each one is a real effect on a real training, but for two: the
clock of a run and its memory are virtual (`tests/bench/quality/clock.py`), so a stall and a leak are told, not lived.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

LR_FACTOR, LR_STEPS = 10.0, 5  # the learning rate times 10 for 5 steps
NOISE_SIGMAS = (
    10.0  # a corrupted batch: normal noise of 10 standard deviations of the data instead of inputs, one batch
)
FLIPPED_SHARE, FLIPPED_STEPS = 0.5, 40  # half of the labels wrong, for 40 steps
STALL_S = 120.0  # one step takes so long
LEAK_MB, LEAK_STEPS = 2.0, 1500  # so much more memory with each step
# A NaN comes from one poisoned sample of one batch. A frozen layer is the largest hidden one; it and shuffled targets
# (labels dealt out anew within each batch: a bug in the data's order) last until the run's end.
FOREVER = 1_000_000

EARLIEST = 151  # no fault within the first 150 steps
APART = 800  # steps between the end of a fault and the onset of the next: more than the 600 that a fault is forgiven
BEHIND = 260  # a run goes on for so long after its last onset: a hit may come within 200 steps

KINDS = ("lr", "corrupted", "flipped", "nan", "frozen", "shuffled", "stall", "leak")
LASTING = {"lr": LR_STEPS, "corrupted": 1, "flipped": FLIPPED_STEPS, "nan": 1, "frozen": FOREVER,
           "shuffled": FOREVER, "stall": 1, "leak": LEAK_STEPS}  # fmt: skip
PASSING = ("lr", "corrupted", "flipped", "stall")  # after these a run may go on, and meet another


class Fault(NamedTuple):
    """A planted fault: active in the steps onset <= step <= end."""

    kind: str
    onset: int
    end: int
    detail: str = ""  # how, where there are several ways: "zeroed", "no_grad"; "skipped"


def planted(kind: str, onset: int, detail: str = "") -> Fault:
    """The fault of a kind at its fixed strength."""
    return Fault(kind, onset, onset + LASTING[kind] - 1, detail)


def active(faults: Sequence[Fault], step: int) -> Fault | None:
    """The fault that is active in a step; there is at most one."""
    return next((one for one in faults if one.onset <= step <= one.end), None)
