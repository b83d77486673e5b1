"""`neat check`, and what a launcher says: whether a configuration was tried, and how it ended."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click
import pytest

from neatd.cli.check import check
from neatd.cli.common import open_here
from neatd.cli.train import say_what_is_known
from neatd.files import data_path
from neatd.jobs.trainers import build_command, load_trainers
from neatd.models import ProcessFact, Run
from neatd.pipeline.checking import dead_ends
from neatd.pipeline.verdicts import decide
from neatd.place import here
from neatd.read.parameters import read_parameters
from neatd.store import jobs, records, runs
from neatd.store.short import add_record
from tests.cli_place import Cli
from tests.cost import at_most
from tests.sources_made import ENDED, ran

CONFIG = {"lr": 0.01, "batch": 16, "seed": 1}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def checked(cli: Cli, *command: str) -> list[dict[str, Any]]:
    """What `neat check --json` finds."""
    found: list[dict[str, Any]] = json.loads(cli.ok("check", "--json", "--", *command))
    return found


def started(cli: Cli, run: Run, command: str) -> None:
    """The process that the daemon found behind a run."""
    with cli.store() as store:
        runs.set_run(store, run.id, process=ProcessFact(pid=1, started=1.0, command=command))


def refute(cli: Cli, **fields: str) -> str:
    """A hypothesis that is refuted by this run, study or experiment; returns its id."""
    kept = {"title": "a high rate helps", "predict": "val/loss < 0.1", **fields}
    made = add_record(cli.home, here(), "hypothesis", kept, "person")[0]
    with cli.store() as store, cli.store("points") as series:
        decide(store, series, here().project_id)
        assert records.get(store, "hypothesis", made).status == "refuted"
    return made


def test_the_same_configuration_is_found_with_how_it_ended(cli: Cli) -> None:
    """Status, best value, and a sentence that says all of it."""
    run = ran(cli, "runs/a", 0.5, 0.3, config=CONFIG)
    (one,) = checked(cli, "python", "train.py", "--lr", "1e-2", "--batch=16")
    assert one == one | {
        "what": "run", "id": run.id, "name": "runs/a", "relation": "same", "differing": {}, "status": "finished",
        "metric": "val/loss", "value": 0.3, "verdict": "", "hypothesis": "",
    }  # fmt: skip
    assert one["text"] == "tried: run runs/a (the same configuration): finished, best val/loss 0.3"


def test_what_was_never_tried_is_said_in_one_line(cli: Cli) -> None:
    """Nothing to go by is no error."""
    assert checked(cli, "python", "train.py", "--lr", "1") == []
    assert cli.ok("check", "--", "python", "train.py") == "nothing like it was tried\n"


def test_a_refuted_one_near_it_comes_first_among_the_near(cli: Cli) -> None:
    """With the hypothesis it refuted; the same configuration comes before it."""
    ran(cli, "runs/close", 0.3, config=CONFIG | {"lr": 0.021}, ended_at=ENDED)
    ran(cli, "runs/high", 0.5, config=CONFIG | {"lr": 0.04})
    ran(cli, "runs/same", 0.4, config=CONFIG | {"lr": 0.02, "seed": 5})
    made = refute(cli, run="high")
    found = checked(cli, "python", "train.py", "lr=0.02", "batch=16", "seed=1")
    assert [one["name"] for one in found] == ["runs/same", "runs/high", "runs/close"]
    assert found[0]["differing"] == {"seed": [1, 5]} and "but for the seed" in found[0]["text"]
    assert (found[1]["verdict"], found[1]["hypothesis"]) == ("refuted", made)
    assert "lr 0.02, was 0.04" in found[1]["text"] and "it refuted 'a high rate helps'" in found[1]["text"]


def test_strict_fails_on_the_same_and_on_a_refuted_one_near_it(cli: Cli) -> None:
    """A near one that refuted nothing is news and no reason to stop."""
    ran(cli, "runs/a", 0.3, config=CONFIG)
    near, same = ("python", "t.py", "lr=0.02", "batch=16"), ("python", "t.py", "lr=0.01")
    assert cli("check", "--", *same).code == 0
    assert cli("check", "--strict", "--", *near).code == 0
    assert cli("check", "--strict", "--", *same).code == 1
    refute(cli, run="a")
    assert cli("check", "--strict", "--", *near).code == 1


def test_a_run_of_a_refuted_study_is_marked(cli: Cli) -> None:
    """Not only the best of them."""
    ran(cli, "sweep/a", 0.3, config=CONFIG)
    ran(cli, "sweep/b", 0.2, config=CONFIG | {"lr": 0.3})
    refute(cli, study="sweep")
    (one,) = checked(cli, "python", "train.py", "--lr", "0.01", "--batch", "16")
    assert (one["name"], one["verdict"]) == ("sweep/a", "refuted")


def test_a_recorded_experiment_counts_as_tried(cli: Cli) -> None:
    """Done elsewhere, known by its columns."""
    fields = {"title": "wide", "metric": "val/loss", "value": 0.4, "params": {"lr": 0.01, "loss": "dice"}}
    made = add_record(cli.home, here(), "experiment", {**fields, "status": "done"}, "person")[0]
    refute(cli, experiment="wide")
    (one,) = checked(cli, "python", "train.py", "--lr", "0.01", "--loss", "dice")
    assert (one["what"], one["id"], one["relation"], one["verdict"]) == ("experiment", made, "same", "refuted")
    assert "done, val/loss 0.4" in one["text"]


def test_a_parameter_file_is_read_and_the_command_has_the_last_word(cli: Cli) -> None:
    """YAML, TOML and JSON, nested."""
    ran(cli, "runs/a", 0.3, config={"optimizer": {"lr": 0.01, "wd": 0.1}, "batch": 16})
    (cli.root / "a.yaml").write_text("optimizer: &o {lr: 1e-2, wd: 0.1}\nbatch: 4\n")
    (cli.root / "b.toml").write_text("batch = 4\n[optimizer]\nlr = 0.01\nwd = 0.1\n")
    (cli.root / "c.json").write_text('{"optimizer": {"lr": 0.01, "wd": 0.1}, "batch": 4}')
    for name in ("a.yaml", "b.toml", "c.json"):
        (one,) = checked(cli, "python", "train.py", "--config", name, "--batch", "16")
        assert one["relation"] == "same"
        (one,) = checked(cli, "python", "train.py", name)
        assert one["differing"] == {"batch": [4, 16]}


def test_a_parameter_file_that_is_a_trap_is_passed_over(cli: Cli) -> None:
    """Merges upon merges stand for a billion keys; a pipe would wait for ever; a large file is data."""
    lines = ["a0: &a0 {k: 1}"] + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12)]
    (cli.root / "bomb.yaml").write_text("\n".join(lines))
    (cli.root / "tag.yaml").write_text("!!python/object/apply:os.system ['true']")
    (cli.root / "deep.json").write_text("[" * 100_000)
    (cli.root / "large.json").write_text('{"a": "' + "x" * (2 << 20) + '"}')
    (cli.root / "list.json").write_text("[1]")
    (cli.root / "zero.yaml").symlink_to("/dev/zero")
    os.mkfifo(cli.root / "pipe.yaml")
    names = ("bomb.yaml", "tag.yaml", "deep.json", "large.json", "list.json", "zero.yaml", "pipe.yaml", "gone.yaml")
    with at_most(10):
        for name in names:
            assert read_parameters(cli.root / name) == {}, name
            assert checked(cli, "python", "train.py", "--config", name) == []


def test_a_recorded_experiment_with_other_columns_is_not_the_same(cli: Cli) -> None:
    """The sentence says what is known in common and what is not."""
    cli.ok("experiment", "small", "--params", "lr=0.0003", "--params", "patch=96", "--params", "hours=2")
    said = cli.ok("check", "--", "python", "train.py", "--lr", "0.0003", "--max_steps", "999999", "--batch", "7")
    assert "the same configuration" not in said
    assert said.startswith(
        "recorded near it: experiment small (only lr is known in common, and equal; its max_steps, batch"
    )


def test_a_parameter_file_that_is_not_there_is_said(cli: Cli) -> None:
    """On stderr, with its name; the rest of the command is compared."""
    ran(cli, "runs/a", 0.5, config=CONFIG)
    found = cli("check", "--", "python", "train.py", "--config", "gone.yaml", "--lr", "0.01", "--batch", "16")
    assert found.err == "note: there is no file 'gone.yaml': what it would set is not compared\n"
    assert found.code == 0 and "runs/a" in found.out
    (cli.root / "there.yaml").write_text("lr: 0.01\n")
    assert not cli("check", "--", "python", "train.py", "--config", "there.yaml").err


def test_a_quoted_command_is_taken_apart_and_that_is_said(cli: Cli) -> None:
    """As a shell would; one with a quote too few is an error with a hint."""
    ran(cli, "runs/a", 0.5, config=CONFIG)
    found = cli("check", "--", "python train.py --lr 0.01 --name 'a b'")
    assert found.err == "note: the quoted command is read as 6 words\n" and "the same configuration" in found.out
    found = cli("check", "--", "python train.py --name 'a")
    assert found.code == 1 and "cannot take the command apart" in found.err


def test_what_a_run_was_started_with_tells_the_defaults(cli: Cli) -> None:
    """A run that named another weight decay is another configuration than one that names none."""
    plain = ran(cli, "runs/plain", 0.3, config=CONFIG | {"wd": 0.1})
    heavy = ran(cli, "runs/heavy", 0.4, config=CONFIG | {"wd": 0.9})
    started(cli, plain, "python train.py --lr 0.01 --out runs/plain")
    started(cli, heavy, "python train.py --lr 0.01 --wd 0.9 --out runs/heavy")
    mild = ran(cli, "runs/mild", 0.4, config=CONFIG | {"wd": 0.2})
    started(cli, mild, "python train.py --lr 0.01 --wd 0.2")
    first, second = checked(cli, "python", "train.py", "--lr", "0.01")
    assert first["name"] == "runs/plain"
    assert (second["name"], second["differing"]) == ("runs/mild", {"wd": [0.1, 0.2]})
    assert checked(cli, "python", "other.py", "--lr", "0.01") == []


def test_a_launcher_names_the_same_and_refuted_ones_in_two_lines(cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    """A shipped trainer's defaults are known, so that a run that named one explicitly is the same."""
    spec = load_trainers(data_path("trainers"))["lm"]
    for name, words in (
        ("a", ["lr=0.01"]),
        ("b", ["lr=0.01", "seed=1"]),
        ("c", ["lr=0.01", "seed=2"]),
        ("d", ["lr=0.012"]),
    ):
        folder = f"runs/{name}"
        command = build_command(spec, cli.root / folder, words)
        with cli.store() as store:
            job = jobs.add(store, here().project_id, folder, list(command), str(cli.root), folder)
        ran(cli, folder, 0.3, job_id=job.id, config={"lr": 0.01, "seed": 1, "dtype": "float32"})
    capsys.readouterr()
    with click.Context(check):
        say_what_is_known(open_here(warn=False), build_command(spec, cli.root / "runs/new", ["lr=0.01"]), spec)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and all(line.startswith("note: tried: run runs/") for line in lines)


def test_dead_ends_are_the_refuted_hypotheses_with_their_runs(cli: Cli) -> None:
    """The newest verdict first; what is supported or open is none."""
    ran(cli, "runs/a", 0.5, config=CONFIG)
    ran(cli, "sweep/b", 0.4, config=CONFIG)
    first, second = refute(cli, run="a"), refute(cli, study="sweep")
    add_record(cli.home, here(), "hypothesis", {"title": "open", "predict": "val/loss < 9", "run": "later"}, "person")
    with cli.store() as store:
        found = dead_ends(store, here().project_id)
    assert [(one.id, one.runs) for one in found] == [(second, ("sweep/b",)), (first, ("runs/a",))]
    assert found[1].predict == "val/loss < 0.1" and "reached 0.5" in found[1].reason
