"""The best checkpoint of a run that rotates its own: a copy outlives the rotation, one for each metric."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neatd.actions.vault import drop, give_up_copy
from neatd.config import ProjectConfig, Settings
from neatd.models import Verdict
from neatd.pipeline import acting, saving, vaulting
from neatd.pipeline.vaulting import is_rotating
from neatd.store import events, runs, vaults
from neatd.store.connection import transaction
from tests.retention_day import Day, Trainer, day

NOTHING = float("nan")


class Run:
    """One training with its daemon's steps; each save has its values, and the trainer keeps so many of its saves."""

    def __init__(self, made: Day, keeps: int) -> None:
        self.made, self.trainer = made, made.trainers[0]
        self.trainer.keeps = keeps
        self.live = made.live(self.trainer)
        self.folder = self.live.folder

    def save(self, loss: float, acc: float = NOTHING, size: int = 0) -> Path:
        """A save and its evaluation; the daemon looks; then the trainer rotates and the daemon looks again."""
        made, trainer = self.made, self.trainer
        made.minutes += 1
        step = (len(trainer.saved) + 1) * trainer.steps
        (file,) = trainer.files(self.folder, step)
        made.write(file, f"weights of {step}".encode().ljust(size, b"."))
        trainer.saved.append(step)
        made.measured(trainer, step, {"val/loss": loss, "val/acc": acc})
        self.look()
        made.rotate(trainer, self.folder)
        self.look()
        return file

    def look(self) -> None:
        made = self.made
        for _ in range(2):
            saving.keep_saves(made.scene, made.project, self.live)
            made.minutes += 0.1
        acting.take_snapshots(made.scene)
        vaulting.keep_bests(made.scene, made.project, self.live)
        acting.retain(made.scene, made.project, self.live)

    def held(self) -> dict[int, list[str]]:
        """Step -> the metrics that its copy is the best by, as the copies on the disk tell."""
        found = {}
        for told in self.folder.glob("snapshots/best/*/metadata.json"):
            metadata = json.loads(told.read_text())
            step = metadata["checkpoint"]["step"]
            assert (
                (told.parent / Path(metadata["checkpoint"]["source"]).name)
                .read_bytes()
                .startswith(b"weights of %d" % step)
            )
            found[step] = sorted(metadata["best"])
        return found

    def best_event(self, step: int, value: float) -> None:
        """What the rule of the best loss says, with its snapshot."""
        verdict = Verdict(
            rule="best-loss", condition="best", metric="val/loss", seq=step, attempt=1, step=step, value=value, goal="min",
            time=self.made.now().timestamp(), message="best", then=("snapshot",),
            snapshots_per_hour=6,
        )  # fmt: skip
        with transaction(self.made.records):
            run = self.live.run
            events.write_judging(self.made.records, run, "metrics.jsonl", "made", step, {}, [verdict], self.made.now())


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Day]:
    with day(tmp_path, 1, [Trainer("a", 1, 100, "file")]) as found:
        yield found


def test_the_best_outlives_the_trainers_own_rotation(made: Day) -> None:
    """The second save was the best: its file is gone, its bytes are kept, and one copy is all that is kept."""
    run = Run(made, keeps=2)
    saves = [run.save(loss) for loss in (0.9, 0.4, 0.3, 0.5, 0.6, 0.7)]
    assert not saves[2].exists() and run.held() == {300: ["val/loss"]}
    copy = next(run.folder.glob("snapshots/best/*/step_0000300.pt"))
    assert copy.stat().st_nlink == 1  # no second name of a file that may be written anew


def test_each_metric_has_its_best_and_shares_a_copy(made: Day) -> None:
    """A copy goes when others are as good by each of its metrics; NaN is never best."""
    run = Run(made, keeps=2)
    for loss, acc in ((0.9, 0.1), (0.5, 0.9), (0.6, 0.8), (NOTHING, NOTHING), (0.4, 0.2), (0.7, 0.3)):
        run.save(loss, acc)
    assert run.held() == {200: ["val/acc"], 500: ["val/loss"]} or run.held() == {
        200: ["val/acc", "val/loss"],
        500: ["val/loss"],
    }
    for loss, acc in ((0.1, 0.95), (0.7, 0.3), (0.7, 0.3), (0.7, 0.3)):
        run.save(loss, acc)
    assert run.held() == {700: ["val/acc", "val/loss"]}
    assert vaults.copied_bytes(made.records, run.live.run.project_id) == sum(
        path.stat().st_size for path in run.folder.glob("snapshots/best/*/*.pt")
    )


