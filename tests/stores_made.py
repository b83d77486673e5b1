"""New stores by the hundred: made by the migrations once a process, copied for each test. Migrating takes longer than most
commands that a test tries; the copy has the same files with the same bytes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from neatd.store.connection import database_path
from neatd.store.opening import connect


def put_store(home: Path, name: str = "neat") -> None:
    """The database that the first command would make in `home`, with its lock; one that is there stays."""
    if database_path(home, name).exists():
        return
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    for file, content in _new(name).items():
        path = home / file
        path.touch(mode=0o600)
        path.write_bytes(content)


@cache
def _new(name: str) -> dict[str, bytes]:
    with TemporaryDirectory() as folder:
        connect(Path(folder), name).close()
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}
