"""The experiment table and the baseline, from a store and a repository made by hand."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from neatd.models import GitState, Prediction
from neatd.pipeline import datasets
from neatd.place import here
from neatd.read.dataset import DataFact
from neatd.store import points, readings, runs, tabled
from tests.cli_place import BEGAN, Cli
from tests.test_gitstate import git


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def rows(cli: Cli, *words: str) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in cli.json("table", *words)}


def two(cli: Cli, base: dict[str, Any], other: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The row of a run that is better by number than the baseline, each with its parameters."""
    cli.add_run("runs/base", {"val/loss": [3.0, 2.0]}, config=base)
    cli.add_run("runs/other", {"val/loss": [3.0, 1.5]}, config=other, **fields)
    cli.ok("baseline", "base")
    return rows(cli)["runs/other"]


def set_primary(cli: Cli, text: str) -> None:
    with (cli.root / "neat.yaml").open("a") as file:
        file.write(f"primary: {text}\n")


def add_data(cli: Cli, path: str, version: str, rows_: int | None, days: float) -> None:
    """A data version registered so many days before the runs began."""
    with cli.store() as store:
        fact = DataFact(version * 64, 10, rows_, 1)
        made = datasets.keep(store, here(), path, "raw", fact, "person").record
        at = (BEGAN - timedelta(days=days)).isoformat(timespec="microseconds")
        store.execute("UPDATE data SET created_at = ? WHERE id = ?", (at, made.id))


def test_a_row_tells_scale_cost_and_restarts(cli: Cli) -> None:
    """Parameters, samples, fraction, hours, attempt."""
    made = cli.add_run(
        "runs/a", {"val/loss": [2.0]}, config={"n_params": "12.7M", "data_fraction": 0.53, "max_samples": 80}
    )
    with cli.store("points") as numbers:
        numbers.execute("INSERT INTO attempt VALUES (?, 'metrics.jsonl', 2, 1, 1)", (made.id,))
    found = rows(cli)["runs/a"]
    assert found | {"params": 12_700_000, "samples": 80, "data_fraction": 0.53, "attempt": 2} == found
    text = cli.ok("table")
    assert "12.7M" in text and "53 % of it" in text and "attempt 2" in text


def test_a_series_tells_the_models_size(cli: Cli) -> None:
    """Where the trainer logs it with its metrics."""
    cli.add_run("runs/a", {"val/loss": [2.0, 1.0], "model/n_params": [1000.0, 1000.0]})
    assert rows(cli)["runs/a"]["params"] == 1000


def test_a_run_is_on_the_data_that_held_when_it_began(cli: Cli) -> None:
    """By the path that its parameters name, relative or whole; a later version is not its own."""
    add_data(cli, "data/t.csv", "a", 200, days=2)
    add_data(cli, "data/t.csv", "b", 300, days=1)
    add_data(cli, "data/t.csv", "c", 400, days=-1)
    cli.add_run("runs/a", {"val/loss": [2.0]}, config={"data_path": "./data/t.csv", "max_samples": 150})
    cli.add_run("runs/b", {"val/loss": [2.0]}, config={"train": {"data_file": str(cli.root / "data/t.csv")}})
    cli.add_run("runs/c", {"val/loss": [2.0]}, config={"data_dir": "data", "fraction": 0.1})
    found = rows(cli)
    assert {row["data"] for row in found.values()} == {"data/t.csv@bbbbbbbb"}
    assert (found["runs/a"]["data_fraction"], found["runs/c"]["samples"]) == (0.5, 30)


def test_a_file_in_a_registered_folder_has_the_folders_version(cli: Cli) -> None:
    """And what nobody registered is named without a version."""
    add_data(cli, "data/raw", "a", None, days=1)
    cli.add_run("runs/a", {"val/loss": [2.0]}, config={"train_file": "data/raw/x/t.csv"})
    cli.add_run("runs/b", {"val/loss": [2.0]}, config={"dataset": "wikitext"})
    cli.add_run("runs/c", {"val/loss": [2.0]}, config={"dataset_version": "v3"})
    assert [rows(cli)[f"runs/{name}"]["data"] for name in "abc"] == ["data/raw@aaaaaaaa", "wikitext", "v3"]


def test_a_row_that_is_not_comparable_is_never_better(cli: Cli) -> None:
    """It keeps its difference, in brackets, with the reason."""
    found = two(cli, {"max_samples": 100}, {"max_samples": 50})
    assert (found["delta"], found["is_better"], found["is_comparable"]) == (-0.5, None, False)
    assert found["not_comparable"] == ["other samples: 50, not 100"]
    text = cli.ok("table")
    assert "[-0.5]" in text and "not comparable: other samples" in text


