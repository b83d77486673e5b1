"""One git process that only reads: no lock, no network, nothing that a repository or a surrounding git hook names."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

PATIENCE_S = 10.0  # for one git process: a walk over a million commits takes 5 s
_PLAIN = ("-c", "protocol.allow=never", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
_ASKED = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def git_output(root: Path, words: list[str], given: str = "") -> bytes | None:
    """What git prints, given text on its stdin; None when it is missing, refuses the folder or takes too long.

    In a hook git points GIT_DIR and others at the repository that is committing, which need not be the one asked about.
    """
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", *_PLAIN, *words], cwd=root, input=given.encode(), capture_output=True, timeout=PATIENCE_S,
            env=env | _ASKED,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
