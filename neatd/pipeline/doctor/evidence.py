"""What the store and the files tell of assistants, as the checks of `neat doctor` need it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from neatd.pipeline.wiring import Hook
from neatd.store.deliveries import Delivery
from neatd.store.presence import Attendance


class Evidence(NamedTuple):
    """What the store knows of assistants in the project, at `now`: sessions and deliveries, the latter newest first."""

    now: datetime
    sessions: Sequence[Attendance] = ()
    deliveries: Sequence[Delivery] = ()


def changed_at(hook: Hook) -> datetime:
    """When the file that holds a hook was changed last."""
    try:
        return datetime.fromtimestamp(hook.path.stat().st_mtime, UTC)
    except OSError:
        return datetime.fromtimestamp(0, UTC)


def moment(text: str) -> datetime:
    """A time as the store writes it."""
    return datetime.fromisoformat(text)


def files_of(hooks: Iterable[Hook]) -> list[Path]:
    """The files, each once."""
    return list(dict.fromkeys(one.path for one in hooks))


def listed(root: Path, paths: Iterable[Path]) -> str:
    """Files by their names."""
    return ", ".join(sorted(shown(root, path) for path in paths))


def shown(root: Path, path: Path) -> str:
    """A file as people call it: relative to the project where it lies in it."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
