"""What tests of sessions share: commits, records and runs of a project, and what its store counts."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from neatd.cli.main import neat, run
from neatd.models import GitState
from neatd.store import runs
from neatd.store.connection import transaction
from neatd.store.moments import utc_now
from neatd.store.short import ensure_project
from tests.hooks_made import Assisted
from tests.store_rows import AT
from tests.testing_made import IDENTITY


def sessions(made: Assisted) -> int:
    with made.store() as store:
        return int(store.execute("SELECT count(*) FROM session").fetchone()[0])


def history(made: Assisted, field: str) -> int:
    with made.store() as store:
        return int(store.execute("SELECT count(*) FROM history WHERE field = ?", (field,)).fetchone()[0])


def git_commit(made: Assisted, subject: str, *words: str, root: Path | None = None) -> str:
    """A commit of one more line, and what git prints of it."""
    root = root or made.root
    with (root / "a.py").open("a") as file:
        file.write(f"# {subject}\n")
    git(root, "add", "-A")
    return git(root, "commit", "-m", subject, *words)


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True, timeout=30)
    return done.stdout


def keep(made: Assisted, *words: str) -> str:
    """A record kept, or changed, by a command in this process."""
    before = Path.cwd()
    os.chdir(made.root)
    try:
        with made.store() as store:
            old = store.execute("SELECT max(id) FROM history").fetchone()[0] or 0
        assert run(neat, list(words)) == 0
        with made.store() as store:
            return str(store.execute("SELECT record_id FROM history WHERE id > ? ORDER BY id", (old,)).fetchone()[0])
    finally:
        os.chdir(before)


def add_run(made: Assisted, name: str, pid: int = 0, root: Path | None = None) -> str:
    """A run that the daemon has met just now."""
    with made.store() as store:
        with transaction(store):
            ensure_project(store, made.place)
        found = runs.ensure_run(store, IDENTITY, str(root or made.root), name, GitState(), AT)
        process = json.dumps({"pid": pid}) if pid else None
        store.execute("UPDATE run SET created_at = ?, process = ? WHERE id = ?", (utc_now(), process, found.id))
    return found.id
