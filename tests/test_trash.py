"""The trash emptied by age and by need, only where neat put something; what is open, linked, named or old stays."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from neatd.actions.trash import remove_for_good, trash_folder
from neatd.config import ProjectConfig
from neatd.models import Deletion
from neatd.pipeline import acting, saving
from neatd.pipeline.retaining import apply_plan, empty_trash, plan_run, settle_after_crash, undo
from neatd.policy import RetentionPolicy
from neatd.read.openfiles import OpenFiles
from neatd.store import checkpoints, events, jobs, projects, runs
from tests.fixtures import WAIT, Start
from tests.retention_day import BEGAN, PROJECT_ID, Day, Trainer, day

TIGHT = RetentionPolicy(newest=1, half=0, every_steps=0)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Day]:
    """A run of eight saves of which a tight policy keeps the newest."""
    with day(tmp_path, 1, [Trainer("a", 1, 100, "file"), Trainer("b", 1, 100, "shards")]) as found:
        found.project.config = ProjectConfig(id=PROJECT_ID, retention=TIGHT)
        yield found


def saved(made: Day, count: int, number: int = 0) -> list[Path]:
    """So many saves of a run, a minute each, all in the catalogue; returns what stands for each."""
    trainer = made.trainers[number]
    folder = made.root / "runs" / trainer.name
    for _ in range(count):
        made.minutes += 1
        step = (len(trainer.saved) + 1) * 100
        for file in trainer.files(folder, step):
            made.write(file, f"{step}".encode() * 10)
        trainer.saved.append(step)
    for _ in range(2):
        saving.keep_saves(made.scene, made.project, made.live(trainer))
        made.minutes += 0.1
    return [trainer.files(folder, step)[-1] for step in trainer.saved]


def thin(made: Day, batch: str, number: int = 0) -> list[Deletion]:
    run = made.live(made.trainers[number]).run
    planned = plan_run(made.records, made.points, run, made.project.config, made.now())
    return apply_plan(made.records, run, planned, batch, made.now())


def reasons(made: Day, number: int = 0) -> dict[int, tuple[str, ...]]:
    run = made.live(made.trainers[number]).run
    planned = plan_run(made.records, made.points, run, made.project.config, made.now())
    return {kept.checkpoint.step or 0: kept.reasons for kept in planned.keep}


# ---- emptying ----


def test_the_trash_is_emptied_by_age_the_oldest_batch_first(made: Day) -> None:
    """What is younger stays and comes back; what was emptied is deleted by the journal and the catalogue."""
    saved(made, 4)
    thin(made, "old")
    made.minutes += 60 * 24
    files = saved(made, 3)
    thin(made, "new")
    done = empty_trash(made.records, made.now(), 0.5)
    assert (done.files, done.freed_bytes, done.left_bytes, done.refused) == (3, 90, 90, ())
    assert not (made.root / ".neat/trash/old").exists()
    assert [one.batch for one in checkpoints.trashed(made.records)] == ["new"] * 3
    statuses = [one.status for one in checkpoints.catalogue(made.records, made.live(made.trainers[0]).run.id)]
    assert statuses == ["deleted"] * 3 + ["trashed"] * 3 + ["present"]
    assert undo(made.records, "old") == []
    assert [one.status for one in undo(made.records, "new")] == ["restored"] * 3 and files[4].exists()


def test_a_short_disk_empties_whole_batches_until_there_is_room(made: Day) -> None:
    """However young they are, the oldest first."""
    for batch in ("first", "second", "third"):
        saved(made, 2)
        thin(made, batch)
        made.minutes += 60
    assert empty_trash(made.records, made.now(), 30).files == 0
    assert empty_trash(made.records, made.now(), 30, needed_bytes=31).files == 3  # one of the first, two of the second
    assert {one.batch for one in checkpoints.trashed(made.records)} == {"third"}
    assert empty_trash(made.records, made.now(), 30, needed_bytes=10**9, root=made.root / "other").files == 0


def test_all_files_of_a_save_are_emptied(made: Day) -> None:
    """Shards go with the one that stands for them."""
    saved(made, 2, number=1)
    thin(made, "b", number=1)
    assert made.trash_files() == 3
    assert empty_trash(made.records, made.now() + timedelta(days=1), 0.5).files == 1 and made.trash_files() == 0


def test_an_emptying_that_was_cut_is_finished_and_never_undone(made: Day) -> None:
    """Its line in the journal says that it had begun."""
    saved(made, 2, number=1)
    (moved,) = thin(made, "b", number=1)
    checkpoints.settle_deletion(made.records, moved.model_copy(update={"status": "emptying"}))
    Path(moved.trash_path).with_name(moved.parts[0]).unlink()
    assert undo(made.records, "b") == [] and made.trash_files() == 0
    settle_after_crash(made.records)
    assert made.records.execute("SELECT status FROM deletion").fetchone()[0] == "deleted"


@pytest.mark.parametrize(
    "path",
    ["runs/a/checkpoints/step_0000100.pt", ".neat/trash/other/x.pt", ".neat/trash/b/../../../x.pt", ".neat/trash/b"],
)
def test_nothing_outside_of_neats_trash_is_removed(made: Day, path: str) -> None:
    """A line of the journal that leads elsewhere, by its name or by a link, removes nothing."""
    (file,) = saved(made, 1)
    (made.root / "x.pt").write_bytes(b"not neat's")
    wrong = Deletion(
        id="x-1", batch="b", run_id="r", checkpoint_id="c", from_path="/x", trash_path=str(made.root / path), size_bytes=1,
        reason="", created_at=BEGAN, updated_at=BEGAN,
    )  # fmt: skip
    assert remove_for_good(wrong, made.root) and file.exists() and (made.root / "x.pt").exists()
    (made.root / ".neat/trash").mkdir(parents=True, exist_ok=True)
    (made.root / ".neat/trash/b").symlink_to(file.parent)
    linked = wrong.model_copy(update={"trash_path": str(made.root / ".neat/trash/b" / file.name)})
    assert remove_for_good(linked, made.root) == "reached through a link" and file.exists()


def test_the_trash_lies_on_the_file_system_of_the_checkpoint(made: Day) -> None:
    """On one file system it is the project's; a run on another has one of its own there."""
    assert trash_folder(made.root, made.root / "runs/a") == made.root / ".neat/trash"
    assert trash_folder(Path("/"), Path("/proc/self")).parts[:2] == ("/", "proc")