def test_a_run_that_keeps_its_saves_is_not_copied(made: Day) -> None:
    """Nobody removes its best: retention keeps it in place."""
    run = Run(made, keeps=100)
    for loss in (0.9, 0.4, 0.5):
        run.save(loss)
    assert run.held() == {}


def test_parameters_tell_of_a_rotation_before_it_happens(made: Day) -> None:
    """What trainers call their limit; nothing else."""
    assert is_rotating({"trainer": {"save_total_limit": 2}}, []) and is_rotating({"save-top-k": 1}, [])
    assert not is_rotating({"save_total_limit": None, "lr": 2, "save_top_k": -1, "max_to_keep": True}, [])
    run = Run(made, keeps=1)
    runs.set_run(made.records, run.live.run.id, config={"save_total_limit": 1})
    run.live.run = run.live.run.model_copy(update={"config": {"save_total_limit": 1}})
    first = run.save(0.2)
    assert first.exists() and run.held() == {100: ["val/loss"]}
    run.save(0.9)
    assert not first.exists() and run.held() == {100: ["val/loss"]}


def test_a_snapshot_of_the_best_is_the_copy(made: Day) -> None:
    """No second one is made, and it outlives the rotation as well."""
    run = Run(made, keeps=1)
    run.save(0.9), run.save(0.8)
    run.trainer.keeps = 100
    (run.folder / "checkpoints").mkdir(exist_ok=True)
    made.minutes += 1
    (file,) = run.trainer.files(run.folder, 300)
    made.write(file, b"weights of 300")
    run.trainer.saved.append(300)
    made.measured(run.trainer, 300, {"val/loss": 0.1})
    saving.keep_saves(made.scene, made.project, run.live)
    made.minutes += 0.1
    saving.keep_saves(made.scene, made.project, run.live)
    run.best_event(300, 0.1)
    made.records.execute("UPDATE checkpoint SET completed_at = '2026-01-01T00:00:00+00:00'")  # before the real clock
    run.look()
    (snapshot,) = events.snapshots(made.records, run_id=run.live.run.id)
    assert snapshot.mode in ("copy", "reflink") and 300 not in run.held()
    file.unlink()
    run.look()
    assert (run.folder / snapshot.path / file.name).read_bytes() == b"weights of 300"
    assert run.held() == {}  # the copies of the beaten ones went


def test_the_best_fits_into_the_budget_by_what_it_replaces(made: Day) -> None:
    """A budget of one checkpoint and a half: there is always the copy of the best, and never more than the budget."""
    made.scene.settings = Settings(snapshot_gib=1500 / 2**30)
    run = Run(made, keeps=1)
    for loss in (0.9, 0.8, 0.7, 0.6, 0.65, 0.5, 0.9):
        run.save(loss, size=1000)
    assert run.held() == {600: ["val/loss"]}
    assert vaulting.held_bytes(made.scene, made.project) <= 1500


def test_a_snapshot_of_a_beaten_best_makes_room(made: Day) -> None:
    """What it tells stays, its checkpoint goes, when the best of now would not fit."""
    run = Run(made, keeps=1)
    run.save(0.9, size=1000), run.save(0.8, size=1000)
    shelf = run.folder / "snapshots" / "anomaly_1"
    shelf.mkdir(parents=True)
    (shelf / "metadata.json").write_text("{}")
    (shelf / "step_1.pt").write_bytes(b"x")
    assert give_up_copy(run.folder, "snapshots/anomaly_1") and [path.name for path in shelf.iterdir()] == [
        "metadata.json"
    ]


