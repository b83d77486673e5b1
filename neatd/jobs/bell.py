"""The queue's bell: a folder in which whoever changed a job leaves an empty file of the job's id, so that the daemon looks.

A bell decides nothing and may be lost: the daemon looks at the folder every half second, and at every running job with each
sweep. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_ID = re.compile(r"j-[0-9a-z-]{1,40}")


def bell_folder(home: Path) -> Path:
    """Where the bells are; the daemon watches it."""
    return home / "jobs" / ".bell"


def ring(home: Path, job_id: str) -> None:
    """Wake the daemon for a job. What cannot be written is made up by its next look."""
    with suppress(OSError):
        bell_folder(home).mkdir(parents=True, exist_ok=True)
        (bell_folder(home) / job_id).touch()


def rung(home: Path) -> frozenset[str]:
    """The jobs for which the bell was rung since they were cleared."""
    try:
        return frozenset(one.name for one in bell_folder(home).iterdir() if _ID.fullmatch(one.name))
    except OSError:
        return frozenset()


def clear(home: Path, job_ids: Iterable[str]) -> None:
    """Take these away. One that rang again in between is lost: look at the jobs after this, never before."""
    for job_id in job_ids:
        with suppress(OSError):
            (bell_folder(home) / job_id).unlink()