# ---- what stays ----


def test_what_a_process_has_open_stays(made: Day, start: Start) -> None:
    """By a handle or mapped into its memory, asked right before the move; it goes when the process is gone."""
    files = saved(made, 4)
    opened = start(f"a = open({str(files[0])!r}); {WAIT}")
    mapping = "m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)"
    mapped = start(f"import mmap; f = open({str(files[1])!r}, 'rb'); {mapping}; f.close(); {WAIT}")
    outcomes = {Path(one.from_path): (one.status, one.note) for one in thin(made, "b")}
    assert outcomes[files[0]] == ("refused", f"open in process {opened.pid}")
    assert outcomes[files[1]] == ("refused", f"open in process {mapped.pid}")
    assert outcomes[files[2]][0] == "moved"
    for process in (opened, mapped):
        process.kill()
        process.wait()
    assert [one.status for one in thin(made, "c")] == ["moved", "moved"]


def test_a_folder_is_open_when_a_file_in_it_is(tmp_path: Path) -> None:
    """And a name that only begins alike is not."""
    (tmp_path / "checkpoint-1").mkdir()
    with (tmp_path / "checkpoint-1" / "model.bin").open("wb"):
        found = OpenFiles(tmp_path)
        assert found.user_of(tmp_path / "checkpoint-1") == f"open in process {os.getpid()}"
        assert found.user_of(tmp_path / "checkpoint") == ""


def test_links_pointers_configs_processes_and_jobs_protect(made: Day) -> None:
    """Wherever a link lies between the project and the checkpoint, and however a start is named."""
    saved(made, 7)
    live = made.live(made.trainers[0])
    (made.root / "best.ckpt").symlink_to(live.folder / "checkpoints/step_0000100.pt")
    (live.folder / "checkpoints/latest").write_text("step_0000200.pt\n")
    other = made.live(made.trainers[1]).run
    runs.set_run(made.records, other.id, config={"args": ["--resume", "a/checkpoints/step_0000300.pt"]})
    jobs.add(made.records, PROJECT_ID, "j", ["t", "--from=runs/a/checkpoints/step_0000400.pt"], str(made.root), "")
    live.run = live.run.model_copy(update={"config": {"init_from": "checkpoints/step_0000500.pt"}})
    planned = plan_run(made.records, made.points, live.run, made.project.config, made.now())
    found = {kept.checkpoint.step: kept.reasons for kept in planned.keep}
    assert found[100] == ("pinned: best.ckpt is a link to it",) and found[200] == ("pinned: latest names it",)
    assert found[300] == ("pinned: start of run runs/b",) and found[400] == ("pinned: named by job j",)
    assert found[500] == ("pinned: named by its own parameters",)
    assert [one.checkpoint.step for one in planned.delete] == [600]


