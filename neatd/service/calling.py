"""Calling a service manager's own program, and what it answered."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

CALL_S = 120.0  # a daemon that ends writes what it has
_PLAIN = {"LC_ALL": "C", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"}
Words = tuple[str, ...]


class Done(NamedTuple):
    """How a command ended: 0 done, 127 not found, 124 it took too long."""

    code: int
    out: str
    err: str

    @property
    def why(self) -> str:
        """What it said of a failure, in one line."""
        lines = [line for line in (self.err or self.out).splitlines() if line.strip()]
        return lines[0].strip() if lines else f"exit code {self.code}"


def call(words: Sequence[str], cwd: Path | None = None, without: Sequence[str] = ()) -> Done:
    """Run a command to its end, whatever it is; in no language but English, so that its answer can be read.

    `without` names variables that it does not get.
    """
    environment = {name: value for name, value in os.environ.items() if name not in without} | _PLAIN
    if (
        os.name == "posix" and "XDG_RUNTIME_DIR" not in environment
    ):  # after `su` and in cron the user's manager is there too
        runtime = Path(f"/run/user/{os.getuid()}")
        environment |= {"XDG_RUNTIME_DIR": str(runtime)} if runtime.is_dir() else {}
    try:
        done = subprocess.run(
            list(words), cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=CALL_S, check=False,
        )  # fmt: skip
    except OSError as error:
        return Done(127, "", f"{words[0]}: {error.strerror}")
    except subprocess.TimeoutExpired:
        return Done(124, "", f"{words[0]} has not answered for {CALL_S:.0f} s")
    return Done(done.returncode, done.stdout, done.stderr)
