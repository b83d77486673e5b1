"""New projects by the hundred: set up once a process by `neat init --yes`, laid out anew for each test. Setting up takes
longer than most commands that a test tries; what is laid out differs from it by its id, its folder and its moment."""

from __future__ import annotations

import os
import shutil
import sqlite3
import uuid
from contextlib import closing, redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

from neatd.assist.assistants import ASSISTANTS
from neatd.cli.main import neat, run
from neatd.config import load_project
from neatd.pipeline.setup import sha256
from neatd.store.connection import database_path
from neatd.store.moments import utc_now
from tests.stores_made import put_store

CONFIG, MANIFEST = Path("neat.yaml"), Path(".neat/init.json")


class _Model(NamedTuple):
    """A project as it was set up, kept while the process lives."""

    folder: TemporaryDirectory[str]
    project_id: str

    @property
    def root(self) -> Path:
        return Path(self.folder.name) / "project"

    @property
    def home(self) -> Path:
        return Path(self.folder.name) / "home"


def put_project(root: Path, home: Path, user: Path) -> bool:
    """What `neat init --yes` makes of the empty folder `root`, for somebody whose home is `user`. Returns False, with nothing
    done, where something is there that `init` would look at."""
    is_new = not any(root.iterdir()) and not (home / "neat.db").exists()
    is_usual = root.name == "project" and [one.name for one in user.rglob("*")] == [".claude"]
    if not (is_new and is_usual) or any(one.variable in os.environ for one in ASSISTANTS.values()):
        return False
    model = _model(os.environ["PATH"])
    shutil.copytree(model.root, root, dirs_exist_ok=True)
    shutil.copytree(model.home, home, dirs_exist_ok=True)
    home.chmod(0o700)
    project_id, old = str(uuid.uuid4()), (root / CONFIG).read_bytes()
    new = old.replace(model.project_id.encode(), project_id.encode())
    (root / CONFIG).write_bytes(new)
    manifest = (root / MANIFEST).read_text()
    (root / MANIFEST).write_text(manifest.replace(sha256(old), sha256(new)))
    _register(database_path(home, "neat"), root, project_id)
    return True


def _register(path: Path, root: Path, project_id: str) -> None:
    """Tell a store that its only project has this id and this folder, since now."""
    with closing(sqlite3.connect(path, isolation_level=None)) as store:
        store.execute("PRAGMA synchronous = OFF")
        store.execute("BEGIN")
        store.execute("UPDATE project SET id = ?, created_at = ?, updated_at = ?", (project_id, utc_now(), utc_now()))
        store.execute(
            "UPDATE root SET project_id = ?, path = ?, created_at = ?", (project_id, str(root.resolve()), utc_now())
        )
        store.execute("COMMIT")


@cache
def _model(path: str) -> _Model:
    """A project set up with the programs of this PATH."""
    folder = TemporaryDirectory()
    base = Path(folder.name)
    made = _Model(folder, "")
    made.root.mkdir()
    (base / "user" / ".claude").mkdir(parents=True)
    for name in ("neat", "points"):
        put_store(made.home, name)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        patch.chdir(made.root)
        for name, value in (("NEAT_HOME", made.home), ("HOME", base / "user"), ("PATH", path)):
            patch.setenv(name, str(value))
        patch.delenv("CLAUDECODE", raising=False)
        assert run(neat, ["init", "--yes"]) == 0
    return made._replace(project_id=load_project(made.root).id)
