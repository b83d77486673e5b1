"""Maintenance in the test's own process: a project with its store, the daemon's scene, and its turns as fast as they go."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neatd.config import Settings
from neatd.daemon import open_scene
from neatd.models import Maintenance
from neatd.pipeline.asking import carry_out
from neatd.pipeline.configuring import reload_config
from neatd.pipeline.finding import refresh_projects
from neatd.pipeline.scene import Scene
from neatd.pipeline.upkeep.keeper import Upkeep
from neatd.place import here
from neatd.store import maintenance, requests
from neatd.store.connection import transaction
from neatd.store.short import ensure_project
from tests.cli_place import Cli
from tests.conftest import until
from tests.stores_made import put_store


def set_up(cli: Cli) -> Cli:
    """A registered project, as far as maintenance needs one: `neat init` takes ten times as long."""
    (cli.root / "neat.yaml").write_text("id: 0b1f7c52-9a1e-4a3c-8a57-3f6c2d0e9b11\nname: demo\n")
    (cli.root / ".neat").mkdir()
    with cli.store() as store, transaction(store):
        ensure_project(store, here())
    return cli


@contextmanager
def scene_of(cli: Cli) -> Iterator[Scene]:
    """What the daemon would hold."""
    put_store(cli.home, "points")
    scene = open_scene(cli.home, Settings())
    try:
        refresh_projects(scene)
        for project in scene.projects.values():
            reload_config(scene, project)
        yield scene
    finally:
        scene.records.close()
        scene.points.close()


def schedule(cli: Cli, *jobs: str) -> None:
    """Write the user's file, a line for each job."""
    (cli.home / "maintenance.yaml").write_text("jobs:\n" + "".join(f"  {job}\n" for job in jobs))


def turn_until(upkeep: Upkeep, run_id: str = "") -> None:
    """Turns until nothing waits and nothing runs."""

    def is_idle() -> bool:
        upkeep.step()
        return upkeep.running is None and not upkeep.waiting and not upkeep.scene.asked

    until(is_idle, f"maintenance to be idle {run_id}", 30.0)


def ran(cli: Cli, scene: Scene, job: str, *lines: str) -> Maintenance:
    """A job asked for and carried out as the daemon does; its row."""
    if lines:
        schedule(cli, *lines)
    upkeep = Upkeep(scene)
    upkeep._reload()
    request_id = requests.ask(scene.records, "maintain", None, {"job": job})
    carry_out(scene, requests.get_request(scene.records, request_id))
    turn_until(upkeep, job)
    assert requests.get_request(scene.records, request_id).status == "done"
    row = maintenance.get(scene.records, request_id)
    assert row is not None and row.ended_at is not None
    return row


def aged(path: Path, days: float) -> Path:
    """A file, or a folder with all in it, as if written so many days ago."""
    moment = time.time() - days * 86_400
    for one in [*(path.rglob("*") if path.is_dir() else ()), path]:
        os.utime(one, (moment, moment))
    return path


def put(path: Path, content: bytes, days: float = 0.0) -> Path:
    """A file of that age."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return aged(path, days)


def events_of(cli: Cli, severity: str = "info") -> list[dict[str, Any]]:
    """The events of maintenance, newest first."""
    return [one for one in cli.json("events", "--severity", severity) if one["rule"] == "maintenance"]
