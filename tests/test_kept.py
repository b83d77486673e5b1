"""The checkpoints of a run with the reasons for each, as the plan has them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from neatd.pipeline.kept import kept_checkpoints
from neatd.pipeline.planshown import plan_shapes, plans
from neatd.store import runs
from tests.cli_place import Cli
from tests.reading_made import reading

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    with (made.root / "neat.yaml").open("a") as file:
        file.write("retention: {newest: 1, half: 0, every_steps: 0}\n")
    return made


def test_each_checkpoint_says_why_it_stays_or_would_go(cli: Cli) -> None:
    """The plan's own reasons; one that somebody removed is gone, one in the trash says which batch brings it back."""
    made = cli.add_run("runs/a", {"val/loss": [5.0, 1.0, 4.0, 3.0, 2.0]})
    files = {step: cli.add_save(made, step, b"w" * step) for step in (1, 2, 3, 4)}
    cli.ok("retention", "apply", "--yes")
    files[5] = cli.add_save(made, 5, b"w" * 5)
    files[4].unlink()
    cli.add_save(made, 6, b"w" * 6)
    with reading(cli) as (records, points, project, config):
        found = kept_checkpoints(records, points, runs.get_run(records, made.id), config, NOW)
        (plan,) = plan_shapes(plans(records, points, project, config, None, NOW))
    by_step = {one["step"]: one for one in found["checkpoints"]}
    assert [one["step"] for one in found["checkpoints"]] == [6, 5, 4, 3, 2, 1] and found["more"] == 0
    assert (by_step[2]["stands"], by_step[2]["reasons"]) == ("keep", ["best val/loss 1"])
    assert by_step[6]["stands"] == "keep" and by_step[5]["stands"] == "go" and by_step[4]["stands"] == "gone"
    assert (
        by_step[1]["stands"] == "trashed" and by_step[1]["batch"] and by_step[1]["reasons"] and not by_step[5]["batch"]
    )
    assert {one["path"] for one in plan["delete"]} == {by_step[5]["path"]}
    assert (found["bytes_before"], found["bytes_freed"]) == (plan["bytes_before"], plan["bytes_freed"]) == (13, 5)
    assert found["best"][0]["step"] == 2 and found["note"] == ""
    assert not (cli.root / by_step[1]["path"]).exists()


def test_a_run_without_checkpoints_has_an_empty_list(cli: Cli) -> None:
    """Nothing to free, nothing best."""
    made = cli.add_run("runs/a", {"loss": [1.0]})
    with reading(cli) as (records, points, _, config):
        found = kept_checkpoints(records, points, runs.get_run(records, made.id), config, NOW)
    assert found["checkpoints"] == found["best"] == found["copies"] == [] and found["bytes_before"] == 0
