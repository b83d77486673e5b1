"""Retention by hand, without a daemon: the plan, what goes into the trash, what comes back. And trainers listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from neatd.store import requests
from tests.cli_place import Cli


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """A project that keeps the two newest checkpoints and every tenth step."""
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    with (made.root / "neat.yaml").open("a") as file:
        file.write("retention: {newest: 2, half: 0, every_steps: 10}\n")
    return made


def saves(cli: Cli, *steps: int) -> list[Path]:
    """A run with saves of 100 bytes at these steps."""
    made = cli.add_run("runs/a", {"val/loss": [3.0, 2.0]})
    return [cli.add_save(made, step, b"x" * 100) for step in steps]


def there(paths: list[Path]) -> list[int]:
    return [int(path.stem.removeprefix("step_")) for path in paths if path.exists()]


def test_the_plan_names_every_file_with_its_reason_and_changes_nothing(cli: Cli) -> None:
    """What stays, why; what goes, why; and the bytes before, freed and after."""
    paths = saves(cli, 10, 11, 12, 13, 14)
    (found,) = cli.json("retention", "plan")
    assert {one["step"] for one in found["keep"]} | {one["step"] for one in found["delete"]} == {10, 11, 12, 13, 14}
    assert all(one["reasons"] for one in found["keep"]) and all(one["reason"] for one in found["delete"])
    assert found["bytes_before"] == 500 and found["bytes_freed"] == 100 * len(found["delete"]) > 0
    assert found["bytes_after"] == found["bytes_before"] - found["bytes_freed"]
    assert {10, 13, 14} <= {one["step"] for one in found["keep"]}
    assert "frees" in cli.ok("retention", "plan", "a") and there(paths) == [10, 11, 12, 13, 14]


def test_apply_does_what_the_plan_says_and_undo_takes_it_back(cli: Cli) -> None:
    """No consent is needed for what a person asks for; the trash gives the files back to the byte."""
    paths = saves(cli, 10, 11, 12, 13, 14)
    planned = cli.json("retention", "plan")[0]["delete"]
    result = cli.json("retention", "apply", "--yes")
    assert result["moved"] == len(planned) and result["freed_bytes"] == 100 * len(planned) and result["refused"] == []
    assert there(paths) == [step for step in range(10, 15) if step not in [one["step"] for one in planned]]
    listed = cli.json("retention", "undo", "--list")
    assert {one["batch"] for one in listed} == {result["batch"]}
    assert cli.json("retention", "undo")["restored"] == len(planned)
    assert there(paths) == [10, 11, 12, 13, 14] and all(path.read_bytes() == b"x" * 100 for path in paths)


def test_what_came_back_stays(cli: Cli) -> None:
    """A second apply leaves alone what a person brought back."""
    paths = saves(cli, 10, 11, 12, 13, 14)
    cli.ok("retention", "apply", "--yes")
    cli.ok("retention", "undo")
    assert "nothing to do" in cli.ok("retention", "apply", "--yes")
    assert there(paths) == [10, 11, 12, 13, 14]


def test_nothing_to_do_and_nothing_in_the_trash(cli: Cli) -> None:
    """Apply has nothing to move, undo says what would fill the trash."""
    saves(cli, 10)
    assert cli.json("retention", "apply")["moved"] == 0
    assert "nothing of this project lies in the trash" in cli.refused("retention", "undo")
    assert cli.json("retention", "undo", "--list") == []


def test_a_changed_checkpoint_is_refused_and_said(cli: Cli) -> None:
    """A file that is no longer the one that was planned stays where it is."""
    paths = saves(cli, 10, 11, 12, 13, 14)
    gone = [one["step"] for one in cli.json("retention", "plan")[0]["delete"]]
    changed = next(path for path in paths if f"{gone[0]:06d}" in path.name)
    changed.write_bytes(b"other weights")
    result = cli.json("retention", "apply", "--yes")
    assert [one["path"] for one in result["refused"]] == [str(changed)] and changed.read_bytes() == b"other weights"


def test_trainers_are_listed_with_their_parameters(cli: Cli) -> None:
    """As text and as JSON, with their defaults."""
    assert "lm:" in cli.ok("train") and "  lr=" in cli.ok("train")
    (spec,) = [one for one in cli.json("train") if one["name"] == "lm"]
    assert {"type", "default", "help"} <= set(spec["parameters"]["lr"])


def test_an_unknown_trainer_names_the_shipped(cli: Cli) -> None:
    """A typing mistake shows what there is."""
    assert "lm" in cli.refused("train", "ml")


def test_the_output_of_a_job_is_printed_by_run_or_job(cli: Cli) -> None:
    """By the run's name or the beginning of the job's id; a run of a person's own has no output here."""
    made, own = cli.add_run("runs/a", {"loss": [1.0]}), cli.add_run("runs/own", {"loss": [1.0]})
    with cli.store() as store:
        job = requests.add_job(store, made.project_id, "runs/a", ["true"], str(cli.root), "runs/a")
        store.execute("UPDATE run SET job_id = ? WHERE id = ?", (job.id, made.id))
    assert "no output yet" in cli.refused("logs", "a")
    folder = cli.home / "jobs" / job.id
    folder.mkdir(parents=True)
    (folder / "output.log").write_text("step 1\nstep 2\n")
    assert cli.ok("logs", "a", "-n", "1") == cli.ok("logs", job.id[:8], "-n", "1") == "step 2\n"
    assert "no job with the id 'j-zzzz'" in cli.refused("logs", "j-zzzz")
    assert "was not started by neat" in cli.refused("logs", own.name)
