"""Retention joined to the store: what protects a checkpoint, the consent, the trash and the way back."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.conftest import Neat, until


def save(folder: Path, step: int) -> Path:
    """A checkpoint as torch writes it: a zip, complete under its name at once."""
    path = folder / "checkpoints" / f"step_{step:06d}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with zipfile.ZipFile(temporary, "w") as archive:
        archive.writestr("data", os.urandom(2000))
    temporary.replace(path)
    return path


def train(neat: Neat, run: str, saves: int, every: int = 100) -> Path:
    """A run with a checkpoint at each evaluation; the best one is the fifth."""
    folder = neat.root / run
    for number in range(1, saves + 1):
        step = number * every
        neat.metrics(run, {"step": step, "val/loss": 1.0 if number == 5 else 2.0 + number / 100})
        save(folder, step)
    return folder


def catalogued(neat: Neat, run: str, count: int) -> None:
    until(lambda: len(neat.json("neat", "checkpoints", run)) >= count, f"{count} checkpoints of {run} in the catalogue")


def knows(neat: Neat, run: str, step: int) -> None:
    """A plan that gives up nothing means something only when the catalogue holds the last checkpoint."""
    listed = ("neat", "checkpoints", run)
    until(lambda: any(one["step"] == step for one in neat.json(*listed)), f"step {step} of {run} in the catalogue")


@pytest.fixture
def thinned(neat: Neat) -> Neat:
    """A project whose policy thins early."""
    config = neat.root / "neat.yaml"
    config.write_text(config.read_text() + "retention: {newest: 4, half: 4, every_steps: 1000}\n")
    return neat


def test_nothing_goes_before_the_user_allowed_it(thinned: Neat) -> None:
    """The plan names what would go; every file is still there."""
    folder = train(thinned, "runs/a", 30)
    thinned.start()
    catalogued(thinned, "runs/a", 30)
    (planned,) = thinned.json("neat", "retention", "plan")
    assert len(planned["delete"]) > 10 and planned["bytes_freed"] > 0
    assert len(list((folder / "checkpoints").iterdir())) == 30


def test_an_allowed_folder_is_thinned_by_itself_and_undo_brings_everything_back(thinned: Neat) -> None:
    """With consent the daemon moves what the plan gives up; undo restores each file, and it stays."""
    thinned.start()
    thinned.call("neat", "allow", "retention")
    folder = train(thinned, "runs/a", 30)
    until(lambda: len(list((folder / "checkpoints").iterdir())) < 20, "the daemon to thin")
    knows(thinned, "runs/a", 3000)
    until(lambda: not thinned.json("neat", "retention", "plan")[0]["delete"], "the whole plan carried out")
    left = {path.name for path in (folder / "checkpoints").iterdir()}
    assert "step_000500.pt" in left and "step_003000.pt" in left and "step_001000.pt" in left
    batches = {one["batch"] for one in thinned.json("neat", "retention", "undo", "--list")}
    for batch in batches:
        thinned.call("neat", "retention", "undo", batch)
    assert len(list((folder / "checkpoints").iterdir())) == 30
    save(folder, 3100)
    catalogued(thinned, "runs/a", 31)
    until(lambda: not thinned.json("neat", "retention", "plan")[0]["delete"], "the one that is old now to go")
    assert (folder / "checkpoints" / "step_000100.pt").exists()  # brought back, and in no plan since


def test_apply_works_without_a_daemon_and_says_what_it_freed(thinned: Neat) -> None:
    """The request is carried out by the command itself when nothing watches."""
    folder = train(thinned, "runs/a", 30)
    thinned.start()
    catalogued(thinned, "runs/a", 30)
    thinned.call("neatd", "stop")
    result = json.loads(thinned.call("neat", "retention", "apply", "--yes", "--json").stdout)
    assert result["moved"] == 30 - len(list((folder / "checkpoints").iterdir())) > 0
    assert result["refused"] == [] and result["freed_bytes"] > 0
    assert not thinned.is_alive()


def test_a_link_protects_its_target(thinned: Neat) -> None:
    """A checkpoint that last.ckpt leads to stays, whatever its place in the tiers."""
    folder = train(thinned, "runs/a", 30)
    (folder / "checkpoints" / "keep.ckpt").symlink_to("step_000300.pt")
    thinned.start()
    catalogued(thinned, "runs/a", 30)
    (planned,) = thinned.json("neat", "retention", "plan")
    kept = {one["step"]: one["reasons"] for one in planned["keep"]}
    assert any("keep.ckpt" in reason for reason in kept[300])


def test_a_trash_that_is_a_link_out_of_the_project_is_refused(thinned: Neat, tmp_path: Path) -> None:
    """Nothing is moved outside of the watched folder."""
    folder = train(thinned, "runs/a", 30)
    thinned.start()
    catalogued(thinned, "runs/a", 30)
    outside = tmp_path / "outside"
    outside.mkdir()
    (thinned.root / ".neat" / "trash").symlink_to(outside)
    failed = thinned.call("neat", "retention", "apply", "--yes", check=False)
    assert failed.returncode == 1 and "outside of the project" in failed.stderr
    assert len(list((folder / "checkpoints").iterdir())) == 30 and not list(outside.iterdir())


def test_a_consent_is_for_one_folder_on_this_machine(thinned: Neat) -> None:
    """A copy of the project, with the same id in its neat.yaml, has no consent."""
    thinned.call("neat", "allow", "retention")
    copy = thinned.root.parent / "copy"
    copy.mkdir()
    (copy / "neat.yaml").write_text((thinned.root / "neat.yaml").read_text())
    thinned.root, original = copy, thinned.root
    try:
        assert thinned.json("neat", "allow") == {}
    finally:
        thinned.root = original
    assert "retention" in thinned.json("neat", "allow")


def test_undo_all_brings_back_every_batch(thinned: Neat) -> None:
    """The daemon thins in many small batches; one command undoes them all."""
    thinned.start()
    thinned.call("neat", "allow", "retention")
    folder = train(thinned, "runs/a", 20)
    until(lambda: len(thinned.json("neat", "retention", "undo", "--list")) >= 5, "the daemon to thin")
    save(folder, 2100)
    knows(thinned, "runs/a", 2100)
    until(lambda: not thinned.json("neat", "retention", "plan")[0]["delete"], "the whole plan carried out")
    thinned.call("neat", "allow", "retention", "--revoke")
    thinned.call("neat", "retention", "undo", "--all")
    assert thinned.json("neat", "retention", "undo", "--list") == []
    assert len(list((folder / "checkpoints").iterdir())) == 21


def test_the_checkpoints_of_a_vanished_run_are_gone(thinned: Neat) -> None:
    """They count nowhere any more, and the run is lost with its folder as the reason."""
    folder = train(thinned, "runs/a", 3)
    thinned.start()
    catalogued(thinned, "runs/a", 3)
    shutil.rmtree(folder)
    until(
        lambda: {one["status"] for one in thinned.json("neat", "checkpoints", "a")} == {"gone"},
        "checkpoints that are gone",
    )
    until(lambda: thinned.show("a")["status"] == "lost", "the run to be lost")
    assert "folder vanished" in thinned.show("a")["reason"]


def test_the_best_outlives_the_trainers_own_rotation(neat: Neat) -> None:
    """A trainer that keeps one checkpoint removes the best: its copy is there before that, and after."""
    neat.start()
    folder = neat.root / "runs" / "a"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"save_total_limit": 1}))
    neat.metrics("runs/a", {"step": 100, "val/loss": 0.5})
    best = save(folder, 100)
    content = best.read_bytes()
    (copy,) = until(lambda: list(folder.glob("snapshots/best/[0-9]*/step_000100.pt")), "a copy of the best")
    neat.metrics("runs/a", {"step": 200, "val/loss": 0.9})
    save(folder, 200)
    best.unlink()
    knows(neat, "runs/a", 200)
    until(lambda: neat.json("neat", "checkpoints", "runs/a")[0]["status"] == "gone", "the rotation to be seen")
    assert copy.read_bytes() == content
