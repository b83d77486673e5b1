"""Snapshots: whole or not at all, once per event, and what they hold and are called."""

from __future__ import annotations

import json
import math
import os
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from neatd.actions.snapshot import SnapshotInput, snapshot_name, take
from neatd.files import measure_checkpoint
from tests.snapshots_made import AT, GIT, NAME, catalogued, event, held, metadata, run_with_two

needs_posix = pytest.mark.skipif(os.name == "nt", reason="links, limits and modes of POSIX")


@pytest.fixture
def inp(tmp_path: Path) -> SnapshotInput:
    """A run with checkpoints at steps 100 (the best) and 200 (from before the event), and room for both."""
    return run_with_two(tmp_path)


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
