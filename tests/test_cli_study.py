"""`neat study` from outside: what it refuses before anything is begun, and what it says of what it would do."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from neatd.models import Study, Trial
from neatd.pipeline.asker import Asker
from tests.cli_place import Cli
from tests.conftest import until
from tests.studies_made import study_file
from tests.test_studying import SPEC
from tests.upkeep_made import set_up

LM: dict[str, Any] = {"name": "lm", "trainer": "lm", "space": {"dim": [16, 32], "lr": [0.1]}, "goal": {"metric": "val/loss"},
                      "trials": 2, "sampler": {"kind": "grid"}}  # fmt: skip


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return set_up(Cli(tmp_path, monkeypatch, capsys))


def put(cli: Cli, spec: dict[str, Any], **changes: Any) -> str:
    (cli.root / "s.yaml").write_text(yaml.safe_dump(spec | changes))
    return "s.yaml"


def test_a_study_that_cannot_run_is_refused_before_it_begins(cli: Cli) -> None:
    """A trainer's parameter that it does not have, no feasible point, a name that is taken: nothing is written."""
    (cli.root / "runs/taken/old").mkdir(parents=True)
    for changes, told in (
        ({"trainer": "llm"}, "no trainer 'llm'"),
        ({"space": {"dims": [1]}}, "lm has no parameter 'dims'"),
        ({"space": {"dim": ["wide"]}}, "parameter 'dim': 'wide' is not a whole number"),
        ({"constraints": ["dim > 64"]}, "no point of the space meets its constraints"),
        ({"name": "taken"}, "runs/taken is there already"),
        ({"trials": 0}, "s.yaml:"),
    ):
        assert told in cli.refused("study", "create", put(cli, LM, **changes)), changes
    assert "there is no study in this project" in cli.refused("study", "status")
    assert cli.json("study", "list") == [] and not (cli.home / "studies").exists()


def test_a_file_is_checked_without_beginning(cli: Cli) -> None:
    """How many feasible points there are, and that they are fewer than trials."""
    answer = cli("study", "create", put(cli, LM, trials=9), "--check")
    assert answer.out == "lm: 2 feasible points of dim, lr; 9 trials, 1 at a time, by sampler grid; nothing was begun\n"
    assert "note: the space has 2 feasible points, fewer than 9 trials" in answer.err
    assert cli.json("study", "list") == []


def test_what_the_trials_run_with_is_kept_for_its_owner_alone(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment may hold secrets: the store, and what is shown, do not."""
    monkeypatch.setenv("MY_API_KEY", "sk-1234567890abcdefghijkl")
    made = cli.json("study", "create", put(cli, SPEC))
    path = cli.home / "studies" / f"{made['id']}.frozen.json"
    assert json.loads(path.read_text())["env"]["MY_API_KEY"] and path.stat().st_mode & 0o077 == 0
    assert b"sk-1234567890" not in (cli.home / "neat.db").read_bytes()
    assert "there is a study quick already" in cli.refused("study", "create", "s.yaml")
    assert "goes on already" in cli.refused("study", "resume", "quick")
    assert cli.ok("study", "stop", "quick").startswith("quick is stopped: 0 that waited")
    assert "is stopped" in cli.refused("study", "enqueue", "quick", "lr=0.1", "dim=8")


def test_the_models_are_the_tables(cli: Cli) -> None:
    """Each column of study and trial is a field of its model, and the other way round."""
    with cli.store() as store:
        for table, model in (("study", Study), ("trial", Trial)):
            columns = {row[1] for row in store.execute(f"PRAGMA table_info({table})")}
            assert columns == set(model.model_fields)


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_the_process_that_chooses_points_may_end_by_itself(tmp_path: Path) -> None:
    """It is told once, asked again in a while, and whatever it was asked is asked anew."""
    one, spec = Asker(), study_file().model_dump(mode="json")
    one.ask(tmp_path, "st-1", {"spec": spec, "trials": [], "wanted": 2})
    found: dict[str, Any] = {}
    until(lambda: found.update(one.take(0.0)[0]) or found, "the answer")
    assert len(found["st-1"]["points"]) == 2 and not one.pending
    assert one._process is not None
    os.kill(one._process.pid, signal.SIGKILL)
    one.ask(tmp_path, "st-1", {"spec": spec, "trials": [], "wanted": 2})
    until(lambda: one.take(5.0)[1], "its end")
    assert not one.is_awake and not one.pending and one.not_before == 35.0
    one.rest()


@pytest.mark.slow
def test_all_choices_and_ends_of_a_space_are_ones_that_the_trainer_takes(cli: Cli) -> None:
    """Not only those of the first point; what a constraint leaves out is left to it."""
    for changes, told in (
        ({"space": {"layers": [1, 2, 3, 0], "lr": [0.1]}}, "parameter 'layers': 0 is not at least 1"),
        ({"space": {"layers": {"type": "int", "low": -1, "high": 3}}}, "parameter 'layers': -1 is not at least 1"),
        ({"space": {"layers": [1, "two"]}}, "parameter 'layers': 'two' is not a whole number"),
        ({"set": {"steps": -3}}, "parameter 'steps': -3 is not at least 1"),
    ):
        assert told in cli.refused("study", "create", put(cli, LM, **changes), "--check"), changes
    put(cli, LM, space={"layers": [0, 1]}, constraints=["layers > 0"])
    assert "1 feasible point" in cli.ok("study", "create", "s.yaml", "--check")


def test_a_study_tells_how_it_stands_before_and_after(cli: Cli) -> None:
    """No empty line before the first trial; a name that is taken is told after other mistakes; what is ended says what adds."""
    cli.ok("study", "create", put(cli, SPEC))
    assert cli.ok("study", "status") == "quick  0/4 trials  running\n"
    assert "there is a study quick already" in cli.refused("study", "create", "s.yaml", "--check")
    bad = put(cli, SPEC, constraints=["dim > 64"])
    assert "no point of the space" in cli.refused("study", "create", bad, "--check")
    with cli.store() as store:
        store.execute("UPDATE study SET status = 'finished'")
        for number in range(1, 5):
            store.execute(
                "INSERT INTO trial (study_id, number, status, reason, params, fingerprint, created_at)"
                " SELECT id, ?, 'failed', 'exit code 1', '{}', ?, created_at FROM study", (number, str(number))
            )  # fmt: skip
        store.commit()
    assert "  and 1 more that failed earlier" in cli.ok("study", "status")
    assert "`neat study resume quick --trials N` adds more" in cli.refused("study", "stop", "quick")
