"""What the reading commands share: the open databases, the project around, JSON, tables. The short ones do without."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from neatd.assist.markdown import without_controls
from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.lifesign import not_watching
from neatd.models import Project
from neatd.pipeline.showing import json_text
from neatd.pipeline.stores import open_stores
from neatd.place import here, neat_home

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
    stores = click.get_current_context().with_resource(open_stores(home, place, takes_in))
    if warn:
        warn_if_unwatched(home)
    return Open(home, stores.records, stores.points, stores.project, stores.config)


def sync_plan_here(opened: Open, is_changing: bool = False) -> None:
    """Bring the plan file of neat.yaml and the tasks to the same state, as the daemon does when it runs.

    A command that only reads writes no box where the project stands in several folders: whose tick is it?
    """
    if opened.config.plan:
        from neatd.pipeline.planning import settle_plan

        note = settle_plan(opened.records, here(), opened.config.plan, is_changing)
        if note:
            click.echo(f"note: {note}", err=True)


def warn_if_unwatched(home: Path) -> None:
    """Say that the answer may be old, and what to type."""
    text = not_watching(home)
    if text:
        click.echo(f"note: {text}", err=True)


def print_json(value: Any) -> None:
    """A value as JSON: models as objects, times as UTC text, non-finite numbers as strings."""
    click.echo(json_text(value))


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
    """The result of a request: by the daemon, or carried out here when none runs. Raises NeatError when it failed.

    One that the daemon lets wait has `waits`, the reason, as its result, and is carried out later.
    """
    import time

    from neatd.lifesign import is_running
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
        elif request.status == "pending" and request.result.get("waits"):
            return request.result
        elif time.monotonic() > deadline:
            raise NeatError(f"neatd has not answered for {wait_s:.0f} s", "`neatd status` and `neatd logs` tell more")
        else:
            time.sleep(0.05)


def carry_out_here(home: Path) -> None:
    """Carry out what waits, in this process, as the daemon would."""
    from neatd.pipeline.asking import carry_out, due

    with scene_here(home) as scene:
        for request in due(scene) if scene else ():
            carry_out(scene, request)


@contextmanager
def scene_here(home: Path) -> Iterator[Any]:
    """What the daemon would hold, in this process; the daemon's lock keeps a starting one out meanwhile. None where
    another process has the lock."""
    from neatd.daemon import open_scene
    from neatd.lifesign import lock_path
    from neatd.locks import FileLock
    from neatd.pipeline.configuring import reload_config
    from neatd.pipeline.finding import refresh_projects
    from neatd.pipeline.retaining import settle_after_crash
    from neatd.pipeline.settingsfile import in_force

    lock = FileLock(lock_path(home))
    if not lock.try_acquire():
        yield None
        return
    try:
        settings = in_force(home)
        if settings.told:
            click.echo(f"note: {settings.told}", err=True)
        scene = open_scene(home, settings.settings)
        for connection in (scene.records, scene.points):
            click.get_current_context().call_on_close(connection.close)
        scene.is_lasting = False  # nobody would carry out later what is put off now
        refresh_projects(scene)
        for project in scene.projects.values():
            reload_config(scene, project)
        settle_after_crash(scene.records)
        yield scene
    finally:
        lock.release()