@pytest.mark.parametrize(
    "path", ["snapshots", "checkpoints", "../a", "snapshots/best/../../checkpoints", "snapshots/best/out"]
)
def test_only_neats_own_copies_are_removed(made: Day, path: str) -> None:
    """No other folder of the run, no way out of it, no link."""
    run = Run(made, keeps=1)
    run.save(0.5), run.save(0.6)
    (run.folder / "snapshots/best/out").symlink_to(run.folder / "checkpoints")
    before = sorted(run.folder.rglob("*"))
    assert drop(run.folder, path) is False and give_up_copy(run.folder, path) is False
    assert sorted(run.folder.rglob("*")) == before


def test_a_copy_that_somebody_removed_is_made_again(made: Day) -> None:
    """As long as the checkpoint is there."""
    run = Run(made, keeps=1)
    run.save(0.5), run.save(0.4)
    (copy,) = run.folder.glob("snapshots/best/*")
    assert drop(run.folder, copy.relative_to(run.folder).as_posix())
    run.live.vault_stamp = None
    made.minutes += 1
    run.look()
    assert run.held() == {200: ["val/loss"]}


def test_a_policy_of_more_metrics_is_looked_after_too(made: Day) -> None:
    """A training loss is no evaluation, but the policy names it."""
    config: dict[str, Any] = {"best_metrics": {"train/loss": "min"}}
    made.project.config = ProjectConfig.model_validate({"id": made.project.config.id, "retention": config})
    run = Run(made, keeps=1)
    run.save(0.5)
    run.made.measured(run.trainer, 100, {"train/loss": 0.1})
    run.save(0.6)
    run.made.measured(run.trainer, 200, {"train/loss": 0.01})
    made.minutes += 1
    run.look()
    assert "train/loss" in run.held()[200]


class Overwriting:
    """A trainer that has one file: it trains, evaluates and writes `last.pt` anew, or saves and then evaluates."""

    def __init__(self, made: Day, saves_first: bool) -> None:
        self.made, self.trainer, self.saves_first = made, made.trainers[0], saves_first
        self.live = made.live(self.trainer)
        began = made.now()
        self.live.run = self.live.run.model_copy(update={"started_at": began})
        self.epoch = 0

    def train(self, loss: float) -> None:
        """An epoch of ten minutes; the daemon looks whenever something happened."""
        self.epoch, self.made.minutes = self.epoch + 1, self.made.minutes + 10
        parts = [self._evaluate, self._save] if not self.saves_first else [self._save, self._evaluate]
        for part in parts:
            self.made.minutes += 0.2
            part(loss)
            self.look()

    def _save(self, _: float) -> None:
        self.made.write(self.live.folder / "last.pt", b"weights of %d" % self.epoch)

    def _evaluate(self, loss: float) -> None:
        self.made.measured(self.trainer, self.epoch, {"val/loss": loss})

    def look(self) -> None:
        for _ in range(2):
            saving.keep_saves(self.made.scene, self.made.project, self.live)
            self.made.minutes += 0.1
        vaulting.keep_bests(self.made.scene, self.made.project, self.live)

    def held(self) -> list[bytes]:
        return [path.read_bytes() for path in self.live.folder.glob("snapshots/best/*/last.pt")]


@pytest.mark.parametrize("saves_first", [True, False])
def test_the_best_of_one_file_that_is_written_again_and_again_is_kept(made: Day, saves_first: bool) -> None:
    """The trainer keeps none: the copy is of the moment at which its own evaluation was the best, and one at a time."""
    run = Overwriting(made, saves_first)
    for loss in (0.9, 0.5, 0.3, 0.6, 0.4):
        run.train(loss)
    assert run.held() == [b"weights of 3"]
    run.train(0.2)
    assert run.held() == [b"weights of 6"]


def test_a_trainer_that_keeps_its_best_in_a_file_is_not_copied(made: Day) -> None:
    """It would be twice on the disk."""
    run = Overwriting(made, saves_first=False)
    made.write(run.live.folder / "best_model.pt", b"its own")
    for loss in (0.9, 0.5, 0.6):
        run.train(loss)
    assert run.held() == []
