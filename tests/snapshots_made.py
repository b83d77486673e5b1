"""Snapshots for tests: a run with two checkpoints, what a snapshot of it holds, and one taken on a full disk."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neatd.actions.copying import _try_reflink
from neatd.actions.snapshot import SnapshotInput
from neatd.files import measure_checkpoint
from neatd.models import Checkpoint, Event, GitState, Run

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAME = "anomaly_20260102_030405_loss-spike_train_loss_7.343"
GIT = GitState(branch="main", commit="abc1234", is_repo=True, dirty=("train.py",))


def catalogued(folder: Path, path: str, step: int) -> Checkpoint:
    """The row that the reader would keep of what lies at `path`."""
    measured = measure_checkpoint(folder / path)
    assert measured is not None
    return Checkpoint(
        id=f"c-{step}", run_id="r-1", path=path, step=step, ordinal=step // 100, size_bytes=measured[0],
        mtime_ns=measured[1], inode=measured[2], is_folder=(folder / path).is_dir(), completed_at=AT,
    )  # fmt: skip


def event(**fields: Any) -> Event:
    """A spike of train/loss at step 250; fields override."""
    details = {"window": [[249, 1.5], [250, math.nan]], "condition": "spike"}
    known = {
        "id": "e-1", "run_id": "r-1", "rule": "loss-spike", "metric": "train/loss", "step": 250, "started_at": AT,
        "created_at": AT, "severity": "critical", "value": 7.3431, "score": 9.1, "threshold": 6.0,
        "message": "train/loss is 7.343", "details": details,
    }  # fmt: skip
    return Event.model_validate(known | fields)


def held(folder: Path) -> dict[str, bytes]:
    """Every file of a snapshot but its metadata, and what it holds."""
    files = [p for p in folder.rglob("*") if p.is_file() and p.name != "metadata.json"]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def metadata(inp: SnapshotInput, path: str) -> dict[str, Any]:
    """A snapshot's metadata, read by a parser that takes nothing but JSON."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads((inp.folder / path / "metadata.json").read_bytes(), parse_constant=refuse)


def run_with_two(tmp_path: Path) -> SnapshotInput:
    """A run with checkpoints at steps 100 (the best) and 200 (from before the event), and room for both."""
    folder = tmp_path / "runs/a"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints/step_100.pt").write_bytes(b"a hundred")
    (folder / "checkpoints/step_200.pt").write_bytes(b"two hundred")
    run = Run(
        id="r-1", project_id="p-1", root=str(tmp_path), folder="runs/a", name="a", created_at=AT, started_at=AT,
        updated_at=AT, config={"lr": 3e-4, "clip": math.inf, "since": AT, "layers": (1, 2), "names": {3: "three"}},
    )  # fmt: skip
    before, best = (catalogued(folder, f"checkpoints/step_{step}.pt", step) for step in (200, 100))
    return SnapshotInput(event(), run, folder, before, best, 10**6, GIT)


def can_reflink(folder: Path) -> bool:
    (folder / "probe").write_bytes(b"x" * 65536)
    return _try_reflink(folder / "probe", folder / "probed")


LIMITED = """
import resource, sys
from neatd.actions.snapshot import take
sys.path.insert(0, sys.argv[1])
from snapshots_made import from_json
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
done = take(from_json(sys.argv[2]))
print(done.mode, done.size_bytes, done.reason, sep="|")
"""


def to_json(inp: SnapshotInput) -> str:
    """A snapshot's input for another process."""
    models = {"event": inp.event, "run": inp.run, "before": inp.before, "best": inp.best, "git": inp.git}
    plain = {name: model and model.model_dump_json() for name, model in models.items()}
    return json.dumps(plain | {"folder": str(inp.folder), "budget": inp.budget_left_bytes})


def from_json(text: str) -> SnapshotInput:
    """The other process's side of `to_json`."""
    known = json.loads(text)
    before, best = (known[name] and Checkpoint.model_validate_json(known[name]) for name in ("before", "best"))
    return SnapshotInput(
        Event.model_validate_json(known["event"]), Run.model_validate_json(known["run"]), Path(known["folder"]),
        before, best, known["budget"], GitState.model_validate_json(known["git"]),
    )  # fmt: skip


def take_limited(inp: SnapshotInput, bytes_a_file: int) -> subprocess.CompletedProcess[str]:
    """Take a snapshot in a process whose writes fail beyond a size, as they do on a full disk."""
    command = [sys.executable, "-c", LIMITED, str(Path(__file__).parent), to_json(inp), str(bytes_a_file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