def test_a_row_that_is_comparable_is_better(cli: Cli) -> None:
    """The same samples."""
    found = two(cli, {"max_samples": 100}, {"max_samples": 100})
    assert (found["is_better"], found["is_comparable"], found["not_comparable"]) == (True, True, [])


def test_a_run_under_way_is_not_comparable(cli: Cli) -> None:
    """Its best may still come; and one that was killed might have had a better one."""
    assert two(cli, {}, {}, status="running")["not_comparable"] == ["not finished: running at step 2"]


def test_other_metric_code_is_seen_in_git(cli: Cli) -> None:
    """Between two commits that differ in eval.py; a commit that differs in train.py only is comparable."""
    git(cli.root, "init", "-q", "-b", "main")
    states = []
    for name in ("eval.py", "train.py", "eval.py"):
        with (cli.root / name).open("a") as file:
            file.write("x\n")
        git(cli.root, "add", "-A")
        git(cli.root, "commit", "-q", "-m", "x")
        states.append(GitState(is_repo=True, commit=git(cli.root, "rev-parse", "HEAD")))
    for name, state in zip(("base", "same", "other"), states, strict=True):
        made = cli.add_run(f"runs/{name}", {"val/loss": [2.0]})
        with cli.store() as store:
            runs.set_run(store, made.id, git=state)
    cli.ok("baseline", "base")
    found = rows(cli)
    assert found["runs/same"]["is_comparable"] and "(1 file, +1 -0: train.py)" in found["runs/same"]["code"]
    assert found["runs/other"]["not_comparable"] == ["other metric code: the files that compute it changed"]
    assert list((cli.home / "commits").glob("*.json"))


def test_uncommitted_changes_are_told(cli: Cli) -> None:
    """By name, beside the parameters that differ."""
    dirty = GitState(is_repo=True, commit="c0ffee" + "0" * 34, dirty=("model.py",))
    assert two(cli, {}, {}, git=dirty)["code"] == "uncommitted: model.py"
    assert "uncommitted: model.py" in cli.ok("table")


def test_a_recorded_experiment_is_a_row_that_is_marked(cli: Cli) -> None:
    """Reported, not measured; its parameters, status and number as they were stated; another metric is not compared."""
    two(cli, {}, {})
    cli.ok(
        "experiment", "wide", "--metric", "val/loss", "--value", "1.25", "--params", "d=768", "--params", "Params=170M"
    )
    cli.ok("experiment", "deep", "--metric", "val/dice", "--value", "0.2")
    cli.ok("experiment", "later")
    found = rows(cli)
    wide, deep, later = found["wide"], found["deep"], found["later"]
    assert wide | {"is_reported": True, "value": 1.25, "delta": -0.75, "params": 170_000_000} == wide
    assert wide["changed"] == ["d=768", "Params=170M"] and not found["runs/base"]["is_reported"]
    assert (deep["delta"], deep["not_comparable"]) == (None, ["other metric: val/dice, not val/loss"])
    assert later["value"] is None and later["is_comparable"] is None
    assert "wide (reported)" in cli.ok("table")


def test_an_experiment_of_a_watched_run_is_its_note(cli: Cli) -> None:
    """So are the hypotheses about it, with their verdict; the run has one row."""
    made = cli.add_run("runs/a", {"val/loss": [2.0]})
    cli.ok("experiment", "with warm-up", "--run", "a")
    cli.ok("hypothesis", "warm-up helps", "--run", "runs/a", "--predict", "val/loss < 1")
    with cli.store() as store:
        evidence = f'[{{"run": "{made.id}", "metric": "val/loss"}}]'
        note = cli.keep("note", "2.0 at the end")
        store.execute("UPDATE note SET evidence = ? WHERE id = ?", (evidence, note))
    found = rows(cli)
    assert list(found) == ["runs/a"]
    assert found["runs/a"]["notes"] == ["open: warm-up helps", "with warm-up", "2.0 at the end"]


def test_another_metric_may_be_asked_for(cli: Cli) -> None:
    """One that no run has is refused with the nearest."""
    cli.add_run("runs/a", {"val/loss": [2.0], "val/dice": [0.1, 0.3, 0.2]})
    assert (rows(cli, "--metric", "val/dice")["runs/a"]["value"], rows(cli)["runs/a"]["value"]) == (0.3, 2.0)
    assert "did you mean val/dice" in cli.refused("table", "--metric", "val/dcie")


