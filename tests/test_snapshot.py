"""Snapshots: whole or not at all, once per event, and the checkpoint in one is the catalogued one."""

from __future__ import annotations

import errno
import json
import math
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from neatd.actions.copying import _try_reflink
from neatd.actions.snapshot import SnapshotInput, snapshot_name, take
from neatd.files import measure_checkpoint
from neatd.models import Checkpoint, Event, GitState, Run

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAME = "anomaly_20260102_030405_loss-spike_train_loss_7.343"
GIT = GitState(branch="main", commit="abc1234", is_repo=True, dirty=("train.py",))
needs_posix = pytest.mark.skipif(os.name == "nt", reason="links, limits and modes of POSIX")


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


@pytest.fixture
def inp(tmp_path: Path) -> SnapshotInput:
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


# ---- what a snapshot holds ----


def test_a_snapshot_holds_the_checkpoint_from_before_and_the_best(inp: SnapshotInput) -> None:
    """The first under its own name, the second as best_…; the sources stay."""
    done = take(inp)
    assert done.path == f"snapshots/{NAME}"
    assert (done.mode in ("copy", "reflink"), done.size_bytes, done.reason) == (True, 20, "")
    assert held(inp.folder / done.path) == {"step_200.pt": b"two hundred", "best_step_100.pt": b"a hundred"}
    assert [p.name for p in (inp.folder / "snapshots").iterdir()] == [NAME]
    assert len(list((inp.folder / "checkpoints").iterdir())) == 2


def test_metadata_says_what_was_known(inp: SnapshotInput) -> None:
    """Trigger, numbers, window, config, git and both sources, in plain JSON with NaN and Infinity as strings."""
    done = take(inp)
    known = metadata(inp, done.path)
    assert datetime.fromisoformat(known.pop("created_at")).tzinfo is not None
    assert known == {
        "event": "e-1",
        "run": {"id": "r-1", "name": "a"},
        "trigger": "spike",
        "rule": "loss-spike",
        "metric": "train/loss",
        "step": 250,
        "value": 7.3431,
        "score": 9.1,
        "threshold": 6.0,
        "severity": "critical",
        "message": "train/loss is 7.343",
        "started_at": "2026-01-02T03:04:05+00:00",
        "window": [[249, 1.5], [250, "NaN"]],
        "config": {
            "lr": 3e-4, "clip": "Infinity", "since": "2026-01-02 03:04:05+00:00", "layers": [1, 2], "names": {"3": "three"},
        },
        "git": json.loads(GIT.model_dump_json()),
        "mode": done.mode,
        "size_bytes": 20,
        "reason": "",
        "checkpoint": {
            "id": "c-200", "source": "checkpoints/step_200.pt", "step": 200, "mode": done.mode, "file": "step_200.pt",
            "size_bytes": 11, "reason": "",
        },
        "best": {
            "id": "c-100", "source": "checkpoints/step_100.pt", "step": 100, "mode": done.mode,
            "file": "best_step_100.pt", "size_bytes": 9, "reason": "",
        },
    }  # fmt: skip


def test_a_folder_is_kept_as_one_checkpoint(inp: SnapshotInput) -> None:
    """Shards and subfolders are all there; the size is their sum."""
    save = inp.folder / "checkpoints/step_300"
    (save / "optimizer").mkdir(parents=True)
    (save / "model.safetensors").write_bytes(b"shard")
    (save / "optimizer/state.bin").write_bytes(b"momentum")
    done = take(replace(inp, before=catalogued(inp.folder, "checkpoints/step_300", 300), best=None))
    assert done.size_bytes == 13
    assert held(inp.folder / done.path) == {
        "step_300/model.safetensors": b"shard",
        "step_300/optimizer/state.bin": b"momentum",
    }


