"""What is told of the machine's memory: events, lines in `logs/memory_alerts.log`, the state file for other programs.

An event of a kind and a run stands for an hour, however often its share is crossed: the store keeps one.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neatd.files import write_atomic
from neatd.pipeline.scene import LiveProject, LiveRun, Scene
from neatd.read.proctable import ProcessRow, read_table
from neatd.redact import redact
from neatd.rules.headroom import amount
from neatd.rules.memory import Crossing, Judgement, Seen
from neatd.store import events

LOG_BYTES = 1 << 20  # then it is put beside, as .1
HOUR_S = 3600.0


def tell(scene: Scene, seen: Seen, judgement: Judgement) -> None:
    """An event where a share was crossed; a line in the log for that and for every change of the risk."""
    largest = _largest(scene)
    if seen.crossed is not None:
        _add_event(scene, seen.crossed, judgement, largest)
    name = f"; run {largest[1].run.name}" if largest else ""
    _log(scene.home, f"{judgement.risk} {_used(judgement)}; top process: {_top(scene)}{name}; {judgement.reason}")


def _used(judgement: Judgement) -> str:
    room = judgement.room
    return f"{100 * room.used_share:.0f} % used, {amount(room.available_bytes)} available"


def _largest(scene: Scene) -> tuple[LiveProject, LiveRun] | None:
    """The run whose processes hold the most memory, as of their last looks."""
    held = [(one.memory.last.rss_bytes or 0, project, one) for project, one in scene.open_runs() if one.memory]
    found = max(held, key=lambda one: one[0], default=None)
    return (found[1], found[2]) if found and found[0] else None


def _add_event(
    scene: Scene, crossed: Crossing, judgement: Judgement, largest: tuple[LiveProject, LiveRun] | None
) -> None:
    run = largest[1].run if largest else None
    rule, room = f"memory-{crossed.severity}", crossed.room
    message = (
        f"memory: {100 * room.used_share:.0f} % of {amount(room.limit_bytes)} used ({room.name}), crossing"
        f" {100 * crossed.share:.0f} %; {amount(room.available_bytes)} left; risk {judgement.risk}"
    )
    if run is not None and largest and largest[1].memory:
        message += f"; the largest run holds {amount(largest[1].memory.last.rss_bytes or 0)}"
    hour = int(datetime.now(UTC).timestamp() // HOUR_S)
    key = f"{rule}|{run.id if run else ''}|{hour}"
    project_id = run.project_id if run else None
    events.add_mishap(scene.records, rule, message, key, crossed.severity, project_id, run.id if run else None)


def _top(scene: Scene) -> str:
    """The process that holds the most memory."""
    table = read_table(scene.memory.root / "proc").values()
    top: ProcessRow | None = max(table, key=lambda row: row.rss_bytes, default=None)
    return f"{top.name} (pid {top.pid}, {amount(top.rss_bytes)})" if top else "not known"


def alerts_path(home: Path) -> Path:
    """One line for each change of the risk and each crossing."""
    return home / "logs" / "memory_alerts.log"


def _log(home: Path, line: str) -> None:
    path = alerts_path(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {redact(' '.join(line.split()))}\n")


def state_path(home: Path) -> Path:
    """The present risk, for programs that do not ask the daemon."""
    return home / "memory.json"


def write_state(scene: Scene) -> None:
    """Leave the present risk for other programs; null while nothing is watched."""
    found: dict[str, Any] = {"memory": shape(scene), "at": datetime.now(UTC).isoformat()}
    write_atomic(state_path(scene.home), json.dumps(found).encode())


def shape(scene: Scene) -> dict[str, object] | None:
    """The present risk as programs read it; None while nothing is watched."""
    return scene.memory.now.shape() if scene.memory.now else None
