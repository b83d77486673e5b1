"""Whether the databases that were opened are still the ones at their places: a deleted file can be written to, in vain."""

from __future__ import annotations

from pathlib import Path

from neatd.store.connection import VERSIONS, database_path
from neatd.store.damage import unreadable


class OpenedFiles:
    """The files of a home's databases, as they were when this was made."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._files = {path: _identity(path) for path in (database_path(home, name) for name in VERSIONS)}

    def check(self) -> None:
        """Raise StoreError when one was deleted, or another file lies in its place. Two calls of the system each."""
        for path, identity in self._files.items():
            now = _identity(path)
            if now != identity:
                what = "it is gone" if now is None else "another file lies in its place"
                raise unreadable(self._home, path, f"{what} since neatd opened it")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
