"""A project for tests of jobs: set up by hand, which costs a fifth of `neat init`, its queue paused so that nothing begins."""

from __future__ import annotations

import json
import uuid
from typing import Any

from neatd.place import here
from neatd.store.connection import transaction
from neatd.store.jobs import set_group
from neatd.store.short import ensure_project
from tests.cli_place import Cli
from tests.stores_made import put_store


def set_up(cli: Cli, pause: str | None = "a test") -> Cli:
    """A project with its stores; `pause` None: its jobs may begin."""
    put_store(cli.home)
    put_store(cli.home, "points")
    (cli.root / "neat.yaml").write_text(f'id: "{uuid.uuid4()}"\nname: project\n')
    with cli.store() as store:
        with transaction(store):
            ensure_project(store, here())
        if pause is not None:
            set_group(store, "*", paused_at="2026-03-01T00:00:00.000000+00:00", paused_why=pause)
    return cli


def launch(cli: Cli, *words: str) -> dict[str, Any]:
    """Options, `--` and the command; what `neat launch --json` says."""
    found: dict[str, Any] = json.loads(cli.ok("launch", "--json", *words))
    return found
