"""What each job of maintenance does to the disk: with consent and without, counted in bytes, and back again."""

from __future__ import annotations

import gzip
import json
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from neatd.actions.archive import archive
from neatd.assist.titles import title_of
from neatd.models import Run
from neatd.pipeline.retaining import undo
from neatd.pipeline.scene import Scene
from neatd.pipeline.upkeep import trash as trash_job
from neatd.read.unfinished import is_unfinished_save
from neatd.store import checkpoints, events, jobs, maintenance, requests
from neatd.store.connection import transaction
from neatd.store.moments import stamp
from tests.cli_place import Cli
from tests.upkeep_made import aged, put, ran, scene_of, set_up

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys) -> Cli:
    return set_up(Cli(tmp_path, monkeypatch, capsys))


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def age_trash(scene: Scene, days: float) -> None:
    """What lies in the trash, as if it had been put there so many days ago."""
    with transaction(scene.records):
        at = stamp(datetime.now(UTC) - timedelta(days=days))
        scene.records.execute("UPDATE deletion SET created_at = ?", (at,))


# ---- temporary files ----


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("step_000100.pt.tmp", True), ("step_000100.tmp", True), ("model.safetensors.incomplete", True),
        (".last.ckpt.part", True),
        ("tmp-checkpoint-500", False), ("notes.tmp", False), ("step_000100.pt", False), ("cache.partial", False),
    ],
)  # fmt: skip
def test_an_unfinished_save_is_known_by_its_name(name: str, is_one: bool) -> None:
    """A checkpoint's name, and what says that it is not finished."""
    assert is_unfinished_save(name, False) is is_one


def test_unfinished_checkpoints_stay_without_consent_and_are_counted(cli: Cli) -> None:
    """The report says what could be freed, and how to allow it."""
    cli.add_run("runs/a", {})
    rest = put(cli.root / "runs/a/checkpoints/step_000100.pt.tmp", b"x" * 5000, days=9)
    with scene_of(cli) as scene:
        row = ran(cli, scene, "temporary")
    assert rest.exists() and row.details["could_free_bytes"] == 5000 and row.details["freed_bytes"] == 0
    assert "`neat allow cleaning`" in row.summary


def test_unfinished_checkpoints_at_rest_go_into_the_trash_and_come_back_for_good(cli: Cli) -> None:
    """Only old ones, only in runs, no link; what somebody brought back stays."""
    made = cli.add_run("runs/a", {})
    cli.ok("allow", "cleaning")
    folder = cli.root / "runs/a/checkpoints"
    old = put(folder / "step_000100.pt.tmp", b"x" * 5000, days=9)
    whole = put(folder / "tmp-checkpoint-500/model.safetensors", b"y" * 100, days=9).parent
    aged(whole, 9)
    fresh, other = put(folder / "step_000200.pt.tmp", b"x", days=3), put(folder / "notes.tmp", b"n", days=99)
    outside = put(cli.root / "elsewhere/step_000100.pt.tmp", b"x", days=99)
    (folder / "step_000300.pt.tmp").symlink_to(outside)
    with scene_of(cli) as scene:
        row = ran(cli, scene, "temporary")
        assert not old.exists() and not whole.exists() and fresh.exists() and other.exists() and outside.exists()
        assert (row.details["before_bytes"], row.details["after_bytes"], row.details["freed_bytes"]) == (5100, 0, 5100)
        (batch,) = {one.batch for one in checkpoints.trashed(scene.records)}
        assert {one.status for one in undo(scene.records, batch)} == {"restored"}
        assert old.read_bytes() == b"x" * 5000
        assert ran(cli, scene, "temporary").details["freed_bytes"] == 0
        assert old.exists() and whole.exists()
    assert made.id


def test_what_neat_left_half_written_goes_always(cli: Cli) -> None:
    """Under its own home, after a day."""
    old = put(cli.home / "backups/neat-x.partial", b"x" * 10, days=2)
    fresh = put(cli.home / "backups/neat-y.partial", b"x", days=0)
    with scene_of(cli) as scene:
        assert ran(cli, scene, "temporary").details["freed_bytes"] == 10
    assert not old.exists() and fresh.exists()


# ---- trash ----


