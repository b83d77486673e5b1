"""The machine's memory for the page: what is used, by whose processes, and whose word the risk is."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from neatd.lifesign import lock_path
from neatd.locks import FileLock
from neatd.models import ProcessFact
from neatd.pipeline.memoryalerts import state_path
from neatd.pipeline.memorystats import memory_stats
from neatd.read.processfacts import described
from tests.cli_place import Cli
from tests.reading_made import reading

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def test_the_machine_and_the_processes_of_runs_are_told(cli: Cli) -> None:
    """A process is a run's only while it is the very one; its number alone proves nothing."""
    own = described(ProcessFact(pid=os.getpid(), started=0.0)).model_copy(update=_ticks())
    cli.add_run("runs/a", {"system/gpu0/memory_used_bytes": [7.0]}, status="running", process=own)
    cli.add_run("runs/b", {"loss": [1.0]}, status="running", process=own.model_copy(update={"start_ticks": 1}))
    with reading(cli) as (records, points, _, _):
        found = memory_stats(cli.home, records, points, NOW)
    assert [(one["name"], one["pid"]) for one in found["training"]["runs"]] == [("runs/a", os.getpid())]
    assert found["training"]["rss_bytes"] > 1 << 20 and found["training"]["processes"] >= 1
    system = found["system"]
    assert system["used_bytes"] + system["available_bytes"] == system["total_bytes"] and 0 < system["percent"] < 100
    assert found["gpus"] == [{"number": 0, "memory_used_bytes": 7.0}]
    assert found["oom_risk"] in ("LOW", "MEDIUM", "HIGH") and found["reason"] and found["source"] == "look"


def _ticks() -> dict[str, object]:
    from neatd.read.processfacts import identity

    return identity(os.getpid())


@pytest.mark.parametrize(("age_s", "source"), [(10, "neatd"), (3600, "look")])
def test_the_daemons_judgement_counts_while_it_is_fresh(cli: Cli, age_s: int, source: str) -> None:
    """It has seen the pace; what it wrote an hour ago says nothing of now."""
    told = {"risk": "HIGH", "reason": "full in 40 s", "seconds_to_limit": 40.0, "limit": "the machine"}
    at = NOW - timedelta(seconds=age_s)
    state_path(cli.home).write_text(json.dumps({"memory": told, "at": at.isoformat()}))
    lock = FileLock(lock_path(cli.home))
    assert lock.try_acquire()
    try:
        with reading(cli) as (records, points, _, _):
            found = memory_stats(cli.home, records, points, NOW)
    finally:
        lock.release()
    assert found["source"] == source and (found["seconds_to_limit"] == 40.0) == (source == "neatd")
