"""Runs a peer's program in the peers' environment: a file of tests/bench/programs, which prints one JSON value."""

from __future__ import annotations

import json
import os
import subprocess
from itertools import islice
from pathlib import Path
from typing import Any

from tests.bench import peers

PROGRAMS = Path(__file__).with_name("programs")
# Nothing is sent anywhere, nothing asked, nothing shown.
QUIET = {
    "WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false", "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true", "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1",
    "AIM_UI_TELEMETRY_ENABLED": "0", "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1",
}  # fmt: skip


def environment(folder: Path) -> dict[str, str]:
    """A home of its own, so that nothing of one peer meets another's, or the user's."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("WANDB_", "MLFLOW_", "HF_"))}
    return kept | QUIET | {"HOME": str(folder), "HF_HOME": str(folder / "hf"), "TRACKIO_DIR": str(folder / "trackio")}


def run(program: str, *arguments: object, folder: Path, wait_s: float = 1800) -> Any:
    """What the program's last line of JSON says: some peers bid farewell behind it. It works in `folder`; the start of the
    interpreter and the imports are no part of what it measures itself."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(peers.python()), str(PROGRAMS / f"{program}.py"), *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=wait_s, check=False
    )
    assert done.returncode == 0, f"{program} {arguments}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
    (answer,) = islice(filter(_is_json, reversed(done.stdout.splitlines())), 1)
    return json.loads(answer)


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
