"""Retention by hand, without a daemon: the plan, what goes into the trash, what comes back. And trainers listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from neatd.place import here
from neatd.store import jobs, requests
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


def test_a_changed_checkpoint_stays_and_the_plan_says_why(cli: Cli) -> None:
    """A file that is no longer the one that was catalogued stays where it is."""
    paths = saves(cli, 10, 11, 12, 13, 14)
    gone = [one["step"] for one in cli.json("retention", "plan")[0]["delete"]]
    changed = next(path for path in paths if f"{gone[0]:06d}" in path.name)
    changed.write_bytes(b"other weights")
    kept = {one["step"]: one["reasons"] for one in cli.json("retention", "plan")[0]["keep"]}
    assert kept[gone[0]] == ["not as it was when it was complete"]
    assert cli.json("retention", "apply", "--yes")["moved"] == len(gone) - 1
    assert changed.read_bytes() == b"other weights"


def test_more_than_half_of_a_run_needs_yes(cli: Cli) -> None:
    """Nothing is asked and nothing moves without it; the error names the run and what to type."""
    paths = saves(cli, *range(10, 20))
    (planned,) = cli.json("retention", "plan")
    assert planned["needs_yes"] and "needs --yes" in cli.ok("retention", "plan")
    error = cli.refused("retention", "apply")
    assert "more than half" in error and "--yes" in error and len(there(paths)) == 10
    with cli.store() as store:  # as a program would ask that knows of no --yes
        requests.ask(store, "retention-apply", here().project_id, {"run_ids": [planned["run"]]})
    assert cli.json("retention", "apply", "--yes")["moved"] == len(planned["delete"]) == 7
    assert there(paths) == [10, 18, 19]


def test_the_plan_counts_bytes_by_reason(cli: Cli) -> None:
    """For each kind of reason its checkpoints and bytes, and the bytes that nothing else keeps."""
    saves(cli, 10, 11, 12, 13, 14)
    (planned,) = cli.json("retention", "plan")
    found = {(one["goes"], one["why"]): one for one in planned["reasons"]}
    assert found[(False, "newest 2")]["bytes"] == 200 and found[(False, "newest 2")]["only_bytes"] == 200
    assert found[(False, "nearest to a step")]["checkpoints"] == 1
    assert sum(one["bytes"] for (goes, _), one in found.items() if goes) == planned["bytes_freed"] == 200
    text = cli.ok("retention", "plan")
    assert "500 B before, 300 B after; frees 200 B of 500 B" in text and "for this alone" in text


def test_a_pinned_checkpoint_stays_until_it_is_unpinned(cli: Cli) -> None:
    """Named by its file or by its id; the plan shows why."""
    paths = saves(cli, 10, 11, 12, 13, 14)
    assert cli.json("retention", "pin", str(paths[1]), "--why", "in the paper")["pinned"] is True
    kept = {one["step"]: one for one in cli.json("retention", "plan")[0]["keep"]}
    assert kept[11]["reasons"] == ["pinned: by hand: in the paper"]
    cli.ok("retention", "apply", "--yes")
    assert there(paths) == [10, 11, 13, 14]
    assert "goes by the policy again" in cli.ok("retention", "unpin", kept[11]["id"])
    cli.ok("retention", "apply", "--yes")
    assert there(paths) == [10, 13, 14]
    assert "is not pinned" in cli.refused("retention", "unpin", str(paths[0]))
    assert "no checkpoint" in cli.refused("retention", "pin", "nothing.pt")


def test_an_unreadable_catalogue_keeps_everything(cli: Cli) -> None:
    """A row that is no checkpoint: the plan says so, gives up nothing, and other runs have theirs."""
    paths = saves(cli, 10, 11, 12, 13, 14)
    with cli.store() as store:
        store.execute("UPDATE checkpoint SET completed_at = 'yesterday' WHERE ordinal = 1")
    (planned,) = cli.json("retention", "plan")
    assert planned["delete"] == [] and "cannot be read" in planned["note"]
    assert "nothing to do" in cli.ok("retention", "apply", "--yes") and len(there(paths)) == 5


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
        job = jobs.add(store, made.project_id, "runs/a", ["true"], str(cli.root), "runs/a")
        store.execute("UPDATE run SET job_id = ? WHERE id = ?", (job.id, made.id))
    assert "no output yet" in cli.refused("logs", "a")
    folder = cli.home / "jobs" / job.id
    folder.mkdir(parents=True)
    (folder / "output.log").write_text("step 1\nstep 2\n")
    assert cli.ok("logs", "a", "-n", "1") == cli.ok("logs", job.id[:8], "-n", "1") == "step 2\n"
    assert "no job with the id 'j-zzzz'" in cli.refused("logs", "j-zzzz")
    assert "was not started by neat" in cli.refused("logs", own.name)
