"""Requests while the store is busy: they wait, and are not given up for a fault that is none of theirs."""

from __future__ import annotations

import threading
from pathlib import Path

from neatd.config import Settings
from neatd.daemon import open_scene
from neatd.pipeline.loop import FULL_DISK_PAUSE_S, Loop
from neatd.store import requests
from neatd.store.connection import database_path, open_connection
from neatd.watch.observer import Watcher


def test_a_request_met_while_the_store_is_busy_is_carried_out_afterwards(tmp_path: Path) -> None:
    """While another process writes it stays pending; the turn after that carries it out, with its own result."""
    scene = open_scene(tmp_path, Settings())
    scene.records.execute("PRAGMA busy_timeout = 300")
    loop = Loop(scene, Watcher())
    loop.prepare()
    request_id = requests.ask(scene.records, "retention-undo", None, {"batch": None})
    other = open_connection(database_path(tmp_path, "neat"), "neat")
    other.execute("BEGIN IMMEDIATE")
    free = threading.Timer(0.45, other.execute, ["ROLLBACK"])  # after the daemon's patience, before twice of it
    free.start()
    loop.step([])
    free.join()
    assert requests.get_request(scene.records, request_id).status == "pending" and "locked" in scene.trouble
    other.close()
    begun = scene.clock()
    scene.clock = lambda: begun + FULL_DISK_PAUSE_S + 1  # the pause is over
    loop.step([])
    ended = requests.get_request(scene.records, request_id)
    assert ended.status == "failed" and "trash" in ended.result["error"]
    scene.records.close()
    scene.points.close()
