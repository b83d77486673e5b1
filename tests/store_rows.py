"""What the store's tests share: a project on paper, records as a person writes them, a run."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from neatd.models import GitState, Run
from neatd.place import Place
from neatd.store import runs, short
from neatd.store.connection import transaction
from neatd.store.opening import connect
from tests.conftest import bind_root_to_permissions
from tests.stores_made import put_store

PROJECT = "0b1f7c52-9a1e-4a3c-8a57-3f6c2d0e9b11"
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def place(root: Path, project_id: str = PROJECT) -> Place:
    """Where a command runs: branch main, commit abc."""
    return Place(root, project_id, "demo", "main", "abc")


def add(home: Path, kind: str, title: str, **fields: object) -> str:
    """Keep a record as the commands do; returns its id."""
    put_store(home)
    record_id, inbox = short.add_record(home, place(home / "project"), kind, {"title": title, **fields}, "person")
    assert inbox is None
    return record_id


def open_store(home: Path) -> sqlite3.Connection:
    """neat.db with the project registered."""
    put_store(home)
    connection = connect(home)
    with transaction(connection):
        short.ensure_project(connection, place(home / "project"))
    return connection


def add_run(connection: sqlite3.Connection, folder: str = "runs/a", at: datetime = AT) -> Run:
    """The run of a folder of the project."""
    return runs.ensure_run(connection, PROJECT, "/project", folder, GitState(branch="main", commit="abc"), at)


def child(code: str, *arguments: object, is_bound: bool = False) -> subprocess.Popen[str]:
    """A Python process running `code`; `is_bound` takes root's power over file permissions from it."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, preexec_fn=bind_root_to_permissions if is_bound else None,
    )  # fmt: skip


def output(process: subprocess.Popen[str]) -> str:
    """What a child printed; it must end well."""
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out
