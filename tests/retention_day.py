"""A day of several trainings under a clock of our own: real files, the daemon's own steps, and a ledger of every save.

The ledger knows what each save held. Whatever is no longer at its place must be in the trash with its bytes, emptied from
there by age, or removed by the trainer itself.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from neatd.config import ProjectConfig, Settings
from neatd.models import Cursor, GitState, Line, Verdict
from neatd.pipeline import acting, saving, vaulting
from neatd.pipeline.finding import refresh_projects
from neatd.pipeline.retaining import apply_plan, empty_trash, plan_run, undo
from neatd.pipeline.scene import LiveProject, LiveRun, Scene
from neatd.place import Place
from neatd.policy import RetentionPolicy
from neatd.read.checkpoint import RestWatch
from neatd.rules.maintenance import Schedule, ScheduledJob, due
from neatd.store import checkpoints, events, points, projects, runs
from neatd.store.connection import transaction
from neatd.store.opening import connect
from neatd.store.short import ensure_project
from tests.stores_made import put_store

# Tomorrow: an event of the past would be one that happened before neat watched.
BEGAN = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
PROJECT_ID = "0f4c2a52-7a52-4b1c-9a1b-3f3a3c1d5e6f"
POLICY = RetentionPolicy(newest=10, half=6, every_steps=2000, younger_than="20m", hourly=4)
TRASH_H = 6.0
SCHEDULE = Schedule(
    jobs=(ScheduledJob(name="checkpoints", cron="0 * * * *"), ScheduledJob(name="trash", cron="30 * * * *"))
)
# Per run: the newest 10, half of 6, 20 minutes and 4 hours of saves, one each 2,000 steps; and a few that are protected.
SPARE = 12  # pins, links, bests of two metrics, sources of snapshots, starts of other runs


class KilledError(BaseException):
    """The daemon dies in the middle of a pass: nothing may catch it."""


@dataclass
class Trainer:
    """A program that saves in its own way, and removes its own saves or not."""

    name: str
    every_min: int
    steps: int  # between two saves
    shape: str  # file, folder, pair, shards, tagged
    keeps: int = 0  # its own rotation; 0: none
    saved: list[int] = field(default_factory=list)
    removed: set[Path] = field(default_factory=set)

    def files(self, folder: Path, step: int) -> list[Path]:
        """Everything that a save consists of, the last one being what stands for it."""
        place = folder / "checkpoints"
        if self.shape == "folder":
            return [place / f"checkpoint-{step}" / name for name in ("optimizer.pt", "model.safetensors.bin")]
        if self.shape == "tagged":
            return [place / f"global_step{step}" / "mp_rank_00_model_states.pt"]
        if self.shape == "pair":
            return [place / f"optim_{step:06d}.pt", place / f"meta_{step:06d}.json", place / f"model_{step:06d}.pt"]
        if self.shape == "shards":
            return [place / f"step_{step}-{part:05d}-of-00003.pt" for part in (3, 2, 1)]
        return [place / f"step_{step:07d}.pt"]


class Day:
    """The place, the clock and the ledger."""

    def __init__(self, base: Path, seed: int, trainers: list[Trainer]) -> None:
        self.rng = random.Random(seed)
        self.root, self.trainers = base / "project", trainers
        self.minutes, self.offset = 0.0, timedelta(0)  # the machine's steady clock, and what its wall clock is off by
        put_store(base / "home")
        put_store(base / "home", "points")
        self.records, self.points = connect(base / "home", "neat"), connect(base / "home", "points")
        for connection in (self.records, self.points):
            connection.execute("PRAGMA synchronous = OFF")
        self.root.mkdir()
        (self.root / "neat.yaml").write_text(f"id: {PROJECT_ID}\n")
        place = Place(self.root, PROJECT_ID, "day", "", "")
        with transaction(self.records):
            ensure_project(self.records, place)
        self.ledger: dict[Path, bytes] = {}  # file -> what was saved there
        self.mains: dict[Path, Path] = {}  # file -> the one that stands for its save
        self.values: dict[str, dict[int, float]] = {trainer.name: {} for trainer in trainers}
        self.pinned: set[Path] = set()
        self.last_runs = {job.name: BEGAN for job in SCHEDULE.jobs}
        self.lines = self.saves = self.kills = self.snapshots = self.emptied = self.most_trash = 0
        projects.allow(self.records, self.root, "retention")
        self.records.execute("UPDATE consent SET created_at = ?", ((BEGAN - timedelta(hours=1)).isoformat(),))
        self.start()

    # ---- the daemon ----

    def now(self) -> datetime:
        return BEGAN + timedelta(minutes=self.minutes) + self.offset

    def start(self) -> None:
        """A daemon's beginning: it knows what the store holds, and nothing else."""
        self.scene = Scene(
            self.root.parent / "home", Settings(snapshot_gib=1.0), self.records, self.points, RestWatch(2.0),
            clock=lambda: self.minutes * 60, today=self.now,
        )  # fmt: skip
        refresh_projects(self.scene)
        self.project: LiveProject = self.scene.projects[str(self.root)]
        self.project.config = ProjectConfig(id=PROJECT_ID, retention=POLICY)
        for trainer in self.trainers:
            folder = self.root / "runs" / trainer.name
            (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
            made = runs.ensure_run(
                self.records, PROJECT_ID, str(self.root), f"runs/{trainer.name}", GitState(), self.now()
            )
            self.project.runs[f"runs/{trainer.name}"] = LiveRun(made, folder, folder, last_line_at=self.now())

    def live(self, trainer: Trainer) -> LiveRun:
        return self.project.runs[f"runs/{trainer.name}"]

    def act(self, trainer: Trainer) -> None:
        """What a turn of the loop does after a save: catalogue, snapshots, the best, retention. Sometimes it is killed."""
        live = self.live(trainer)
        saving.keep_saves(self.scene, self.project, live)
        self.minutes += 0.05  # it is at rest for three seconds now
        saving.keep_saves(self.scene, self.project, live)
        acting.take_snapshots(self.scene)
        vaulting.keep_bests(self.scene, self.project, live)
        if self.rng.random() < 0.1:
            self.die_in_a_pass(live)
        acting.retain(self.scene, self.project, live)
        self.minutes -= 0.05

    def die_in_a_pass(self, live: LiveRun) -> None:
        """A kill after some moves of a pass, before the next one: its line in the journal stays planned."""
        planned = plan_run(self.records, self.points, live.run, self.project.config, self.now())
        left = self.rng.randint(0, 1)

        def in_use(_: Path) -> str:
            nonlocal left
            left -= 1
            if left < 0:
                raise KilledError
            return ""

        try:
            apply_plan(self.records, live.run, planned, f"q-killed{self.kills}", self.now(), in_use)
        except KilledError:
            self.kills += 1
            self.start()

    def upkeep(self) -> None:
        """What is due by the schedule."""
        for name in due(SCHEDULE, self.last_runs, self.now()):
            self.last_runs[name] = self.now()
            if name == "trash":
                done = empty_trash(self.records, self.now(), TRASH_H / 24, 0, self.root)
                assert done.refused == ()
                self.emptied += done.files
            else:
                for trainer in self.trainers:
                    acting.retain(self.scene, self.project, self.live(trainer))

    # ---- the trainers ----

    def minute(self, number: int) -> None:
        """Everything that happens in a minute."""
        self.minutes = float(number)
        for trainer in self.trainers:
            if number % trainer.every_min == 0:
                self.save(trainer)
                self.act(trainer)
        self.upkeep()

    def save(self, trainer: Trainer) -> None:
        """A save after its evaluation; then the trainer's own rotation, as it is done: the new one first."""
        folder = self.root / "runs" / trainer.name
        step = (len(trainer.saved) + 1) * trainer.steps
        files = trainer.files(folder, step)
        for file in files:
            self.mains[file] = files[-1]
            self.write(file, hashlib.sha256(f"{trainer.name} {step} {file.name}".encode()).digest() * 16)
        trainer.saved.append(step)
        self.saves += 1
        self.measure(trainer, step)
        if trainer.shape == "tagged":
            (folder / "checkpoints" / "latest").write_text(f"global_step{step}")
        if trainer.shape == "file":
            self.link(folder / "last.pt", files[-1])
        if trainer.keeps:
            self.rotate(trainer, folder)
        if self.rng.random() < 0.01:
            self.spike(trainer, step)

    def write(self, file: Path, content: bytes) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        moment = self.now().timestamp()
        os.utime(file, (moment, moment))
        self.ledger[file] = content

    def link(self, name: Path, target: Path) -> None:
        name.unlink(missing_ok=True)
        name.symlink_to(target)

    def rotate(self, trainer: Trainer, folder: Path) -> None:
        for step in trainer.saved[: -trainer.keeps]:
            for file in trainer.files(folder, step):
                if file.exists():
                    file.unlink()
                    trainer.removed.add(file)
            place = trainer.files(folder, step)[0].parent
            if place.name != "checkpoints" and place.is_dir():
                place.rmdir()

    def measure(self, trainer: Trainer, step: int) -> None:
        """An evaluation: it gets better, then worse; the best is somewhere in the middle of the day, with a few NaN."""
        count = len(trainer.saved)
        value = abs(count - 60 - 7 * len(trainer.name)) / 50 + self.rng.random() / 10
        value = float("nan") if self.rng.random() < 0.02 else value
        self.measured(trainer, step, {"val/loss": value, "val/acc": 1 - value})
        self.values[trainer.name][step] = value

    def measured(self, trainer: Trainer, step: int, values: dict[str, float]) -> None:
        """Points of a run, as they come from its file."""
        run = self.live(trainer).run
        self.lines += 1
        row = Line(self.lines, 1, step, self.now().timestamp(), values)
        cursor = Cursor(reading_id="made", seq=self.lines)
        points.commit_lines(self.points, run.id, "metrics.jsonl", cursor, [row], [], row.time or 0.0)

    def spike(self, trainer: Trainer, step: int) -> None:
        """An event that wants a snapshot."""
        run = self.live(trainer).run
        verdict = Verdict(
            rule="spike", condition="spike", metric="loss", seq=step, attempt=1, step=step + 1,
            time=self.now().timestamp(), value=9.0, message=f"spike at {step}", then=("snapshot",),
        )  # fmt: skip
        with transaction(self.records):
            events.write_judging(self.records, run, "metrics.jsonl", "made", step, {}, [verdict], self.now())
        self.records.execute(
            "UPDATE event SET created_at = ?", ((datetime.now(UTC) - timedelta(minutes=5)).isoformat(),)
        )
        self.snapshots += 1

    def pin(self, trainer: Trainer) -> None:
        """A person pins something that is there."""
        here = [
            one for one in checkpoints.catalogue(self.records, self.live(trainer).run.id) if one.status == "present"
        ]
        one = self.rng.choice(here)
        checkpoints.pin(self.records, one.id, "", "user")
        main = self.root / "runs" / trainer.name / one.path
        places = {main, *(main.with_name(name) for name in one.parts)}
        self.pinned |= {file for file in self.ledger if places & {file, *file.parents}}

    # ---- what has to be true ----

    def check(self) -> None:
        """Nothing is lost but what was emptied by age or removed by its trainer; nothing protected is elsewhere."""
        rows = self.records.execute("SELECT from_path, status FROM deletion ORDER BY rowid")
        journal = {Path(path): status for path, status in rows}
        trashed = {Path(one.from_path): Path(one.trash_path) for one in checkpoints.trashed(self.records)}
        removed = {file for trainer in self.trainers for file in trainer.removed}
        for file, content in self.ledger.items():
            if file.exists():
                assert file.read_bytes() == content, file
            elif file not in removed:
                main = next((one for one in (file, *file.parents) if one in journal), None) or self.mains[file]
                assert journal[main] in ("moved", "deleted"), (file, journal[main])
                if main in trashed:
                    place = trashed[main].parent / file.relative_to(main.parent)
                    assert place.read_bytes() == content, place
        assert all(file.exists() for file in self.pinned - removed)
        self.most_trash = max(self.most_trash, self.trash_files())
        assert self.most_trash <= self.trash_bound()
        for trainer in self.trainers:
            self.check_run(trainer)

    def check_run(self, trainer: Trainer) -> None:
        folder = self.root / "runs" / trainer.name
        here = [step for step in trainer.saved if all(file.exists() for file in trainer.files(folder, step))]
        assert here[-1] == trainer.saved[-1]  # the newest
        best = self.best(trainer)
        if best is not None and best not in here:
            name = trainer.files(folder, best)[-1]
            name = name.parent.name if name.parent.name != "checkpoints" else name.name
            assert list((folder / "snapshots").rglob(name)), f"the best of {trainer.name}, step {best}"
        partly = [s for s in trainer.saved if s not in here and any(f.exists() for f in trainer.files(folder, s))]
        assert partly == [], partly  # together or not at all
        assert len(here) <= self.bound(trainer), f"{trainer.name}: {len(here)}"

    def trash_bound(self) -> float:
        """So many files lie in the trash at the most: what is saved in the hours until it is emptied, the schedule's hour
        and the one that the clock went back."""
        return sum((TRASH_H + 2) * 60 / one.every_min * len(one.files(self.root, 1)) for one in self.trainers) + 30

    def best(self, trainer: Trainer) -> int | None:
        known = [(value, step) for step, value in self.values[trainer.name].items() if value == value]
        return min(known)[1] if known else None

    def bound(self, trainer: Trainer) -> int:
        """So many saves of a run are at their place at the most."""
        steps = trainer.saved[-1] // (POLICY.every_steps or 1) + 1
        young = round(POLICY.younger_s / 60 / trainer.every_min) + 1
        shifted = 60 // trainer.every_min if self.offset != timedelta(0) else 0  # saved before the clock went back
        return max(POLICY.newest + POLICY.half // 2, young) + steps + POLICY.hourly + SPARE + self.snapshots + shifted

    def missing(self) -> set[Path]:
        """What was saved, was not removed by its trainer, and is not at its place."""
        removed = {file for trainer in self.trainers for file in trainer.removed}
        return {file for file in self.ledger if file not in removed and not file.exists()}

    def emptied_files(self) -> set[Path]:
        """What was emptied from the trash, by the journal."""
        rows = self.records.execute("SELECT from_path FROM deletion WHERE status = 'deleted'")
        gone = {Path(row[0]) for row in rows}
        return {file for file in self.ledger if {self.mains.get(file, file), *file.parents} & gone}

    def trash_files(self) -> int:
        return sum(1 for one in (self.root / ".neat" / "trash").rglob("*") if one.is_file())

    def undo_all(self) -> None:
        """Everything that is in the trash comes back, to the byte."""
        for batch in dict.fromkeys(one.batch for one in checkpoints.trashed(self.records)):
            assert all(one.status == "restored" for one in undo(self.records, batch))
        assert self.trash_files() == 0


@contextmanager
def day(base: Path, seed: int, trainers: list[Trainer]) -> Iterator[Day]:
    made = Day(base, seed, trainers)
    try:
        yield made
    finally:
        made.records.close()
        made.points.close()


def live_through(made: Day, minutes: int, check_every: int) -> None:
    """The minutes one by one, a clock that goes back an hour and forward two, pins, and at the end the way back."""
    for number in range(1, minutes + 1):
        if number == minutes * 2 // 5:
            made.offset -= timedelta(hours=1)
        if number == minutes * 3 // 5:
            made.offset += timedelta(hours=3)
        made.minute(number)
        if number % check_every == 0:
            made.check()
            made.pin(made.rng.choice(made.trainers))
    made.check()
    made.undo_all()
    assert made.missing() == made.emptied_files()