def trashed_batches(cli: Cli, scene: Scene, ages: list[float]) -> list[Path]:
    """A checkpoint of 1000 bytes in the trash for each age in days."""
    made = cli.add_run("runs/a", {})
    cli.ok("allow", "cleaning")
    found = []
    for number, days in enumerate(ages):
        put(cli.root / f"runs/a/step_{number:06d}.pt.tmp", b"x" * 1000, days=9)
        ran(cli, scene, "temporary")
        with transaction(scene.records):
            at = stamp(datetime.now(UTC) - timedelta(days=days))
            sql = "UPDATE deletion SET created_at = ? WHERE from_path LIKE ? RETURNING trash_path"
            found.append(Path(scene.records.execute(sql, (at, f"%{number:06d}.pt.tmp")).fetchone()[0]))
    assert made.id and all(path.exists() for path in found)
    return found


def test_the_trash_is_emptied_by_age_and_says_that_there_is_no_way_back(cli: Cli) -> None:
    """Of what is left the report tells the bytes; of what went, undo brings back nothing."""
    with scene_of(cli) as scene:
        old, fresh = trashed_batches(cli, scene, [20, 3])
        row = ran(cli, scene, "trash")
        assert not old.exists() and fresh.exists()
        assert (row.details["before_bytes"], row.details["after_bytes"], row.details["freed_bytes"]) == (
            2000,
            1000,
            1000,
        )
        assert "cannot be undone" in row.summary and "1.0 kB can still come back" in row.summary
        batches = {one.batch for one in checkpoints.trashed(scene.records)}
        assert len(batches) == 1
    listed = cli.json("retention", "undo", "--list")
    assert [one["trash_path"] for one in listed] == [str(fresh)]


