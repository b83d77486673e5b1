"""The log of alerts, NEAT_HOME/logs/alerts.log: a line for each, whoever else is told."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

LARGEST_BYTES = 5 << 20  # then it is put aside, and the one that was there before is gone

log = logging.getLogger(__name__)


def log_path(home: Path) -> Path:
    """Where it is."""
    return home / "logs" / "alerts.log"


def write_log(home: Path, lines: Sequence[str]) -> None:
    """Add lines. A log that cannot be written is said in the daemon's own, and keeps nobody else from being told."""
    path = log_path(home)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > LARGEST_BYTES:
            path.replace(path.with_name(path.name + ".1"))
        with path.open("a", encoding="utf-8", errors="replace") as file:
            file.write("".join(f"{line}\n" for line in lines))
    except OSError as error:
        log.error("%s cannot be written: %s", path, error.strerror)
