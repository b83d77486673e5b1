"""What is being written while neat looks: a file of the project's configuration, a database of another program."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from neatd.config import load_settings
from neatd.daemon import open_scene
from neatd.pipeline.configuring import reload_config
from neatd.pipeline.finding import follow_database, refresh_projects, survey_project
from neatd.pipeline.scene import LiveProject, Scene
from neatd.store import events
from tests.conftest import Neat
from tests.databases_made import MLFLOW_SQL, add_metric, add_run, empty


@pytest.fixture
def scene(neat: Neat) -> Iterator[Scene]:
    """A daemon's memory, and no daemon."""
    made = open_scene(neat.home, load_settings(neat.home))
    refresh_projects(made)
    yield made
    made.records.close()
    made.points.close()


def project_of(scene: Scene) -> LiveProject:
    (project,) = scene.projects.values()
    return project


def told(scene: Scene) -> list[str]:
    return [one.rule for one in events.events(scene.records)]


def set_age(path: Path, age_s: float) -> None:
    at = time.time() - age_s
    os.utime(path, (at, at))


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("neat.yaml", "config-mistake"),
        (".neat/rules/mine.yaml", "rules-mistake"),
        (".neat/patterns/mine.yaml", "patterns-mistake"),
    ],
)
def test_half_a_file_is_no_mistake_until_it_is_at_rest(scene: Scene, neat: Neat, name: str, rule: str) -> None:
    """Read again at the next survey, until it was left alone for a second; the good ones stay meanwhile."""
    project = project_of(scene)
    reload_config(scene, project)
    config = project.config
    path = neat.root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("rule: [")
    reload_config(scene, project)
    assert told(scene) == [] and project.looks_again and project.config == config
    set_age(path, 5)
    reload_config(scene, project)
    assert told(scene) == [rule] and project.config == config
    reload_config(scene, project)
    assert told(scene) == [rule]


def test_a_database_that_its_owner_holds_is_asked_again_without_a_word(scene: Scene, neat: Neat) -> None:
    """Nothing failed: the next sweep finds its runs."""
    path = empty(MLFLOW_SQL, neat.root / "mlflow.db")
    owner = sqlite3.connect(path, isolation_level=None)
    add_run(owner, "a" * 32)
    add_metric(owner, "a" * 32, 1, 0.5)
    project = project_of(scene)
    survey_project(scene, project)
    assert len(project.runs) == 1 and not project.looks_again
    owner.execute("BEGIN EXCLUSIVE")
    add_run(owner, "b" * 32, "other")
    survey_project(scene, project)
    assert len(project.runs) == 1 and project.looks_again
    assert not follow_database(scene, project, path)
    owner.execute("COMMIT")
    owner.close()
    survey_project(scene, project)
    assert len(project.runs) == 2 and not project.looks_again and told(scene) == []