def test_where_the_disk_is_short_the_oldest_go_first_and_no_more_than_is_wanted(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1,500 bytes are wanting: two batches of 1,000 go, the youngest stays."""
    with scene_of(cli) as scene:
        three, one, two = trashed_batches(cli, scene, [3, 1, 2])
        monkeypatch.setattr(trash_job, "_short_of", lambda root, gib: 1500)
        row = ran(cli, scene, "trash")
        assert not three.exists() and not two.exists() and one.exists()
        assert row.details["freed_bytes"] == 2000


# ---- snapshots ----


def add_snapshot(cli: Cli, scene: Scene, made: Run, step: int, rule: str, more: str = "") -> tuple[str, Path]:
    """A snapshot as neat writes one; `more` is a file that somebody else put into it."""
    cli.add_event(
        made, rule, step, float(step), condition="best" if rule.startswith("best") else "spike", then=("snapshot",)
    )
    (event,) = [one for one in events.events(scene.records) if one.rule == rule and one.step == step]
    (snapshot,) = [one for one in events.snapshots(scene.records) if one.event_id == event.id]
    folder = cli.root / made.folder / "snapshots" / f"anomaly_{rule}_{step}"
    told = {
        "event": event.id,
        "mode": "copy",
        "size_bytes": 3,
        "reason": "",
        "checkpoint": {"file": "a.pt"},
        "best": None,
    }
    put(folder / "metadata.json", json.dumps(told).encode())
    put(folder / "a.pt", b"abc")
    if more:
        put(folder / more, b"mine")
    path = f"snapshots/{folder.name}"
    events.set_snapshot(
        scene.records, snapshot.id, status="done", mode="copy", path=path, size_bytes=3, created_at=stamp(LONG_AGO)
    )
    return snapshot.id, folder


def test_snapshots_expire_through_the_trash_but_for_those_of_best_values(cli: Cli) -> None:
    """And those that hold what neat did not write. The column says it, the pin falls, and undo makes it a snapshot again."""
    made = cli.add_run("runs/a", {"loss": [1.0]})
    cli.add_save(made, 1)
    with scene_of(cli) as scene:
        (save,) = checkpoints.catalogue(scene.records, made.id)
        best, best_folder = add_snapshot(cli, scene, made, 1, "best-loss")
        mixed, mixed_folder = add_snapshot(cli, scene, made, 2, "spike", more="my-notes.txt")
        gone, folder = add_snapshot(cli, scene, made, 3, "spike")
        young, young_folder = add_snapshot(cli, scene, made, 4, "spike")
        events.set_snapshot(scene.records, young, created_at=stamp(datetime.now(UTC)))
        events.set_snapshot(scene.records, gone, checkpoint_id=save.id)
        assert save.id in checkpoints.pins(scene.records, made.id)
        row = ran(cli, scene, "snapshots")

        def status(snapshot_id: str) -> str:
            return next(one.status for one in events.snapshots(scene.records) if one.id == snapshot_id)

        assert [status(one) for one in (best, mixed, gone, young)] == ["done", "done", "expired", "done"]
        assert best_folder.is_dir() and mixed_folder.is_dir() and young_folder.is_dir() and not folder.exists()
        assert row.details["moved"] == 1 and "what neat did not write" in row.details["stays"][0]
        assert save.id not in checkpoints.pins(scene.records, made.id)
        (batch,) = {one.batch for one in checkpoints.trashed(scene.records)}
        undo(scene.records, batch)
        assert status(gone) == "done" and files(folder) == {"metadata.json", "a.pt"}
        assert ran(cli, scene, "snapshots").details["moved"] == 0


# ---- logs ----


def end_run(scene: Scene, made: Run, days: float) -> None:
    with transaction(scene.records):
        at = stamp(datetime.now(UTC) - timedelta(days=days))
        scene.records.execute("UPDATE run SET ended_at = ? WHERE id = ?", (at, made.id))


def test_a_file_is_compressed_whole_or_not_at_all(tmp_path: Path) -> None:
    """What was written to meanwhile keeps its place, and nothing half-written is left."""
    path = put(tmp_path / "a.log", b"line\n" * 500_000, days=3)
    for _ in (steps := archive(path)):
        pass
    packed = tmp_path / "a.log.gz"
    assert gzip.decompress(packed.read_bytes()) == path.read_bytes() and packed.stat().st_mtime == path.stat().st_mtime
    steps = archive(put(tmp_path / "b.log", b"line\n" * 500_000))
    next(steps)
    put(tmp_path / "b.log", b"other")
    with pytest.raises(OSError, match="meanwhile"):
        for _ in steps:
            pass
    with closing(archive(put(tmp_path / "c.log", b"line\n" * 500_000))) as left:
        next(left)
    assert files(tmp_path) == {"a.log", "a.log.gz", "b.log", "c.log"}


def test_logs_of_ended_runs_are_compressed_with_consent_and_sources_never(cli: Cli) -> None:
    """The log itself lies in the trash, and undo brings it back beside its copy."""
    made = cli.add_run("runs/a", {"loss": [1.0]})
    folder = cli.root / "runs/a"
    text = b"epoch 1 loss 0.5\n" * 2000
    log, source = put(folder / "train.log", text, days=40), put(folder / "metrics.log", text, days=40)
    going_on = put(cli.root / "runs/b/train.log", text, days=40)
    cli.add_run("runs/b", {}, status="running")
    with scene_of(cli) as scene:
        end_run(scene, made, 40)
        scene.points.execute("UPDATE reading SET source = 'metrics.log' WHERE run_id = ?", (made.id,))
        row = ran(cli, scene, "logs")
        assert log.exists() and row.details["could_compress_bytes"] == len(text)
        cli.ok("allow", "cleaning")
        row = ran(cli, scene, "logs")
        assert not log.exists() and source.exists() and going_on.exists()
        assert gzip.decompress((folder / "train.log.gz").read_bytes()) == text
        assert row.details["before_bytes"] == len(text) and row.details["freed_bytes"] > 30_000
        (batch,) = {one.batch for one in checkpoints.trashed(scene.records)}
        undo(scene.records, batch)
        assert log.read_bytes() == text
        ran(cli, scene, "logs")
    assert log.exists()


def test_neats_own_logs_are_compressed_always_and_a_jobs_is_still_shown(cli: Cli) -> None:
    """`neat logs` reads the compressed one."""
    text = b"hello from the job\n" * 1000
    rotated = put(cli.home / "logs/neatd.log.2", text, days=40)
    current = put(cli.home / "logs/neatd.log", text, days=40)
    made = cli.add_run("runs/a", {"loss": [1.0]})
    with scene_of(cli) as scene:
        job = jobs.add(scene.records, made.project_id, "runs/a", ["x"], str(cli.root), "runs/a")
        jobs.set_job(scene.records, job.id, status="finished")
        output = put(cli.home / "jobs" / job.id / "output.log", text, days=40)
        row = ran(cli, scene, "logs")
    assert not rotated.exists() and current.exists() and not output.exists()
    assert gzip.decompress((cli.home / "logs/neatd-0001.log.gz").read_bytes()) == text
    assert row.details["before_bytes"] == 2 * len(text)
    assert cli.ok("logs", job.id, "-n", "2") == "hello from the job\n" * 2


def test_what_an_ended_job_was_queued_with_is_forgotten(cli: Cli) -> None:
    """There may be a key in it: after the days of `temporary`, and not while it may still be tried again soon."""
    made = cli.add_run("runs/a", {"loss": [1.0]})
    with scene_of(cli) as scene:
        kept = []
        for days, status in ((40, "finished"), (1, "failed"), (40, "queued")):
            job = jobs.add(scene.records, made.project_id, "a", ["x"], str(cli.root), "")
            ended = (scene.today() - timedelta(days=days)).isoformat() if status != "queued" else None
            jobs.set_job(scene.records, job.id, status=status, ended_at=ended)
            kept.append(
                [put(cli.home / "jobs" / job.id / name, b"{}", days=days) for name in ("frozen.json", "spec.json")]
            )
        row = ran(cli, scene, "temporary")
    assert [[path.exists() for path in paths] for paths in kept] == [[False] * 2, [True] * 2, [True] * 2]
    assert "environments of 1 jobs" in row.summary


# ---- retention ----


def test_checkpoints_are_thinned_with_consent_and_reported_without(cli: Cli) -> None:
    """By the project's own policy; what would take most of a run is left to a person."""
    config = cli.root / "neat.yaml"
    config.write_text(config.read_text() + "retention: {newest: 4, half: 4, every_steps: 1000}\n")
    made = cli.add_run("runs/a", {"loss": [1.0]})
    for step in range(100, 1500, 100):
        aged(cli.add_save(made, step, b"w" * 100), 1)
    with cli.store() as store, transaction(store):
        for one in checkpoints.catalogue(store, made.id):
            stat = (cli.root / "runs/a" / one.path).stat()
            store.execute("UPDATE checkpoint SET mtime_ns = ? WHERE id = ?", (stat.st_mtime_ns, one.id))
    with scene_of(cli) as scene:
        row = ran(cli, scene, "checkpoints")
        could = row.details["could_free_bytes"]
        assert could > 0 and row.details["moved"] == 0 and row.details["before_bytes"] == 1400
        cli.ok("allow", "retention")
        row = ran(cli, scene, "checkpoints")
        left = len(files(cli.root / "runs/a/checkpoints"))
        assert (row.details["freed_bytes"], left) in {(could, 14 - could // 100), (0, 14)}
        assert row.details["freed_bytes"] or "more than half" in row.summary


# ---- documents, disk, service, commands ----


@pytest.mark.parametrize(
    ("text", "ending", "title"),
    [
        ("# One\n\nmore", ".md", "One"), ("---\ntitle: 'Two'\n---\n# Three", ".md", "Two"), ("Four\n====\n", ".rst", "Four"),
        ("```\n# no\n```\n## Five ##\n", ".md", "Five"), ("\n\nSix, as it is\n# no", ".txt", "Six, as it is"), ("", ".md", ""),
        ("<!-- made -->\n# Seven", ".md", "Seven"), ("just words", ".md", "just words"),
        ("#####\nEight\n#####\n", ".rst", "Eight"),
    ],
)  # fmt: skip
def test_a_documents_title_is_its_first_heading(text: str, ending: str, title: str) -> None:
    """Or its front matter's, or its first line."""
    assert title_of(text, ending) == title


def test_the_index_of_documents_is_written_anew_only_when_it_changes(cli: Cli) -> None:
    """Titles without secrets; no link, no environment's files; a file that somebody put there stays."""
    put(cli.root / "README.md", b"# What it is\n", days=2)
    put(cli.root / "docs/plan.rst", b"The plan\n========\n", days=1)
    put(cli.root / "docs/key.txt", b"api_key=sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789\n", days=1)
    put(cli.root / ".venv/lib/x.md", b"# no", days=1)
    (cli.root / "out.md").symlink_to("/etc/hostname")
    index = cli.root / ".neat/documents.md"
    with scene_of(cli) as scene:
        assert ran(cli, scene, "documents").details["written"] == 1
        text = index.read_text()
        assert "| What it is | `README.md` |" in text and "| The plan | `docs/plan.rst` |" in text
        assert "sk-ant" not in text and ".venv" not in text and "out.md" not in text
        assert ran(cli, scene, "documents").details["written"] == 0
        assert index.read_text() == text
        index.write_text("# mine\n")
        row = ran(cli, scene, "documents")
    assert row.status == "failed" and "was not written by neat" in row.summary and index.read_text() == "# mine\n"


def test_the_disk_report_says_before_after_and_freed(cli: Cli) -> None:
    """Since the report before."""
    made = cli.add_run("runs/a", {"loss": [1.0]})
    with scene_of(cli) as scene:
        first = ran(cli, scene, "disk")
        cli.add_save(made, 1, b"w" * 100_000)
        maintenance.begin(scene.records, "q-x", "trash", "asked")
        maintenance.end(scene.records, "q-x", "trash", "done", "", {"freed_bytes": 777})
        second = ran(cli, scene, "disk")
    assert second.details["before_bytes"] == first.details["after_bytes"]
    assert second.details["after_bytes"] - second.details["before_bytes"] >= 100_000
    assert second.details["freed_since_bytes"] == 777 and second.details["disks"][0]["free_bytes"] > 0
    assert second.details["projects"][str(cli.root)]["checkpoints"] == 100_000


def test_the_service_check_names_each_thing_that_is_wrong(cli: Cli) -> None:
    """A folder that is gone, a request that waits, a store that was taken away; and all is well before."""
    with scene_of(cli) as scene:
        assert ran(cli, scene, "service", "service: {free_gib: 0}").status == "done"
        old = requests.ask(scene.records, "launch", None, {})
        scene.records.execute("UPDATE request SET created_at = ? WHERE id = ?", (stamp(LONG_AGO), old))
        cli.root.rename(cli.root.with_name("moved"))
        row = ran(cli, scene, "service")
    assert row.status == "failed"
    assert any("is not there" in one for one in row.details["wrong"])
    assert any("wait for more than an hour" in one for one in row.details["wrong"])


def command(*words: str) -> str:
    return f"mine: {{cron: '@yearly', timeout_s: 5, command: {json.dumps([sys.executable, '-c', *words])}}}"


def test_a_users_command_runs_without_a_shell_and_its_output_is_kept_without_secrets(cli: Cli) -> None:
    """As words, in the user's home; the row has its code and its last lines."""
    code = "import sys, os; print(sys.argv[1:], os.getcwd()); print('token=ghp_' + 'a1B2' * 9)"
    with scene_of(cli) as scene:
        row = ran(cli, scene, "mine", command(code, "$(touch x); *"))
    assert row.status == "done" and row.details["exit_code"] == 0
    assert row.details["output"][0] == f"['$(touch x); *'] {Path.home()}"
    kept = (cli.home / "maintenance/mine.log").read_text()
    assert "ghp_" not in kept and "ghp_" not in json.dumps(row.details)


def test_a_command_that_fails_or_floods_or_is_not_there_is_a_failure_with_its_last_words(cli: Cli) -> None:
    """A mebibyte of output is kept to its end."""
    with scene_of(cli) as scene:
        row = ran(cli, scene, "mine", command("print('x' * 2000000); print('the end'); raise SystemExit(3)"))
        assert row.status == "failed" and row.summary == "exit code 3: the end"
        assert (cli.home / "maintenance/mine.log").stat().st_size < 1 << 17
        row = ran(cli, scene, "mine", "mine: {cron: '@yearly', command: [no-such-program]}")
        assert row.status == "failed" and "no-such-program cannot be run" in row.summary


def test_a_command_that_does_not_end_is_ended_with_its_children(cli: Cli) -> None:
    """In its own time, and the next job has its turn."""
    marker = cli.home / "child"
    code = (
        "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c',"
        f" 'import time, pathlib; time.sleep(30); pathlib.Path(\\\"{marker}\\\").touch()']); time.sleep(30)"
    )
    with scene_of(cli) as scene:
        row = ran(cli, scene, "mine", command(code).replace("timeout_s: 5", "timeout_s: 0.4"))
    assert row.status == "failed" and "did not end within 0.4 s" in row.summary
    assert row.took_s is not None and row.took_s < 20 and not marker.exists()