@needs_posix
def test_links_and_pipes_in_a_folder_are_not_followed(inp: SnapshotInput, tmp_path: Path) -> None:
    """A link stays a link, and a pipe, which would be read for ever, is left out."""
    (tmp_path / "secret").write_bytes(b"outside")
    save = inp.folder / "checkpoints/step_300"
    save.mkdir()
    (save / "model.bin").write_bytes(b"shard")
    (save / "latest").symlink_to(tmp_path / "secret")
    os.mkfifo(save / "pipe")
    done = take(replace(inp, before=catalogued(inp.folder, "checkpoints/step_300", 300), best=None))
    copied = inp.folder / done.path / "step_300"
    assert sorted(p.name for p in copied.iterdir()) == ["latest", "model.bin"]
    assert (copied / "latest").readlink() == tmp_path / "secret"


def test_a_best_that_is_the_one_from_before_is_kept_once(inp: SnapshotInput) -> None:
    """Its entry in the metadata names the one copy."""
    done = take(replace(inp, best=inp.before))
    assert list(held(inp.folder / done.path)) == ["step_200.pt"]
    assert done.size_bytes == 11
    assert metadata(inp, done.path)["best"]["file"] == "step_200.pt"


def test_two_checkpoints_whose_names_meet_are_both_kept(inp: SnapshotInput) -> None:
    """From before: best_x.pt; best: x.pt."""
    (inp.folder / "best_x.pt").write_bytes(b"before")
    (inp.folder / "x.pt").write_bytes(b"best")
    done = take(replace(inp, before=catalogued(inp.folder, "best_x.pt", 1), best=catalogued(inp.folder, "x.pt", 2)))
    assert held(inp.folder / done.path) == {"best_x.pt": b"before", "best_best_x.pt": b"best"}


def test_without_a_checkpoint_the_metadata_still_tells(inp: SnapshotInput) -> None:
    """An anomaly before the first save is worth a record too."""
    done = take(replace(inp, before=None, best=None))
    assert (done.mode, done.size_bytes, done.reason) == ("none", 0, "no checkpoint from before the event")
    assert metadata(inp, done.path)["checkpoint"] is None
    assert metadata(inp, done.path)["best"] is None


# ---- names ----


@pytest.mark.parametrize(
    ("value", "spelt"), [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf"), (0.74291, "0.7429")]
)
def test_values_are_spelt_in_four_digits(value: float, spelt: str) -> None:
    """NaN and the infinities too."""
    assert snapshot_name(event(value=value)).endswith(f"_{spelt}")


def test_no_metric_or_rule_leaves_the_folder(inp: SnapshotInput) -> None:
    """Slashes, dots, quotes, line ends and half characters become a plain name of at most 255 bytes."""
    for metric in ("../../etc/passwd", 'a\\b:c*?"<>|\n\0', "\udcff", "损失" * 200, "x" * 500, ""):
        name = snapshot_name(event(metric=metric, rule="../" + metric))
        assert not set(name) & set('/\\:*?"<>|\n\0')
        assert len(os.fsencode(name)) < 250
        done = take(replace(inp, event=event(id=f"e-{len(metric)}", metric=metric, rule="../" + metric)))
        assert (inp.folder / done.path).parent == inp.folder / "snapshots"


def test_the_name_is_in_utc_and_does_without_a_value() -> None:
    """An event of another zone and of no number."""
    at = AT.astimezone(timezone(timedelta(hours=9)))
    assert snapshot_name(event(started_at=at, value=None)) == "anomaly_20260102_030405_loss-spike_train_loss"


# ---- once per event ----


def test_a_snapshot_is_taken_once_per_event(inp: SnapshotInput) -> None:
    """Asked again, even when the source is gone, it returns what is there and writes nothing."""
    first = take(inp)
    stamp = measure_checkpoint(inp.folder / first.path)
    (inp.folder / "checkpoints/step_200.pt").unlink()
    assert take(inp) == first
    assert measure_checkpoint(inp.folder / first.path) == stamp


def test_events_of_one_name_get_numbered_folders(inp: SnapshotInput) -> None:
    """Two more events at the same second with the same value; each finds its own again."""
    inputs = [replace(inp, event=event(id=one)) for one in ("e-1", "e-2", "e-3")]
    paths = [take(one).path for one in inputs]
    assert paths == [f"snapshots/{NAME}", f"snapshots/{NAME}_2", f"snapshots/{NAME}_3"]
    assert [take(one).path for one in inputs] == paths


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}", b"\xff"])
def test_a_folder_of_that_name_that_is_not_ours_is_left_alone(inp: SnapshotInput, content: bytes | None) -> None:
    """A person's folder, or one whose metadata was cut or edited."""
    place = inp.folder / "snapshots" / NAME
    place.mkdir(parents=True)
    if content is not None:
        (place / "metadata.json").write_bytes(content)
    assert take(inp).path == f"snapshots/{NAME}_2"
    assert [p.name for p in place.iterdir()] == ([] if content is None else ["metadata.json"])


