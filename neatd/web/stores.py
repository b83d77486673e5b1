"""The store as the page reads it: connections that cannot write, one of each database for each thread; projects by id.

A store that was replaced under us (a restore) is opened anew.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from neatd.config import ProjectConfig, load_project
from neatd.errors import ConfigError, NeatError
from neatd.models import Goal, Project, Run
from neatd.place import PROJECT_FILE
from neatd.store import projects, runs
from neatd.store.connection import database_path
from neatd.store.damage import unreadable
from neatd.store.opened import OpenedFiles
from neatd.store.opening import connect
from neatd.web.refusals import NotFoundError

WAIT_S = 5.0  # for a writer; readers wait for none


class Pair(NamedTuple):
    """Both databases."""

    records: sqlite3.Connection
    points: sqlite3.Connection


class _Opened(NamedTuple):
    pair: Pair
    files: OpenedFiles


class Stores:
    """The databases of one home, for the threads of the page's process."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._mine = threading.local()
        self._configs: dict[str, tuple[tuple[int, int], ProjectConfig]] = {}

    def open(self) -> Pair:
        """This thread's connections. Raises StoreError when a database is not there or cannot be read."""
        opened: _Opened | None = getattr(self._mine, "opened", None)
        if opened is not None:
            try:
                opened.files.check()
                return opened.pair
            except NeatError:
                for one in opened.pair:
                    one.close()
                self._mine.opened = None
        pair = Pair(_read_only(self.home, "neat"), _read_only(self.home, "points"))
        self._mine.opened = _Opened(pair, OpenedFiles(self.home))
        return pair

    def writing(self) -> closing[sqlite3.Connection]:
        """A connection that puts down requests."""
        return closing(_connected(self.home, "neat"))

    def projects(self) -> list[Project]:
        """One for each project: of several folders the first that is there."""
        found: dict[str, Project] = {}
        for one in projects.projects(self.open().records):
            if one.id not in found or (not Path(found[one.id].root).is_dir() and Path(one.root).is_dir()):
                found[one.id] = one
        return list(found.values())

    def project(self, project_id: str | None) -> Project:
        """The project of an id or a name; without one, the only one. Raises NotFoundError."""
        known = self.projects()
        found = known if project_id is None else [one for one in known if project_id in (one.id, one.name)]
        if not found:
            raise NotFoundError(
                f"no project {project_id!r}" if project_id else "no project is registered yet",
                "`neat init` in a project's folder registers it",
            )
        if len(found) > 1:
            names = ", ".join(one.name for one in found[:10])
            raise NeatError(f"which project? there are {len(found)}", f"name one by project=: {names}")
        return found[0]

    def config(self, project: Project) -> ProjectConfig:
        """A project's configuration, read again when its file changed; one with a mistake is as if it said nothing."""
        path = Path(project.root) / PROJECT_FILE
        try:
            found = path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            known = self._configs.get(project.root)
            if known is None or known[0] != stamp:
                known = self._configs[project.root] = (stamp, load_project(Path(project.root)))
            return known[1]
        except (OSError, ConfigError):
            return ProjectConfig(id=project.id, name=project.name)

    def primary(self, project_id: str) -> tuple[str, Goal] | None:
        """The metric that a project's configuration says is the one, with its goal; None without any."""
        found = next((self.config(one) for one in self.projects() if one.id == project_id), None)
        return (found.primary.metric, found.primary.goal) if found and found.primary else None

    def run(self, word: str, project_id: str | None = None) -> Run:
        """The run of an id, its beginning, or a name. Raises NotFoundError."""
        records = self.open().records
        try:
            if records.execute(
                "SELECT 1 FROM run WHERE id = ?", (word,)
            ).fetchone():  # of ten thousand no other is read
                return runs.get_run(records, word)
            return runs.find_run(records, word, project_id)
        except NeatError as error:
            raise NotFoundError(error.message, error.hint) from error

    def project_of(self, run: Run) -> Project:
        """The project that a run belongs to, as the folder has it in which the run lies."""
        every = projects.projects(self.open().records)
        found = [one for one in every if one.id == run.project_id]
        here = [one for one in found if one.root == run.root]
        if not found:
            raise NotFoundError(f"the project of {run.name} is no longer registered", "`neat init` in its folder")
        return (here or found)[0]


def _read_only(home: Path, name: str) -> sqlite3.Connection:
    connection = _connected(home, name)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connected(home: Path, name: str) -> sqlite3.Connection:
    """A database that is there: the daemon has made it, and a question makes none in its place."""
    path = database_path(home, name)
    if not path.exists():
        raise unreadable(home, path, "it is gone")
    return connect(home, name, WAIT_S)
