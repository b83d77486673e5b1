"""A daemon as a child of the test: with limits of its own, and ended whatever became of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from tests.conftest import Neat, until
from tests.mother import Born


def limit(name: str, size: int) -> str:
    """Python that limits the process by RLIMIT_<name>; a file that grows too large is refused, as on a full disk."""
    return (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_{name}, ({size}, {size}));"
    )


@contextmanager
def own_daemon(
    neat: Neat, before: str = "", preexec: Callable[[], None] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon that runs the Python of `before` first. Killed at the end: one that hangs would outlive the test."""
    program = f"import neatd.daemon as daemon; {before} daemon.main()"
    begin = partial(subprocess.Popen, preexec_fn=preexec) if preexec else Born
    process = begin(
        [sys.executable, "-c", program],
        cwd=neat.root,
        env=neat.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: neat.is_alive() or process.poll() is not None, "the daemon")
        assert process.poll() is None, "the daemon ended at once"
        yield process
    finally:
        process.kill()
        process.wait(timeout=30)
