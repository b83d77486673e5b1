"""The trash as a person meets it: what lies there by the batch, and what brings a checkpoint back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from neatd.cli.trashed import moment_of
from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.pipeline import acting, saving
from neatd.pipeline.retaining import empty_trash
from neatd.pipeline.undoing import undo_asked
from neatd.policy import RetentionPolicy
from neatd.store import checkpoints
from neatd.store.connection import transaction
from tests.cli_place import Cli
from tests.retention_day import PROJECT_ID, Day, Trainer, day
from tests.test_cli_retention import saves, there
from tests.upkeep_made import set_up

TIGHT = RetentionPolicy(newest=1, half=0, every_steps=0)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """A project that keeps the two newest checkpoints and every tenth step."""
    made = set_up(Cli(tmp_path, monkeypatch, capsys))
    with (made.root / "neat.yaml").open("a") as file:
        file.write("retention: {newest: 2, half: 0, every_steps: 10}\n")
    return made


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Day]:
    """Two runs of which neatd keeps the newest save."""
    with day(tmp_path, 1, [Trainer("a", 1, 100, "file"), Trainer("b", 1, 100, "file")]) as found:
        found.project.config = ProjectConfig(id=PROJECT_ID, retention=TIGHT)
        yield found


def save(made: Day, step: int, number: int = 0, content: bytes = b"weights") -> Path:
    """The next save of a run, thinned by itself as after every save."""
    trainer = made.trainers[number]
    made.minutes += 1
    (file,) = trainer.files(made.root / "runs" / trainer.name, step)
    made.write(file, content)
    for _ in range(2):
        saving.keep_saves(made.scene, made.project, made.live(trainer))
        made.minutes += 0.1
    acting.retain(made.scene, made.project, made.live(trainer))
    return file


def batches(made: Day) -> list[str]:
    """Those in the trash, the newest first."""
    return list(dict.fromkeys(one.batch for one in checkpoints.trashed(made.records)))


# ---- what neatd thins by itself ----


def test_what_is_thinned_after_every_save_is_one_batch_a_run_and_day(made: Day) -> None:
    """And what goes on the next day is another; each comes back at once."""
    files = [save(made, step) for step in range(100, 600, 100)] + [save(made, 100, number=1), save(made, 200, number=1)]
    made.minutes += 60 * 24
    files += [save(made, 600), save(made, 700)]
    run_a, run_b = (made.live(one).run.id for one in made.trainers)
    newest, *rest = batches(made)
    assert newest.endswith(run_a) and {one[11:] for one in rest} == {run_a, run_b} and len(rest) == 2
    assert [file.exists() for file in files] == [False] * 6 + [True, False, True]
    assert undo_asked(made.records, None, {"batch": newest})["restored"] == 2
    assert undo_asked(made.records, None, {"run": run_a})["restored"] == 4
    assert [file.exists() for file in files] == [True] * 5 + [False] + [True] * 3


def test_a_name_that_is_saved_anew_on_the_same_day_goes_too(made: Day) -> None:
    """Its place in the day's batch is taken: it has the next one. Undone, the newest has the name."""
    first = save(made, 100, content=b"one")
    save(made, 200)
    save(made, 100, content=b"two")
    save(made, 300)
    assert not first.exists() and len(batches(made)) == 2 and batches(made)[0].endswith("-2")
    result = undo_asked(made.records, None, {"all": True})
    assert first.read_bytes() == b"two" and [one["path"] for one in result["refused"]] == [str(first)]


def test_a_short_disk_takes_no_more_of_a_days_batch_than_is_wanted(made: Day) -> None:
    """Thinning by thinning, the oldest first."""
    files = [save(made, step, content=b"x" * 100) for step in range(100, 600, 100)]
    assert empty_trash(made.records, made.now(), 30, needed_bytes=150).files == 2
    undo_asked(made.records, None, {})
    assert [file.exists() for file in files] == [False, False, True, True, True]


# ---- by a person ----