def test_a_primary_metric_that_no_run_has_is_said(cli: Cli) -> None:
    """On stderr, with what is near; the table is there all the same."""
    cli.add_run("runs/a", {"val/loss": [2.0]})
    set_primary(cli, "{metric: val/lss, goal: min}")
    answer = cli("table")
    assert answer.code == 0 and "no run has val/lss" in answer.err and "did you mean val/loss" in answer.err
    assert rows(cli)["runs/a"]["value"] is None


def test_the_primary_goal_decides_what_is_better(cli: Cli) -> None:
    """Also where the name would tell otherwise."""
    set_primary(cli, "{metric: val/loss, goal: max}")
    cli.add_run("runs/base", {"val/loss": [3.0, 2.0]})
    cli.add_run("runs/b", {"val/loss": [4.0]})
    cli.ok("baseline", "base")
    assert rows(cli)["runs/b"] | {"delta": 1.0, "is_better": True} == rows(cli)["runs/b"]


def test_the_baseline_is_shown_and_cleared(cli: Cli) -> None:
    """Without a name it says which one it is."""
    made = cli.add_run("runs/a", {"val/loss": [2.0]})
    assert "none" in cli.ok("baseline") and cli.json("baseline") == {"baseline": None}
    cli.ok("baseline", "a")
    assert cli.ok("baseline") == "baseline: runs/a\n"
    assert cli.json("baseline") == {"baseline": {"id": made.id, "name": "runs/a"}}
    cli.ok("baseline", "--clear")
    assert cli.json("baseline") == {"baseline": None}
    assert cli("baseline", "a", "--clear").code == 2


def test_a_secret_among_the_parameters_stays_out(cli: Cli) -> None:
    """In the table, in JSON and in CSV; also one that the store kept before it knew secrets."""
    key = "sk-" + "a1b2c3d4" * 4
    two(cli, {"lr": 1}, {"lr": 2})
    with cli.store() as store:
        store.execute("UPDATE run SET config = ? WHERE name = 'runs/other'", (f'{{"api_key": "{key}"}}',))
    cli.ok("experiment", "x", "--params", f"api_key={key}")
    for words in (("table",), ("table", "--json"), ("table", "--csv")):
        text = cli.ok(*words)
        assert key not in text and "api_key" in text


@pytest.mark.slow
def test_a_long_table_is_cut_for_people_only(cli: Cli) -> None:
    """The rest is counted and named; --all, JSON and CSV have it."""
    for number in range(53):
        cli.add_run(f"runs/n{number:02d}", {})
    short, whole = cli.ok("table"), cli.ok("table", "--all")
    assert "… and 3 more: `neat table --all`" in short and "runs/n02" not in short and "runs/n02" in whole
    assert len(cli.json("table")) == len(list(csv.reader(io.StringIO(cli.ok("table", "--csv"))))) - 1 == 53


def test_one_query_tells_the_accuracies_of_all_runs(cli: Cli) -> None:
    """The same as asking run by run: an example that was asked again at the last step counts once."""
    made = [cli.add_run(f"runs/{name}", {}) for name in "abc"]
    with cli.store("points") as numbers:
        for seed, run in enumerate(made[:2]):
            answers = [
                (1, "w", True),
                (1, "x", True),
                (2, "x", True),
                (2, "y", False),
                (2, "x", False),
                (2, "z", seed > 0),
            ]
            lines = [Prediction(n, step, key, ok, 1.0, None, None, None) for n, (step, key, ok) in enumerate(answers)]
            cursor = readings.cursor(numbers, run.id, "predictions.jsonl")
            points.commit_predictions(numbers, run.id, "predictions.jsonl", cursor, lines, 1.0)
        found = tabled.prediction_summaries(numbers, [run.id for run in made])
        for run in made[:2]:
            single = points.prediction_summary(numbers, run.id)
            assert single is not None
            assert found[run.id] == (single["step"], single["examples"], single["correct"])
        numbers.execute("INSERT INTO attempt VALUES (?, 'metrics.jsonl', 2, 1, 1)", (made[0].id,))
        assert tabled.prediction_summaries(numbers, [made[0].id]) == {made[0].id: (2, 3, 0)}
    assert found[made[0].id] == (2, 3, 0) and found[made[1].id] == (2, 3, 1) and made[2].id not in found