def test_a_link_to_a_shard_and_a_number_of_a_pointer_protect_the_save(made: Day) -> None:
    """Megatron's pointer holds a step; a link may lead to any file of a save."""
    files = saved(made, 4, number=1)
    live = made.live(made.trainers[1])
    (live.folder / "one.pt").symlink_to(files[0].with_name("step_100-00002-of-00003.pt"))
    (live.folder / "checkpoints/latest_checkpointed_iteration.txt").write_text("200")
    found = reasons(made, number=1)
    assert set(found) == {100, 200, 400}


def test_what_changes_again_is_not_the_newest(made: Day) -> None:
    """The newest whole one stays beside it, and so does what changes."""
    files = saved(made, 4)
    files[3].write_bytes(b"half of a new s")
    assert set(reasons(made)) == {300, 400} and reasons(made)[300] == ("newest present",)


# ---- by itself ----


def asked(records: sqlite3.Connection) -> list[Any]:
    return [one for one in events.events(records) if one.rule == "retention-asks"]


def test_old_checkpoints_wait_for_a_word_and_new_ones_are_thinned(made: Day) -> None:
    """Most of what was there before the consent does not go by itself: an event says what to type, once."""
    old = saved(made, 8)
    made.records.execute("UPDATE consent SET created_at = ?", (made.now().isoformat(),))
    live = made.live(made.trainers[0])
    acting.retain(made.scene, made.project, live)
    new = saved(made, 4)
    for _ in range(2):
        acting.retain(made.scene, made.project, live)
    assert all(file.exists() for file in old) and [file.exists() for file in new[8:]] == [False, False, False, True]
    (event,) = asked(made.records)
    assert "7 of 8 checkpoints" in event.message and "neat retention apply runs/a --yes" in event.message
    checkpoints.approve_policy(made.records, str(made.root), TIGHT.model_dump_json())
    acting.retain(made.scene, made.project, live)
    assert not any(file.exists() for file in old) and new[11].exists()


def test_a_changed_policy_is_asked_for_again(made: Day) -> None:
    """A pull may bring a policy: consent to another one does not let most of a run go."""
    made.project.config = ProjectConfig(id=PROJECT_ID, retention=RetentionPolicy(newest=100))
    files = saved(made, 10)
    live = made.live(made.trainers[0])
    made.project.config = ProjectConfig(id=PROJECT_ID, retention=RetentionPolicy(newest=7, half=0, every_steps=0))
    acting.retain(made.scene, made.project, live)
    assert sum(file.exists() for file in files) == 7  # less than half
    made.project.config = ProjectConfig(id=PROJECT_ID, retention=TIGHT)
    made.minutes += 1
    acting.retain(made.scene, made.project, live)
    assert sum(file.exists() for file in files) == 7 and len(asked(made.records)) == 1


def test_a_catalogue_that_cannot_be_read_is_told_and_thins_nothing(made: Day) -> None:
    """A row that is no checkpoint keeps all of them."""
    files = saved(made, 5)
    made.records.execute("UPDATE checkpoint SET mtime_ns = 'yesterday' WHERE ordinal = 2")
    acting.retain(made.scene, made.project, made.live(made.trainers[0]))
    assert all(file.exists() for file in files)
    assert [one.rule for one in events.events(made.records)] == ["retention-blind"]


def test_nothing_is_thinned_without_consent(made: Day) -> None:
    """Not one file, not one event."""
    files = saved(made, 5)
    projects.revoke(made.records, made.root, "retention")
    acting.retain(made.scene, made.project, made.live(made.trainers[0]))
    assert all(file.exists() for file in files) and events.events(made.records) == []