def test_several_batches_come_back_by_run_and_by_time(cli: Cli) -> None:
    """What went before, or of another run, stays where it is; a list says the same without moving anything."""
    paths = saves(cli, 10, 11, 12, 13, 14)
    cli.ok("retention", "apply", "--yes")
    with cli.store() as store, transaction(store):
        store.execute("UPDATE deletion SET created_at = ?", ((datetime.now(UTC) - timedelta(days=3)).isoformat(),))
    other = cli.add_run("runs/b", {"val/loss": [3.0, 2.0]})
    more = [cli.add_save(other, step) for step in (20, 21, 22, 23, 24)]
    cli.ok("retention", "apply", "--yes")
    listed = ("retention", "undo", "--list")
    assert [len(cli.json(*listed, *words)) for words in ([], ["--run", "a"], ["--since", "2d"])] == [4, 2, 2]
    text = " ".join(cli.ok(*listed).split())
    assert "4 in 2 batch(es) of 2 run(s)" in text and "runs/a" in text and "step_000011.pt … step_000012.pt" in text
    assert "and 1 older batches: --limit 2 lists them" in cli.ok(*listed, "--limit", "1")
    assert cli.json("retention", "undo", "--run", "b", "--since", "2d")["restored"] == 2
    assert there(more) == [20, 21, 22, 23, 24] and there(paths) == [10, 13, 14]
    assert "nothing of that" in cli.refused("retention", "undo", "--since", "1h", "--run", "a")
    (batch,) = {one["batch"] for one in cli.json(*listed)}
    assert "step_000011.pt" in cli.ok(*listed, batch[:6])
    assert cli.json("retention", "undo", batch[:6])["restored"] == 2 and there(paths) == [10, 11, 12, 13, 14]


@pytest.mark.parametrize("word", ["yesterday", "2026-13-01", "3y", ""])
def test_what_is_no_time_is_refused_with_what_is(word: str) -> None:
    with pytest.raises(NeatError) as caught:
        moment_of(word)
    assert "2026-11-22" in caught.value.hint
    assert moment_of("2026-03-01 10:00").tzinfo is not None and moment_of("1.5h") < datetime.now(UTC)


def test_pinning_what_lies_in_the_trash_brings_it_back(cli: Cli) -> None:
    """Whoever pins a file wants to have it; the others of its batch stay in the trash."""
    paths = saves(cli, 10, 11, 12, 13, 14)
    cli.ok("retention", "apply", "--yes")
    assert not paths[1].exists()
    assert "was in the trash: it is back, and stays" in cli.ok("retention", "pin", str(paths[1]), "--why", "paper")
    assert there(paths) == [10, 11, 13, 14]
    cli.ok("retention", "apply", "--yes")
    assert there(paths) == [10, 11, 13, 14]
    assert "stays all the same: brought back from the trash" in cli.ok("retention", "unpin", str(paths[1]))


def test_what_cannot_come_back_is_not_said_to_stay(cli: Cli) -> None:
    """Its place is taken, or it was emptied: the error says which, and no pin is kept."""
    paths = saves(cli, 10, 11, 12, 13, 14)
    cli.ok("retention", "apply", "--yes")
    paths[1].write_bytes(b"another")
    told = cli.refused("retention", "pin", str(paths[1]))
    assert "is in the trash, and cannot come back" in told and "neat retention undo q-" in told
    with cli.store() as store:
        store.execute("UPDATE checkpoint SET status = 'deleted' WHERE path LIKE '%12.pt'")
        store.execute("UPDATE checkpoint SET status = 'gone' WHERE path LIKE '%13.pt'")
    assert "it was emptied from the trash" in cli.refused("retention", "pin", str(paths[2]))
    assert "removed, and not by neat" in cli.refused("retention", "pin", str(paths[3]))
    with cli.store() as store:
        assert store.execute("SELECT count(*) FROM pin").fetchone()[0] == 0
    assert paths[1].read_bytes() == b"another"
