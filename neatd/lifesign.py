"""Whether a daemon of this home lives, and what it last said of itself. Stdlib only: hooks ask it too.

The lock says whether one lives (the kernel drops it with its holder, so a reused PID never looks alive); the state file
says which process it is and where it answers.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neatd import __version__
from neatd.locks import FileLock


def lock_path(home: Path) -> Path:
    """Held by the daemon for its life."""
    return home / "neatd.lock"


def state_path(home: Path) -> Path:
    """What the daemon says of itself; its time of change is when it last lived."""
    return home / "neatd.json"


def is_running(home: Path) -> bool:
    """Whether a daemon of this home lives."""
    if not lock_path(home).exists():
        return False
    lock = FileLock(lock_path(home))
    if not lock.try_acquire():
        return True
    lock.release()
    return False


def read_state(home: Path) -> dict[str, Any]:
    """The state file; {} when there is none or it is torn."""
    try:
        data = json.loads(state_path(home).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def last_seen(home: Path) -> datetime | None:
    """When a daemon last lived here; None if never."""
    try:
        return datetime.fromtimestamp(state_path(home).stat().st_mtime, UTC)
    except OSError:
        return None


def not_watching(home: Path) -> str:
    """ "" while a daemon watches; else since when none does, and what to type."""
    if is_running(home):
        version = read_state(home).get("version", __version__)
        return "" if version == __version__ else f"neatd is {version}, this is neat {__version__}: `neatd restart`"
    seen = last_seen(home)
    since = f"nothing was watched since {seen.astimezone():%Y-%m-%d %H:%M}" if seen else "nothing is watched yet"
    return f"neatd is not running: {since}; `neatd start` begins"
