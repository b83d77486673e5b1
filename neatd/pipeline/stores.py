"""The store opened for one command or one call of an assistant: both databases, the project around, its configuration."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from neatd.config import ProjectConfig, load_project
from neatd.models import Project
from neatd.place import Place
from neatd.store import projects
from neatd.store.connection import open_nothing, transaction
from neatd.store.opening import connect
from neatd.store.short import ensure_project, is_out_of_reach
from neatd.store.sync import take_in


class Stores(NamedTuple):
    """Records and points, and the project they are asked about."""

    records: sqlite3.Connection
    points: sqlite3.Connection
    project: Project
    config: ProjectConfig


@contextmanager
def open_stores(home: Path, place: Place, takes_in: bool = True) -> Iterator[Stores]:
    """The stores of `home` for the project of `place`, closed in the end; a folder met for the first time is registered."""
    config = load_project(place.root)
    with ExitStack() as stack:
        store = stack.enter_context(closing(connect(home, "neat")))
        series = stack.enter_context(closing(_points(home)))
        if not store.execute("SELECT 1 FROM root WHERE path = ?", (str(place.root),)).fetchone():
            _register(store, place, takes_in)
        baseline = projects.baseline(store, place.project_id)
        name = config.name or place.name
        yield Stores(
            store, series, Project(id=place.project_id, name=name, root=str(place.root), baseline=baseline), config
        )


def _points(home: Path) -> sqlite3.Connection:
    """points.db; an empty one in memory where there is none yet and none can be made."""
    try:
        return connect(home, "points")
    except (OSError, sqlite3.OperationalError) as error:
        if not is_out_of_reach(error):
            raise
    from neatd.store.migrate import apply

    connection = open_nothing("points")
    apply(connection, "points")
    return connection


def _register(store: sqlite3.Connection, place: Place, takes_in: bool) -> None:
    """Make this folder known. What is only read, in a sandbox, is read without."""
    try:
        with transaction(store):
            ensure_project(store, place)
        if takes_in:  # a clone brings what others know
            take_in(store, place.root, place.project_id, datetime.now(UTC))
    except sqlite3.OperationalError as error:
        if not is_out_of_reach(error):
            raise