def test_what_a_crash_left_is_replaced(inp: SnapshotInput) -> None:
    """A half-written folder under the hidden name goes, and none of it is in the snapshot."""
    partial = inp.folder / "snapshots/.partial_e-1"
    (partial / "sub").mkdir(parents=True)
    (partial / "step_200.pt").write_bytes(b"two")
    (partial / "stray").write_bytes(b"x")
    done = take(inp)
    assert held(inp.folder / done.path)["step_200.pt"] == b"two hundred"
    assert sorted(p.name for p in (inp.folder / done.path).iterdir()) == [
        "best_step_100.pt",
        "metadata.json",
        "step_200.pt",
    ]
    assert not partial.exists()


# ---- room ----


def can_reflink(folder: Path) -> bool:
    (folder / "probe").write_bytes(b"x" * 65536)
    return _try_reflink(folder / "probe", folder / "probed")


def test_over_the_budget_a_checkpoint_is_pinned(inp: SnapshotInput, tmp_path: Path) -> None:
    """Nothing is copied; metadata and result say that it was kept in place, and why."""
    if can_reflink(tmp_path):
        pytest.skip("a reflink takes no room here")
    done = take(replace(inp, budget_left_bytes=8))
    assert (done.mode, done.size_bytes) == ("pin", 0)
    assert done.reason == "kept in place: 11 bytes, 8 left for snapshots"
    assert held(inp.folder / done.path) == {}
    assert metadata(inp, done.path)["checkpoint"]["reason"] == done.reason


def test_the_one_from_before_has_the_first_claim_on_the_budget(inp: SnapshotInput, tmp_path: Path) -> None:
    """With room for one, the best is pinned."""
    if can_reflink(tmp_path):
        pytest.skip("a reflink takes no room here")
    done = take(replace(inp, budget_left_bytes=15))
    assert (done.mode, done.size_bytes) == ("copy", 11)
    assert metadata(inp, done.path)["best"]["mode"] == "pin"


def test_a_checkpoint_that_would_fill_the_disk_is_pinned(inp: SnapshotInput, tmp_path: Path) -> None:
    """A sparse file larger than what is free: the budget allows it, the disk does not."""
    if can_reflink(tmp_path):
        pytest.skip("a reflink takes no room here")
    disk = os.statvfs(tmp_path) if hasattr(os, "statvfs") else pytest.skip("statvfs")
    path = inp.folder / "checkpoints/step_200.pt"
    try:
        os.truncate(path, disk.f_bavail * disk.f_frsize)
    except OSError:
        pytest.skip("no sparse file of that size here")
    done = take(
        replace(inp, before=catalogued(inp.folder, "checkpoints/step_200.pt", 200), best=None, budget_left_bytes=2**62)
    )
    assert done.mode == "pin"
    assert "would fill the disk" in done.reason


