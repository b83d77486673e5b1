"""What the reading commands share: the open databases, the project around, JSON, tables. The short ones do without."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from neatd.assist.markdown import without_controls
from neatd.config import ProjectConfig, load_project
from neatd.control import not_watching
from neatd.errors import NeatError
from neatd.models import Model, Project
from neatd.place import Place, here, neat_home
from neatd.store import projects
from neatd.store.connection import open_connection, transaction
from neatd.store.opening import connect
from neatd.store.rows import finite_json
from neatd.store.short import ensure_project, is_out_of_reach
from neatd.store.sync import take_in

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@dataclass(frozen=True)
class Open:
    """The store, opened for a command, and the project it is called in."""

    home: Path
    records: sqlite3.Connection
    points: sqlite3.Connection
    project: Project
    config: ProjectConfig

    @property
    def root(self) -> Path:
        return Path(self.project.root)


def open_here(warn: bool = True, takes_in: bool = True) -> Open:
    """Open the store for the project around the working folder; says on stderr when nothing is being watched."""
    place, home = here(), neat_home()
    config = load_project(place.root)
    records, points = connect(home, "neat"), _points(home)
    for connection in (records, points):
        click.get_current_context().call_on_close(connection.close)
    if not records.execute("SELECT 1 FROM root WHERE path = ?", (str(place.root),)).fetchone():
        _register(records, place, takes_in)
    if warn:
        warn_if_unwatched(home)
    baseline = projects.baseline(records, place.project_id)
    project = Project(id=place.project_id, name=config.name or place.name, root=str(place.root), baseline=baseline)
    return Open(home, records, points, project, config)


def _points(home: Path) -> sqlite3.Connection:
    """points.db; an empty one in memory where there is none yet and none can be made."""
    try:
        return connect(home, "points")
    except (OSError, sqlite3.OperationalError) as error:
        if not is_out_of_reach(error):
            raise
    from neatd.store.migrate import apply

    connection = open_connection(Path(":memory:"), "points")
    apply(connection, "points")
    return connection


def _register(records: sqlite3.Connection, place: Place, takes_in: bool) -> None:
    """Make this folder known. What is only read, in a sandbox, is read without."""
    try:
        with transaction(records):
            ensure_project(records, place)
        if takes_in:  # a clone brings what others know
            take_in(records, place.root, place.project_id, datetime.now(UTC))
    except sqlite3.OperationalError as error:
        if not is_out_of_reach(error):
            raise


def sync_plan_here(opened: Open, is_changing: bool = False) -> None:
    """Bring the plan file of neat.yaml and the tasks to the same state, as the daemon does when it runs.

    A command that only reads writes no box where the project stands in several folders: whose tick is it?
    """
    if opened.config.plan:
        from neatd.pipeline.planning import sync_plan

        try:
            may_write = is_changing or projects.count_roots(opened.records, opened.project.id) == 1
            sync_plan(opened.records, here(), opened.config.plan, may_write)
        except NeatError as error:
            click.echo(f"note: {error.message}", err=True)


def warn_if_unwatched(home: Path) -> None:
    """Say that the answer may be old, and what to type."""
    text = not_watching(home)
    if text:
        click.echo(f"note: {text}", err=True)


def print_json(value: Any) -> None:
    """A value as JSON: models as objects, times as UTC text, non-finite numbers as strings."""
    click.echo(json.dumps(finite_json(_plain(value)), ensure_ascii=False))


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return _plain(value.model_dump())
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> None:
    """Rows under headings; `empty` says what to do when there are none."""
    if not rows:
        click.echo(empty, err=True)
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, highlight=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        # As it is, neither [markup] nor :emoji: of a person's is rich's; but without what would tell the terminal to act.
        table.add_row(*(Text(without_controls(cell)) for cell in row))
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=200)
    console.print(table)


def wait_for_request(opened: Open, request_id: str, wait_s: float = 60.0) -> dict[str, Any]:
    """The result of a request: by the daemon, or carried out here when none runs. Raises NeatError when it failed."""
    import time

    from neatd.control import is_running
    from neatd.store import requests

    deadline = time.monotonic() + wait_s
    while True:
        request = requests.get_request(opened.records, request_id)
        if request.status == "done":
            return request.result
        if request.status == "failed":
            raise NeatError(str(request.result.get("error")), str(request.result.get("hint", "")))
        if not is_running(opened.home):
            carry_out_here(opened.home)
        elif time.monotonic() > deadline:
            raise NeatError(f"neatd has not answered for {wait_s:.0f} s", "`neatd status` and `neatd logs` tell more")
        else:
            time.sleep(0.05)


def carry_out_here(home: Path) -> None:
    """Carry out what waits, in this process, as the daemon would; its lock keeps a starting daemon out meanwhile."""
    from neatd.config import load_settings
    from neatd.control import lock_path
    from neatd.daemon import open_scene
    from neatd.locks import FileLock
    from neatd.pipeline.asking import carry_out
    from neatd.pipeline.finding import refresh_projects, reload_config
    from neatd.pipeline.retaining import settle_after_crash
    from neatd.store import requests

    lock = FileLock(lock_path(home))
    if not lock.try_acquire():
        return
    try:
        scene = open_scene(home, load_settings(home))
        for connection in (scene.records, scene.points):
            click.get_current_context().call_on_close(connection.close)
        refresh_projects(scene)
        for project in scene.projects.values():
            reload_config(scene, project)
        settle_after_crash(scene.records)
        for request in requests.pending(scene.records):
            carry_out(scene, request)
    finally:
        lock.release()
