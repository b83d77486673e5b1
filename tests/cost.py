"""What a piece of work may cost, measured so that a slow or busy machine does not decide."""

import gc
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

# Seconds that `_loop` takes on the machine on which the bounds were found.
LOOP_S = 0.018


def _loop() -> float:
    begun = time.thread_time()
    found: dict[int, str] = {}
    for number in range(60_000):
        found[number % 977] = f"{number:x}"
    return time.thread_time() - begun


def slowness() -> float:
    """How many times slower this machine is at the moment than the one on which the bounds were found; at least 1."""
    return max(1.0, _loop() / LOOP_S)


def _used_s() -> float:
    times = os.times()
    return time.thread_time() + times.children_user + times.children_system


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """The block takes no more processor time, this thread's and its ended children's, or AssertionError.

    ``seconds`` are those of the machine on which they were found: a slower one has as much more as it is slower at
    that moment. Garbage of other tests is not collected on this one's time.
    """
    before = slowness()
    was_collecting = gc.isenabled()
    gc.disable()
    begun = _used_s()
    try:
        yield
    finally:
        taken = _used_s() - begun
        if was_collecting:
            gc.enable()
    slow = max(before, slowness())
    assert taken < seconds * slow, (
        f"{taken:.3f} s of the processor, {seconds} allowed, the machine {slow:.2f} times slower"
    )