LIMITED = """
import resource, sys
from neatd.actions.snapshot import take
sys.path.insert(0, sys.argv[1])
from test_snapshot import from_json
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


@needs_posix
def test_a_disk_that_fills_up_during_the_copy_leads_to_a_pin(inp: SnapshotInput, tmp_path: Path) -> None:
    """Writing fails after 100,000 bytes: no part of the copy is left."""
    if can_reflink(tmp_path):
        pytest.skip("a reflink takes no room here")
    (inp.folder / "checkpoints/step_200.pt").write_bytes(b"x" * 300_000)
    inp = replace(inp, before=catalogued(inp.folder, "checkpoints/step_200.pt", 200))
    result = take_limited(inp, 100_000)
    assert result.stdout.strip() == "pin|9|kept in place: the disk is full", result.stderr
    assert list(held(inp.folder / "snapshots" / NAME)) == ["best_step_100.pt"]


@needs_posix
def test_no_room_even_for_the_metadata_is_an_error_that_leaves_nothing(inp: SnapshotInput) -> None:
    """No partial copy fills the disk further."""
    result = take_limited(inp, 20)
    assert f"OSError: [Errno {errno.EFBIG}]" in result.stderr
    assert list((inp.folder / "snapshots").iterdir()) == []


# ---- a source that is not what it was ----


@pytest.mark.parametrize("change", ["rewritten", "replaced", "gone"])
def test_a_source_changed_since_it_was_catalogued_is_not_taken(inp: SnapshotInput, change: str) -> None:
    """last.pt saved anew after the event holds the state after it: neither copied nor said to be pinned."""
    path = inp.folder / "checkpoints/step_200.pt"
    kept = path.rename(path.with_suffix(".old")).stat()
    if change != "gone":
        path.write_bytes(b"TWO HUNDRED" if change == "replaced" else b"two hundred and fifty")
        os.utime(path, ns=(kept.st_mtime_ns, kept.st_mtime_ns))
    done = take(inp)
    assert done.mode == "none"
    assert ("no longer there" if change == "gone" else "changed since") in done.reason
    assert list(held(inp.folder / done.path)) == ["best_step_100.pt"]


@needs_posix
def test_a_source_that_changes_during_the_copy_is_not_taken(inp: SnapshotInput, tmp_path: Path) -> None:
    """A writer appends from the moment the copy appears: the mixture is not kept."""
    if can_reflink(tmp_path):
        pytest.skip("a reflink is made at once")
    path = inp.folder / "checkpoints/step_200.pt"
    os.truncate(path, 1 << 27)  # sparse: long enough to copy that the writer comes in between
    inp = replace(
        inp, before=catalogued(inp.folder, "checkpoints/step_200.pt", 200), best=None, budget_left_bytes=2**62
    )
    copy = inp.folder / "snapshots/.partial_e-1/step_200.pt"
    ended = threading.Event()

    def append_when_copied() -> None:
        while not copy.exists() and not ended.is_set():
            time.sleep(0)
        with path.open("ab") as file:
            file.write(b"later")

    writer = threading.Thread(target=append_when_copied)
    writer.start()
    done = take(inp)
    ended.set()
    writer.join()
    assert (done.mode, done.size_bytes) == ("none", 0)
    assert "changed" in done.reason
    assert held(inp.folder / done.path) == {}


@needs_posix
def test_nothing_is_copied_through_a_link(inp: SnapshotInput, tmp_path: Path) -> None:
    """A checkpoint's name that now leads out of the run's folder."""
    (inp.folder / "checkpoints").rename(tmp_path / "elsewhere")
    (inp.folder / "checkpoints").symlink_to(tmp_path / "elsewhere")
    done = take(inp)
    assert done.mode == "none"
    assert "through a link" in done.reason
    assert held(inp.folder / done.path) == {}


@needs_posix
def test_nothing_is_written_through_a_link(inp: SnapshotInput, tmp_path: Path) -> None:
    """A repository may bring a link called snapshots that leads anywhere."""
    (tmp_path / "elsewhere").mkdir()
    (inp.folder / "snapshots").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotADirectoryError, match="A link"):
        take(inp)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_run_folder_that_is_gone_is_an_error_that_names_it(inp: SnapshotInput) -> None:
    """The run was deleted or moved before its snapshot was taken."""
    with pytest.raises(FileNotFoundError, match="gone"):
        take(replace(inp, folder=inp.folder.parent / "gone"))
    assert not (inp.folder.parent / "gone").exists()


def test_where_blocks_can_be_shared_they_are(inp: SnapshotInput, tmp_path: Path) -> None:
    """On btrfs and XFS a snapshot costs nothing, whatever is left of the budget."""
    if not can_reflink(tmp_path):
        pytest.skip("this file system cannot share blocks")
    done = take(replace(inp, budget_left_bytes=0))
    assert (done.mode, done.size_bytes) == ("reflink", 20)
    assert held(inp.folder / done.path) == {"step_200.pt": b"two hundred", "best_step_100.pt": b"a hundred"}
