"""One git process that only reads: no lock, no network, nothing that a repository or a surrounding git hook names."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from pathlib import Path

# neat's own files, which do not count as changes.
OURS = re.compile(r"(^|/)(\.neat(/|$)|snapshots/anomaly_|snapshots/?$|\.partial_)")
PATIENCE_S = 10.0  # for one git process: a walk over a million commits takes 5 s
_PLAIN = ("-c", "protocol.allow=never", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
_ASKED = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def git_output(root: Path, words: list[str], given: str = "") -> bytes | None:
    """What git prints, given text on its stdin; None when it is missing, refuses the folder or takes too long.

    In a hook git points GIT_DIR and others at the repository that is committing, which need not be the one asked about.
    """
    try:
        done = subprocess.run(
            ["git", *_PLAIN, *words], cwd=root, input=given.encode(), capture_output=True, timeout=PATIENCE_S,
            env=_environment(),
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


def git_beginning(root: Path, words: list[str], most: int) -> tuple[bytes, bool] | None:
    """(the first `most` bytes that git prints, whether that is not all); None as for `git_output`. What a repository can
    make git print has no bound: reading stops, and git is ended, where enough is there."""
    try:
        git = subprocess.Popen(
            ["git", *_PLAIN, *words], cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=_environment(),
        )  # fmt: skip
    except OSError:
        return None
    with git:
        limit = threading.Timer(PATIENCE_S, git.kill)
        limit.start()
        assert git.stdout is not None
        printed = git.stdout.read(most + 1)
        is_cut = len(printed) > most
        if is_cut:
            git.kill()
        git.wait()
        limit.cancel()
    return (printed[:most], is_cut) if is_cut or git.returncode == 0 else None


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | _ASKED
