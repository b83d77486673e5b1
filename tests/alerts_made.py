"""A webhook of our own, a real server that takes, refuses or keeps waiting; and a daemon's scene with alerts in it."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from neatd.config import Settings
from neatd.models import Run
from neatd.pipeline.alerting import Alerting
from neatd.pipeline.finding import refresh_projects
from neatd.pipeline.scene import Scene
from neatd.place import here
from neatd.read.checkpoint import RestWatch
from neatd.store.connection import transaction
from neatd.store.opening import connect
from neatd.store.short import ensure_project
from tests.cli_place import Cli
from tests.conftest import until
from tests.stores_made import put_store

KEY = "s3cretT0kenOfTheTeam"


class Hook(ThreadingHTTPServer):
    """A webhook. `answers` are the codes of the next requests, 200 after them; `gate` holds every answer back."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.answers: list[int] = []
        self.gate = threading.Event()
        self.gate.set()

    def url(self, key: str = KEY) -> str:
        """Its address for Apprise, with a secret in it."""
        return f"json://user:{key}@127.0.0.1:{self.server_port}/hook/{key}"


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        code = self.server.answers.pop(0) if self.server.answers else 200
        self.server.gate.wait(30)
        self.server.paths.append(self.path)
        if code == 200:
            self.server.got.append(json.loads(body))
        self.send_response(code)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is said."""


@contextmanager
def hooked() -> Iterator[Hook]:
    """A webhook that listens."""
    with Hook() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.gate.set()
        server.shutdown()


class Desk:
    """The daemon's alerts over a store, with a clock that can be set forward."""

    def __init__(self, cli: Cli, scene: Scene) -> None:
        self.cli, self.scene, self.ahead = cli, scene, timedelta()
        self.run: Run = cli.add_run("runs/a", {"loss": [1.0]}, created_at=datetime.now(UTC).isoformat())
        self.begin()

    def begin(self) -> None:
        """A new life of the daemon."""
        self.alerting = Alerting(self.scene)
        self.alerting.now = lambda: datetime.now(UTC) + self.ahead

    def fires(self, step: int, rule: str = "non-finite", severity: str = "critical", **fields: Any) -> None:
        """A rule that alerts fires now."""
        time = fields.pop("time", datetime.now(UTC).timestamp())
        fields = {"then": ("event", "alert"), "severity": severity, "time": time} | fields
        self.cli.add_event(self.run, rule, step, float(step), **fields)

    def turns(self, count: int = 3) -> None:
        for _ in range(count):
            self.alerting.turn(is_sweep=True)

    def settled(self) -> None:
        """Until nothing is on its way."""

        def is_done() -> bool:
            self.alerting.turn(is_sweep=True)
            return not self.rows("sending")

        self.turns()
        until(is_done, "the messages to be taken or refused")

    def passes(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)

    def expire(self) -> None:
        """Half a minute passes for what is on its way and was not answered."""
        for one in self.alerting._way.values():
            one.sending._until = 0.0

    def set_tries(self, count: int) -> None:
        """So often it failed already."""
        with transaction(self.scene.records):
            self.scene.records.execute("UPDATE alert SET tries = ?", (count,))

    def rows(self, *statuses: str) -> list[sqlite3.Row]:
        """The rows of channels, or of these statuses."""
        found = self.scene.records.execute("SELECT * FROM alert WHERE channel != '' ORDER BY rowid").fetchall()
        return [one for one in found if not statuses or one["status"] in statuses]

    def statuses(self) -> list[str]:
        return [one["status"] for one in self.rows()]

    def asked(self) -> list[tuple[str, str]]:
        """(status, note) of the question that each event asked."""
        sql = "SELECT status, note FROM alert WHERE channel = '' ORDER BY rowid"
        return [tuple(row) for row in self.scene.records.execute(sql)]

    def said(self, rule: str) -> list[str]:
        """The messages of the events of a rule."""
        return [row[0] for row in self.scene.records.execute("SELECT message FROM event WHERE rule = ?", (rule,))]


@contextmanager
def desk(cli: Cli, *channels: str, top: str = "") -> Iterator[Desk]:
    """Alerts of a project with these channels, each the fields of one in YAML."""
    put_store(cli.home)
    settings(cli.home, *channels, top=top)
    scene = Scene(cli.home, Settings(), connect(cli.home, "neat"), connect(cli.home, "points"), RestWatch(1.0))
    with closing(scene.records), closing(scene.points):
        with transaction(scene.records):
            ensure_project(scene.records, here())
        refresh_projects(scene)
        made = Desk(cli, scene)
        yield made
        made.alerting.finish(0.0)


def settings(home: Path, *channels: str, top: str = "") -> Path:
    """Write alerts.yaml."""
    home.mkdir(exist_ok=True)
    path = home / "alerts.yaml"
    path.write_text(top + "channels:\n" + "".join(f"  - {{{one}}}\n" for one in channels) if channels else top)
    return path


def kill(scene: Scene) -> None:
    """What a daemon that was killed leaves: messages that were on their way still are, by the store."""
    with transaction(scene.records):
        scene.records.execute("UPDATE alert SET status = 'sending' WHERE channel != ''")
